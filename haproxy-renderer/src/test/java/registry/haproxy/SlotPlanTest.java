package registry.haproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import registry.haproxy.RendererConfig.ServiceConfig;

class SlotPlanTest {
    private static final ServiceConfig SLOTS = service("");
    private static final ServiceConfig DYNAMIC = service("servers: dynamic");

    private static ServiceConfig service(String more) {
        String text = "services:\n  web:\n    bind: :80\n    " + more + "\n";
        return InputReader.parse(Path.of("/in.yaml"), text).services().getFirst();
    }

    private static Endpoint endpoint(int last) {
        return new Endpoint(InetAddress.ofLiteral("10.0.0." + last), 80);
    }

    private static Member member(int last) {
        return new Member(endpoint(last), 1, false, "n1/w" + last);
    }

    private static Slot unused(int number) {
        return new Slot(3, "srv" + number, Endpoint.UNUSED, 5, 0, 1, 100);
    }

    /** In service; 4 is what is left of "disabled" in the configuration. */
    private static Slot ready(int number, int last) {
        return new Slot(3, "srv" + number, endpoint(last), 4, 2, 1, 100);
    }

    private static Slot maintenance(int number, int last, long since) {
        return new Slot(3, "srv" + number, endpoint(last), 5, 0, 1, since);
    }

    private static SlotPlan plan(List<Member> members, List<Slot> slots, String... connected) {
        return SlotPlan.of(
                SLOTS,
                members,
                Set.of(endpoint(200)),
                slots,
                slot -> Set.of(connected).contains(slot.name()));
    }

    private static SlotPlan dynamic(List<Member> members, List<Slot> slots, String... connected) {
        return SlotPlan.of(
                DYNAMIC, members, Set.of(), slots, slot -> Set.of(connected).contains(slot.name()));
    }

    private static List<String> commands(List<Change> changes) {
        List<String> texts = new ArrayList<>();
        changes.forEach(change -> change.commands().forEach(command -> texts.add(command.text())));
        return texts;
    }

    @Test
    void nothingToDoIsNoCommand() {
        assertThat(plan(List.of(member(1)), List.of(ready(1, 1), unused(2))).isEmpty()).isTrue();
    }

    @Test
    void aNewMemberTakesAnUnusedSlot() {
        SlotPlan plan = plan(List.of(member(1), member(2)), List.of(ready(1, 1), unused(2)));
        assertThat(plan.outs()).isEmpty();
        assertThat(commands(plan.ins()))
                .containsExactly(
                        "set server web/srv2 addr 10.0.0.2 port 80",
                        "set server web/srv2 state ready");
    }

    @Test
    void weightIsSetBeforeReady() {
        Member heavy = new Member(endpoint(2), 20, false, "n1/w2");
        assertThat(commands(plan(List.of(heavy), List.of(unused(1))).ins()))
                .containsExactly(
                        "set server web/srv1 addr 10.0.0.2 port 80",
                        "set server web/srv1 weight 20",
                        "set server web/srv1 state ready");
    }

    @Test
    void whoIsGoneGoesOutAndKeepsItsAddress() {
        SlotPlan plan = plan(List.of(member(1)), List.of(ready(1, 1), ready(2, 2)));
        assertThat(commands(plan.outs())).containsExactly("set server web/srv2 state maint");
        assertThat(plan.frees()).isEmpty();
    }

    @Test
    void whoComesBackFindsItsSlot() {
        SlotPlan plan = plan(List.of(member(2)), List.of(unused(1), maintenance(2, 2, 0)));
        assertThat(commands(plan.ins())).containsExactly("set server web/srv2 state ready");
    }

    @Test
    void aSlotIsFreedOnceNobodyIsConnected() {
        List<Slot> slots =
                List.of(maintenance(1, 1, 5), maintenance(2, 2, 5), maintenance(3, 3, 1));
        assertThat(commands(plan(List.of(), slots, "srv1").frees()))
                .containsExactly("set server web/srv2 addr 127.0.0.1 port 1");
    }

    @Test
    void connectionsEndAfterTheDrainTime() {
        assertThat(commands(plan(List.of(), List.of(maintenance(1, 1, 31)), "srv1").frees()))
                .containsExactly("shutdown sessions server web/srv1");
    }

