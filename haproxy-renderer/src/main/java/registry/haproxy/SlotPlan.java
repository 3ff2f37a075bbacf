package registry.haproxy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import registry.haproxy.RendererConfig.CheckType;
import registry.haproxy.RendererConfig.ServiceConfig;

/**
 * The way from what a backend serves to what it should serve.
 *
 * @param outs to be done before anything else, in all backends
 * @param ins with the outs at their end where these would leave nobody to serve
 * @param frees to be done last
 * @param homeless members for which there is no slot
 */
record SlotPlan(List<Change> outs, List<Change> ins, List<Change> frees, List<Member> homeless) {
    // An instance that flaps finds its old slot, needing one command in place of four.
    private static final long LINGER_SECONDS = 2;
    private static final int MOST = 4096;

    boolean isEmpty() {
        return outs.isEmpty() && ins.isEmpty() && frees.isEmpty();
    }

    /**
     * @param members no two with the same endpoint
     * @param expired instances that have had their time to drain: what they still have is ended
     * @param slots as HAProxy reports them now
     * @param isConnected whether anybody is still connected to a slot; asked only about slots that
     *     are out of service
     */
    static SlotPlan of(
            ServiceConfig service,
            List<Member> members,
            Set<Endpoint> expired,
            List<Slot> slots,
            Predicate<Slot> isConnected) {
        String backend = service.key();
        Map<Endpoint, Member> wanted = new LinkedHashMap<>();
        members.forEach(member -> wanted.put(member.endpoint(), member));
        Map<Endpoint, Slot> homes = homes(slots, wanted.keySet());

        List<Change> outs = new ArrayList<>();
        List<Change> ins = new ArrayList<>();
        List<Change> frees = new ArrayList<>();
        List<Slot> unused = new ArrayList<>();
        List<Slot> leaving = new ArrayList<>();
        for (Slot slot : slots) {
            Member member = wanted.get(slot.endpoint());
            boolean isHome = slot.equals(homes.get(slot.endpoint()));
            if (member != null && isHome) {
                Change change =
                        slot.isInService()
                                ? Change.adjust(backend, slot, member)
                                : Change.in(backend, slot, member);
                if (!change.commands().isEmpty()) {
                    (slot.isInService() && member.draining() ? outs : ins).add(change);
                }
            } else if (slot.isInService()) {
                outs.add(Change.out(backend, slot));
            } else if (slot.isUnused()) {
                unused.add(slot);
            } else {
                leaving.add(slot);
            }
        }

        Set<Slot> connected = new HashSet<>();
        List<Slot> idle = new ArrayList<>();
        for (Slot slot : leaving) {
            if (!isConnected.test(slot)) {
                idle.add(slot);
            } else {
                connected.add(slot);
            }
        }
        if (service.dynamic()) {
            idle.addAll(unused);
        }
        List<Slot> free = new ArrayList<>(service.dynamic() ? List.of() : unused);
        // The one that left first is the least likely to come back.
        idle.sort((a, b) -> Long.compare(b.sinceChange(), a.sinceChange()));
        if (!service.dynamic()) {
            free.addAll(idle);
        }
        Iterator<Integer> numbers = unusedNumbers(slots);
        List<Member> homeless = new ArrayList<>();
        int next = 0;
        for (Member member : wanted.values()) {
            if (homes.containsKey(member.endpoint())) {
                continue;
            }
            if (service.dynamic() && slots.size() < MOST) {
                ins.add(
                        Change.add(
                                backend,
                                numbers.next(),
                                member,
                                ConfigRenderer.serverOptions(service),
                                service.check().type() != CheckType.NONE));
                continue;
            }
            if (next == free.size()) {
                homeless.add(member);
                continue;
            }
            Slot slot = free.get(next++);
            idle.remove(slot);
            ins.add(Change.in(backend, slot, member));
        }
        for (Slot slot : idle) {
            if (slot.sinceChange() >= LINGER_SECONDS) {
                frees.add(
                        service.dynamic()
                                ? Change.delete(backend, slot)
                                : Change.free(backend, slot));
            }
        }
        for (Slot slot : connected) {
            long limit = Math.max(LINGER_SECONDS, service.drain().toSeconds());
            if (slot.sinceChange() > limit || expired.contains(slot.endpoint())) {
                frees.add(Change.shutdown(backend, slot));
            }
        }
        if (!ins.isEmpty()
                && homeless.isEmpty()
                && slots.stream().noneMatch(s -> stays(s, wanted))) {
            // Not a moment without any: these outs wait for their successors.
            ins.addAll(outs);
            outs.clear();
        }
        return new SlotPlan(
                List.copyOf(outs), List.copyOf(ins), List.copyOf(frees), List.copyOf(homeless));
    }

    private static boolean stays(Slot slot, Map<Endpoint, Member> wanted) {
        Member member = wanted.get(slot.endpoint());
        return slot.isInService()
                && slot.isUp()
                && !slot.isDraining()
                && member != null
                && !member.draining();
    }

    /** The numbers that no server has, from 1. */
    private static Iterator<Integer> unusedNumbers(List<Slot> slots) {
        Set<Integer> taken = new HashSet<>();
        slots.forEach(slot -> taken.add(slot.number()));
        return IntStream.rangeClosed(1, 99_999).filter(n -> !taken.contains(n)).iterator();
    }

    /**
     * For each wanted endpoint that has slots already, the one to keep: one in service before one
     * that is not.
     */
    private static Map<Endpoint, Slot> homes(List<Slot> slots, Set<Endpoint> wanted) {
        Map<Endpoint, Slot> homes = new HashMap<>();
        for (Slot slot : slots) {
            if (wanted.contains(slot.endpoint())) {
                homes.merge(
                        slot.endpoint(),
                        slot,
                        (first, other) ->
                                first.isInService() || !other.isInService() ? first : other);
            }
        }
        return homes;
    }
}
