package registry.haproxy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import registry.haproxy.RendererConfig.ServiceConfig;

/**
 * How many slots each backend has, and who stands in which of them in the file. Owned by the
 * engine's thread.
 */
final class Layout {
    private static final int LEAST = 8;
    private static final int MOST = 4096;

    private final DesiredState desired;
    private final Map<String, Integer> counts = new HashMap<>();

    Layout(DesiredState desired) {
        this.desired = desired;
    }

    /** Takes over the slots that the running process has: fewer would be a reload for nothing. */
    void observe(List<ServiceConfig> services, Map<String, List<Slot>> actual) {
        for (ServiceConfig service : services) {
            List<Slot> slots = actual.get(service.key());
            if (slots != null && !service.dynamic()) {
                counts.merge(service.key(), slots.size(), Math::max);
            }
        }
    }

    /**
     * Asks for more slots, unless those that were asked for have not come yet. Returns whether
     * there can be more.
     */
    boolean grow(ServiceConfig service, int present, int members) {
        if (present >= MOST) {
            return false;
        }
        if (present >= count(service)) {
            counts.put(
                    service.key(), Math.min(MOST, Math.max(present * 2, powerOfTwo(members * 2))));
        }
        return true;
    }

    /** Never falls: a slot too many costs nothing, a reload does. */
    int count(ServiceConfig service) {
        Integer known = counts.get(service.key());
        if (known != null) {
            return Math.max(known, service.minSlots());
        }
        int members = desired.members(service).map(List::size).orElse(0);
        int least =
                service.minSlots() > 0
                        ? service.minSlots()
                        : Math.max(LEAST, powerOfTwo(members * 2));
        int count = Math.min(MOST, Math.max(least, members));
        // A guess made before the first answer is not held on to.
        if (members > 0) {
            counts.put(service.key(), count);
        }
        return count;
    }

    Map<String, Integer> counts(List<ServiceConfig> services) {
        Map<String, Integer> all = new LinkedHashMap<>();
        // Dynamic servers come and go without a reload: their number is no part of the structure.
        services.forEach(service -> all.put(service.key(), service.dynamic() ? 0 : count(service)));
        return all;
    }

    /**
     * Who is in service in the running process stays in that slot; other members go where there is
     * room.
     */
    Map<String, List<Optional<Member>>> places(
            List<ServiceConfig> services, Map<String, List<Slot>> actual) {
        Map<String, List<Optional<Member>>> all = new LinkedHashMap<>();
        services.forEach(service ->
                all.put(
                        service.key(),
                        places(service, actual.getOrDefault(service.key(), List.of()))));
        return all;
    }

    private List<Optional<Member>> places(ServiceConfig service, List<Slot> slots) {
        Optional<List<Member>> members = desired.members(service);
        int count =
                service.dynamic()
                        ? slots.stream().mapToInt(Slot::number).max().orElse(0)
                                + members.map(List::size).orElse(0)
                        : count(service);
        List<Optional<Member>> places =
                new ArrayList<>(Collections.nCopies(count, Optional.empty()));
        Map<Endpoint, Member> left = new LinkedHashMap<>();
        members.orElse(List.of()).forEach(member -> left.put(member.endpoint(), member));
        for (Slot slot : slots) {
            int at = slot.number() - 1;
            if (at >= count || !slot.isInService() || slot.isUnused()) {
                continue;
            }
            // Of a service that nobody has told us about yet, HAProxy knows better than we do.
            Member member = members.isPresent() ? left.remove(slot.endpoint()) : slot.asMember();
            places.set(at, Optional.ofNullable(member));
        }
        int at = 0;
        for (Member member : left.values()) {
            while (at < count && places.get(at).isPresent()) {
                at++;
            }
            if (at == count) {
                break;
            }
            places.set(at, Optional.of(member));
        }
        return List.copyOf(places);
    }

    static int powerOfTwo(int atLeast) {
        return atLeast <= 1 ? 1 : Integer.highestOneBit(atLeast - 1) << 1;
    }
}