    @Test
    void aSlotWithConnectionsIsNotGivenToAnother() {
        SlotPlan plan = plan(List.of(member(9)), List.of(maintenance(1, 1, 5)), "srv1");
        assertThat(plan.ins()).isEmpty();
        assertThat(plan.homeless()).containsExactly(member(9));
    }

    @Test
    void theSlotLeftFirstIsReusedFirst() {
        SlotPlan plan =
                plan(List.of(member(9)), List.of(maintenance(1, 1, 0), maintenance(2, 2, 1)));
        assertThat(commands(plan.ins())).startsWith("set server web/srv2 addr 10.0.0.9 port 80");
        assertThat(plan.homeless()).isEmpty();
    }

    @Test
    void maintenanceOfAMemberDrainsAndBack() {
        Member draining = new Member(endpoint(1), 1, true, "n1/w1");
        assertThat(commands(plan(List.of(draining), List.of(ready(1, 1))).outs()))
                .containsExactly("set server web/srv1 state drain");
        Slot drained = new Slot(3, "srv1", endpoint(1), 12, 2, 1, 5);
        assertThat(plan(List.of(draining), List.of(drained)).isEmpty()).isTrue();
        assertThat(commands(plan(List.of(member(1)), List.of(drained)).ins()))
                .containsExactly("set server web/srv1 state ready");
    }

    @Test
    void twoSlotsForOneMemberBecomeOne() {
        SlotPlan plan =
                plan(List.of(member(1)), List.of(maintenance(1, 1, 9), ready(2, 1), ready(3, 1)));
        assertThat(commands(plan.outs())).containsExactly("set server web/srv3 state maint");
        assertThat(plan.ins()).isEmpty();
    }

    @Test
    void anUnusedSlotThatSomebodyEnabledGoesOut() {
        Slot enabled = new Slot(3, "srv1", Endpoint.UNUSED, 4, 2, 1, 9);
        assertThat(commands(plan(List.of(), List.of(enabled)).outs()))
                .containsExactly("set server web/srv1 state maint");
    }

    /** One of 900 requests met no server between the outs and the ins. */
    @Test
    void theLastOneThatServesWaitsForItsSuccessor() {
        SlotPlan plan = plan(List.of(member(2)), List.of(ready(1, 1), unused(2)));
        assertThat(plan.outs()).isEmpty();
        assertThat(commands(plan.ins()))
                .containsExactly(
                        "set server web/srv2 addr 10.0.0.2 port 80",
                        "set server web/srv2 state ready",
                        "set server web/srv1 state maint");
        List<Member> two = List.of(member(2), member(3));
        assertThat(commands(plan(two, List.of(ready(1, 1), ready(3, 3), unused(2))).outs()))
                .containsExactly("set server web/srv1 state maint");
        // Without room for all, the outs make it.
        assertThat(commands(plan(two, List.of(ready(1, 1), unused(2))).outs()))
                .containsExactly("set server web/srv1 state maint");
    }

    @Test
    void whoHasHadItsTimeToDrainIsCutAtOnce() {
        assertThat(commands(plan(List.of(), List.of(maintenance(1, 200, 0)), "srv1").frees()))
                .containsExactly("shutdown sessions server web/srv1");
    }

    /** HAProxy 2.6 never serves a server that was added with the word "enabled". */
    @Test
    void aDynamicServerIsAddedWithAllItsOptions() {
        SlotPlan plan = dynamic(List.of(member(1), member(2)), List.of(ready(1, 1)));
        assertThat(commands(plan.ins()))
                .containsExactly(
                        "add server web/srv2 10.0.0.2:80 id 2 weight 1 check inter 500ms fastinter 200ms fall 2 rise 1",
                        "enable health web/srv2",
                        "set server web/srv2 state ready");
        assertThat(plan.homeless()).isEmpty();
    }

    @Test
    void aDynamicServerIsDeletedOnceNobodyIsConnected() {
        List<Slot> slots =
                List.of(ready(1, 1), maintenance(2, 2, 5), maintenance(3, 3, 5), unused(4));
        SlotPlan plan = dynamic(List.of(), slots, "srv2");
        assertThat(commands(plan.outs())).containsExactly("set server web/srv1 state maint");
        assertThat(commands(plan.frees()))
                .containsExactlyInAnyOrder("del server web/srv3", "del server web/srv4");
    }

