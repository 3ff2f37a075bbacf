package registry.it.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import registry.it.Cluster;
import registry.it.NodeLogs;

/** Three servers and two clients at work while everything happens to them that may. */
@ExtendWith(NodeLogs.class)
final class MixIT {
    /** A wake-up within this is not lost; the queries are held for 40 s. */
    private static final Duration WAKE_UP = Duration.ofSeconds(15);

    private static final Duration PACE = Duration.ofMillis(20);

    @Test
    void oneOfEach() throws Exception {
        List<Trouble> troubles = new ArrayList<>(everywhere());
        // Each of these is a start of all that another one has too, or takes its time.
        troubles.removeAll(
                List.of(Trouble.KILL_ALL, Trouble.KILL_CLIENT, Trouble.FREEZE_ANY, Trouble.DELAY));
        mix(Cluster.of(3), troubles, 1, Duration.ofSeconds(4));
    }

    @Tag("soak")
    @Test
    void manyOfEach() throws Exception {
        mix(Cluster.of(3), chosen(), rounds(), longest());
    }

    /** Nothing that is promised hangs on the time of day. */
    @Tag("soak")
    @Test
    void clocksAreWrong() throws Exception {
        List<Trouble> troubles =
                List.of(
                        Trouble.WRONG_CLOCKS,
                        Trouble.KILL_LEADER,
                        Trouble.WRONG_CLOCKS,
                        Trouble.KILL_ALL,
                        Trouble.WRONG_CLOCKS,
                        Trouble.CUT_OFF_LEADER);
        mix(Cluster.of(3).clocks(), troubles, rounds(), longest());
    }

    private static int rounds() {
        return Integer.getInteger("registry.soak.rounds", 10);
    }

    private static Duration longest() {
        return Duration.ofSeconds(Integer.getInteger("registry.soak.longest", 12));
    }

    /** All, or those that {@code registry.soak.troubles} names. */
    private static List<Trouble> chosen() {
        String names = System.getProperty("registry.soak.troubles", "");
        return names.isEmpty()
                ? everywhere()
                : Arrays.stream(names.split(",")).map(Trouble::valueOf).toList();
    }

    private static List<Trouble> everywhere() {
        return Arrays.stream(Trouble.values()).filter(Trouble::isEverywhere).toList();
    }

    private static void mix(Cluster.Plan plan, List<Trouble> kinds, int rounds, Duration longest)
            throws Exception {
        long seed = Long.getLong("registry.seed", System.nanoTime());
        var random = new Random(seed);
        System.out.println("mix: seed " + seed);
        try (Cluster cluster = plan.clients(2).disks(192).start()) {
            Assumptions.assumeTrue(cluster.hasNetwork());
            Assumptions.assumeTrue(
                    cluster.hasClocks() || !kinds.contains(Trouble.WRONG_CLOCKS),
                    "no C compiler here, so no clocks");
            List<URI> agents = cluster.nodes().stream().map(node -> node.client().agent()).toList();
            var weather = new Weather();
            try (var registers = new Registers(agents, seed, PACE);
                    var acknowledged = new Acknowledged(agents, PACE);
                    var locks = new Locks("a", agents, seed);
                    var otherLocks = new Locks("b", agents, seed + agents.size());
                    var watchers = new Watchers(agents, weather, WAKE_UP);
                    var deaths = Deaths.in(cluster, weather)) {
                var maker = new TroubleMaker(cluster, weather, deaths, random, longest);
                List<Workload> all =
                        List.of(registers, acknowledged, locks, otherLocks, watchers, deaths);
                all.forEach(Workload::start);
                for (int round = 0; round < rounds; round++) {
                    var troubles = new ArrayList<>(kinds);
                    Collections.shuffle(troubles, random);
                    for (Trouble trouble : troubles) {
                        maker.make(trouble);
                        awaitRounds(watchers);
                    }
                }
                for (Workload workload : all) {
                    workload.stop();
                }
                System.out.printf(
                        "%smix: %d calls on registers, %d acknowledged, %d holds of locks, %d of them ended by their session, "
                                + "%d rounds of watchers, %d looks for the dead, seed %d%n",
                        maker.figures(),
                        registers.answered(),
                        acknowledged.count(),
                        locks.count() + otherLocks.count(),
                        locks.invalidated() + otherLocks.invalidated(),
                        watchers.rounds(),
                        deaths.looks(),
                        seed);
                var violations = new ArrayList<>(maker.violations());
                for (Workload workload : all) {
                    violations.addAll(workload.violations());
                }
                if (!cluster.endedByThemselves().isEmpty()) {
                    violations.add(cluster.endedByThemselves() + " ended by themselves");
                }
                violations.addAll(Replicas.differences(cluster));
                assertThat(violations).as("seed %d", seed).isEmpty();
            }
        }
    }

    /** A lost wake-up shows when nothing else happens. */
    private static void awaitRounds(Watchers watchers) {
        long rounds = watchers.rounds();
        await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(20))
                .atMost(WAKE_UP.multipliedBy(3))
                .until(() -> watchers.rounds() > rounds + 2);
    }
}
