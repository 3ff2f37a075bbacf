package registry.it.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import registry.it.Cluster;
import registry.it.Launcher;
import registry.it.Node;

/**
 * Failure detection over minutes, with eight nodes: {@code registry.gossip.minutes} (10) for each
 * trouble, {@code registry.gossip.rounds} (20) deaths.
 */
@Tag("soak")
final class GossipSoakIT {
    private static final int MINUTES = Integer.getInteger("registry.gossip.minutes", 10);
    private static final int ROUNDS = Integer.getInteger("registry.gossip.rounds", 20);
    private static final String KEY = "pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s=";
    private static final Duration SETTLED = Duration.ofSeconds(5);

    private static Cluster eight() {
        Cluster cluster = Cluster.of(3).clients(5).with("encrypt", KEY).start();
        Assumptions.assumeTrue(cluster.hasNetwork());
        cluster.awaitMembers(8);
        return cluster;
    }

    private static void pass(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        while (System.nanoTime() < end) {
            LockSupport.parkNanos(end - System.nanoTime());
        }
    }

    private static List<Node> others(Cluster cluster, Node but) {
        var others = new ArrayList<>(cluster.nodes());
        others.remove(but);
        return others;
    }

    /**
     * Nobody dies; how many are called dead. Who calls a node dead is counted too: one such view
     * counts seven times.
     */
    @ParameterizedTest
    @ValueSource(ints = {0, 10, 20, 30})
    void healthyNodesAreNotCalledDeadUnderLoss(int percent) {
        try (Cluster cluster = eight()) {
            var sightings = new Sightings(cluster);
            cluster.loseEverywhere(percent);
            pass(Duration.ofMinutes(MINUTES));
            Map<String, Integer> dead = sightings.calledDead();
            report("%d %% lost each way: called dead".formatted(percent), dead);
            int allowed = percent < 30 ? 0 : (int) Math.ceil(8 * MINUTES / 60.0);
            assertThat(dead.size()).as(dead.toString()).isLessThanOrEqualTo(allowed);
        }
    }

    @Test
    void healthyNodesAreNotCalledDeadWhenUdpIsBlocked() {
        try (Cluster cluster = eight()) {
            var sightings = new Sightings(cluster);
            cluster.blockUdp();
            pass(Duration.ofMinutes(MINUTES));
            Map<String, Integer> dead = sightings.calledDead();
            report("UDP blocked: called dead", dead);
            assertThat(dead).isEmpty();
        }
    }

    @Test
    void healthyNodesAreNotCalledDeadAtATenthOfACore() throws Exception {
        try (Cluster cluster = eight();
                var brakes = new Brakes(cluster.nodes(), 10)) {
            brakes.hold();
            pass(SETTLED);
            var sightings = new Sightings(cluster);
            pass(Duration.ofMinutes(MINUTES));
            Map<String, Integer> dead = sightings.calledDead();
            report("a tenth of a core each: called dead", dead);
            assertThat(dead).isEmpty();
        }
    }