    @Test
    void aDynamicServerThatComesBackIsNotAddedTwice() {
        SlotPlan plan = dynamic(List.of(member(2)), List.of(maintenance(2, 2, 5)));
        assertThat(commands(plan.ins())).containsExactly("set server web/srv2 state ready");
        assertThat(plan.frees()).isEmpty();
    }

    /**
     * Whatever comes and goes: one plan later HAProxy serves just the members, and nobody's slot
     * was taken.
     */
    @Test
    void anyStateIsRightAfterOnePlan() {
        long seed = System.nanoTime();
        var random = new SplittableRandom(seed);
        for (int round = 0; round < 2000; round++) {
            List<Slot> slots = new ArrayList<>();
            Set<String> connected = new HashSet<>();
            int count = random.nextInt(1, 12);
            for (int number = 1; number <= count; number++) {
                int last = random.nextInt(1, 10);
                int admin = new int[] {0, 4, 1, 5, 8, 12, 0x20}[random.nextInt(7)];
                Endpoint at = random.nextInt(3) == 0 ? Endpoint.UNUSED : endpoint(last);
                slots.add(
                        new Slot(
                                3,
                                "srv" + number,
                                at,
                                admin,
                                2,
                                random.nextInt(3),
                                random.nextInt(60)));
                if (random.nextInt(4) == 0) {
                    connected.add("srv" + number);
                }
            }
            List<Member> members = new ArrayList<>();
            for (int last = 1; last < 10; last++) {
                if (random.nextBoolean()) {
                    members.add(
                            new Member(
                                    endpoint(last),
                                    random.nextInt(3),
                                    random.nextInt(4) == 0,
                                    "n1/w" + last));
                }
            }
            SlotPlan plan = plan(members, slots, connected.toArray(String[]::new));
            List<Slot> after = played(slots, plan, connected, "seed " + seed);
            Map<Endpoint, Member> expected = new HashMap<>();
            members.forEach(member -> expected.put(member.endpoint(), member));
            plan.homeless().forEach(member -> expected.remove(member.endpoint()));
            List<Slot> serving = after.stream().filter(Slot::isInService).toList();
            assertThat(serving)
                    .as("seed %d", seed)
                    .extracting(Slot::endpoint)
                    .containsExactlyInAnyOrderElementsOf(expected.keySet());
            for (Slot slot : serving) {
                Member member = expected.get(slot.endpoint());
                assertThat(slot.weight()).as("seed %d", seed).isEqualTo(member.weight());
                assertThat(slot.isDraining()).as("seed %d", seed).isEqualTo(member.draining());
            }
            // What went out in this plan may house in the next who found no slot.
            if (plan.homeless().isEmpty()) {
                assertThat(plan(members, after, connected.toArray(String[]::new)).ins())
                        .as("seed %d", seed)
                        .isEmpty();
            }
        }
    }

    /** The slots after HAProxy has carried out the plan. */
    private static List<Slot> played(
            List<Slot> slots, SlotPlan plan, Set<String> connected, String seed) {
        Map<String, Slot> now = new LinkedHashMap<>();
        slots.forEach(slot -> now.put(slot.name(), slot));
        for (List<Change> changes : List.of(plan.outs(), plan.ins(), plan.frees())) {
            for (String command : commands(changes)) {
                String[] words = command.split("[ /]");
                if (!words[0].equals("set")) {
                    continue;
                }
                Slot slot = now.get(words[3]);
                now.put(slot.name(), played(slot, words, connected, seed));
            }
        }
        return List.copyOf(now.values());
    }

    private static Slot played(Slot slot, String[] words, Set<String> connected, String seed) {
        Endpoint at = slot.endpoint();
        int admin = slot.admin();
        int weight = slot.weight();
        switch (words[4]) {
            case "addr" -> {
                assertThat(slot.isInService()).as(seed).isFalse();
                assertThat(slot.isUnused() || !connected.contains(slot.name())).as(seed).isTrue();
                at = new Endpoint(InetAddress.ofLiteral(words[5]), Integer.parseInt(words[7]));
            }
            case "weight" -> weight = Integer.parseInt(words[5]);
            default ->
                    admin =
                            admin & 4
                                    | switch (words[5]) {
                                        case "maint" -> 1;
                                        case "drain" -> 8;
                                        default -> 0;
                                    };
        }
        return new Slot(
                slot.backendId(),
                slot.name(),
                at,
                admin,
                slot.operational(),
                weight,
                slot.sinceChange());
    }
}
