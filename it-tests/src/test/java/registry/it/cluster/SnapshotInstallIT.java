package registry.it.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import registry.it.Cluster;
import registry.it.Node;
import registry.it.NodeLogs;

/**
 * A server that was away for longer than the others' logs reach back gets a snapshot: whoever waits
 * there is woken, and no index goes back.
 */
@ExtendWith(NodeLogs.class)
final class SnapshotInstallIT {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final Duration WAKE_UP = Duration.ofSeconds(15);
    private static final int VALUE_BYTES = 100_000;

    @Test
    void watchersOnAServerThatGetsASnapshotAreWoken() throws Exception {
        try (Cluster cluster =
                Cluster.of(3).clients(1).with("raft_snapshot_bytes", 65_536).start()) {
            Assumptions.assumeTrue(cluster.hasNetwork());
            Node leader = cluster.awaitLeader();
            Node away =
                    cluster.servers().stream()
                            .filter(node -> node != leader)
                            .findFirst()
                            .orElseThrow();
            List<URI> agents = new ArrayList<>(List.of(leader.client().agent()));
            cluster.nodes().stream()
                    .filter(node -> node != leader)
                    .map(node -> node.client().agent())
                    .forEach(agents::add);
            var weather = new Weather();
            try (var watchers = new Watchers(agents, weather, WAKE_UP)) {
                watchers.start();
                awaitRounds(watchers);

                weather.trouble(List.of(away));
                cluster.isolate(away);
                fillLog(leader);
                cluster.heal();
                await().atMost(SOON).until(() -> loaded(away) == 1);
                await().atMost(SOON).until(cluster::allKnowAll);
                weather.calm();
                awaitRounds(watchers);

                weather.trouble(List.of(away));
                away.kill();
                fillLog(leader);
                away.restart();
                await().atMost(SOON).until(cluster::allKnowAll);
                weather.calm();
                awaitRounds(watchers);

                watchers.stop();
                assertThat(watchers.violations()).isEmpty();
                assertThat(Replicas.differences(cluster)).isEmpty();
                System.out.printf("snapshots: %d rounds of watchers%n", watchers.rounds());
            }
        }
    }

    /** Some megabytes of log for one megabyte of state. */
    private static void fillLog(Node leader) throws Exception {
        var random = new Random(1);
        for (int i = 0; i < 80; i++) {
            var value = new byte[VALUE_BYTES];
            random.nextBytes(value);
            assertThat(leader.client().put("/v1/kv/fill/" + i % 10, value, SOON).isOk()).isTrue();
        }
    }

    private static long loaded(Node node) {
        return node.agent().log().lines().filter(line -> line.contains("snapshot loaded")).count();
    }

    private static void awaitRounds(Watchers watchers) {
        long rounds = watchers.rounds();
        await().atMost(WAKE_UP.multipliedBy(3)).until(() -> watchers.rounds() > rounds + 2);
    }
}