    @Test
    void whoIsPausedAccusesNobody() throws Exception {
        try (Cluster cluster = eight()) {
            for (int round = 0; round < ROUNDS / 2; round++) {
                Node paused = cluster.nodes().get(round % 8);
                var sightings = new Sightings(cluster);
                paused.pause();
                pass(Duration.ofSeconds(10));
                paused.resume();
                Duration back =
                        Sightings.untilAllSee(
                                cluster.nodes(), paused.name(), Sightings.ALIVE, System.nanoTime());
                cluster.awaitMembers(8);
                report("10 s pause of " + paused + ": back after ms", back.toMillis());
                assertThat(sightings.calledDead().keySet()).isSubsetOf(paused.name());
                pass(SETTLED);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 20})
    void theDeadAreSeen(int percent) throws Exception {
        try (Cluster cluster = eight()) {
            cluster.loseEverywhere(percent);
            var killed = new ArrayList<Duration>();
            var frozen = new ArrayList<Duration>();
            for (int round = 0; round < ROUNDS; round++) {
                Node victim = cluster.clients().get(round % 5);
                long began = System.nanoTime();
                victim.agent().process().destroyForcibly();
                killed.add(
                        Sightings.untilAllSee(
                                others(cluster, victim), victim.name(), Sightings.FAILED, began));
                victim.kill();
                victim.restart();
                cluster.awaitMembers(8);
                pass(SETTLED);
                began = System.nanoTime();
                victim.pause();
                frozen.add(
                        Sightings.untilAllSee(
                                others(cluster, victim), victim.name(), Sightings.FAILED, began));
                victim.resume();
                cluster.awaitMembers(8);
                pass(SETTLED);
            }
            report("%d %% lost: kill -9 seen by all after ms".formatted(percent), sorted(killed));
            report("%d %% lost: freeze seen by all after ms".formatted(percent), sorted(frozen));
            assertThat(sorted(killed).get(ROUNDS / 2)).isLessThan(percent == 0 ? 500L : 4_000L);
            assertThat(sorted(frozen).getLast()).isLessThan(percent == 0 ? 5_000L : 8_000L);
        }
    }

    private static List<Long> sorted(List<Duration> times) {
        return times.stream().map(Duration::toMillis).sorted().toList();
    }

    /** Figures only: bytes of gossip on the wire and CPU of five idle nodes. */
    @Test
    void whatIdleGossipCosts() throws Exception {
        try (Cluster cluster = Cluster.of(3).clients(2).with("encrypt", KEY).start()) {
            Assumptions.assumeTrue(cluster.hasNetwork());
            cluster.awaitMembers(5);
            pass(Duration.ofSeconds(30));
            for (Node node : cluster.nodes()) {
                in(
                        node,
                        "nft add table inet bill; nft 'add chain inet bill out { type filter hook output priority 0; }';"
                                + " nft add rule inet bill out udp dport 8301 counter;"
                                + " nft add rule inet bill out tcp dport 8301 counter;"
                                + " nft add rule inet bill out tcp sport 8301 counter");
            }
            List<Duration> before =
                    cluster.nodes().stream().map(node -> node.agent().figures().cpu()).toList();
            pass(Duration.ofSeconds(60));
            for (int i = 0; i < before.size(); i++) {
                Node node = cluster.nodes().get(i);
                Duration cpu = node.agent().figures().cpu().minus(before.get(i));
                report(
                        node + ": CPU of 60 s in ms, resident MiB, sent by gossip",
                        cpu.toMillis()
                                + ", "
                                + (node.agent().figures().residentBytes() >> 20)
                                + ", "
                                + in(node, "nft list table inet bill | grep -o 'udp.*\\|tcp.*'")
                                        .replace('\n', ' '));
            }
        }
    }

    private static String in(Node node, String line) {
        var command = new ArrayList<>(node.entry());
        command.addAll(List.of("env", "PATH=/usr/sbin:/sbin:/usr/bin:/bin", "sh", "-c", line));
        return Launcher.run(command, Map.of(), "").all();
    }

    private static void report(String what, Object figure) {
        System.out.printf("gossip: %s: %s%n", what, figure);
    }

    /** Holds each process to a part of a core, by a control group of its own. */
    private static final class Brakes implements AutoCloseable {
        private static final Path ROOT = Path.of("/sys/fs/cgroup/cpu");
        private static final int PERIOD_MICROS = 100_000;

        private final List<Path> groups = new ArrayList<>();
        private final List<Node> nodes;
        private final int percent;

        Brakes(List<Node> nodes, int percent) {
            Assumptions.assumeTrue(Files.isWritable(ROOT), "no control groups of version 1");
            this.nodes = nodes;
            this.percent = percent;
        }

        void hold() throws IOException {
            for (Node node : nodes) {
                Path group =
                        Files.createDirectory(ROOT.resolve("registry-it-" + node.agent().pid()));
                groups.add(group);
                Files.writeString(
                        group.resolve("cpu.cfs_period_us"), Integer.toString(PERIOD_MICROS));
                Files.writeString(
                        group.resolve("cpu.cfs_quota_us"),
                        Integer.toString(PERIOD_MICROS * percent / 100));
                Files.writeString(group.resolve("cgroup.procs"), Long.toString(node.agent().pid()));
            }
        }

        @Override
        public void close() throws IOException {
            for (Path group : groups) {
                for (String pid : Files.readAllLines(group.resolve("cgroup.procs"))) {
                    Files.writeString(ROOT.resolve("cgroup.procs"), pid);
                }
                Files.delete(group);
            }
        }
    }
}
