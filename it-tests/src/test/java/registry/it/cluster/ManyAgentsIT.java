package registry.it.cluster;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import registry.it.Cluster;
import registry.it.Node;
import registry.it.NodeLogs;

/**
 * Three servers and as many client agents as fit, each a process of its own: {@code
 * registry.agents} (12).
 */
@Tag("soak")
@ExtendWith(NodeLogs.class)
final class ManyAgentsIT {
    private static final int CLIENTS = Integer.getInteger("registry.agents", 12);
    private static final Duration SOON = Duration.ofSeconds(5);

    @Test
    void theyFormOneClusterAndEachDeathIsSeenByAll() throws Exception {
        long began = System.nanoTime();
        try (Cluster cluster = Cluster.of(3).clients(CLIENTS).start()) {
            cluster.awaitMembers(3 + CLIENTS);
            System.out.printf(
                    "3 servers and %d clients know each other after %d ms%n",
                    CLIENTS, millisSince(began));
            Node server = cluster.awaitLeader();
            List<Long> seen = new ArrayList<>();
            List<Long> critical = new ArrayList<>();
            List<Node> alive = new ArrayList<>(cluster.nodes());
            for (Node victim : cluster.clients()) {
                alive.remove(victim);
                long death = System.nanoTime();
                victim.kill();
                seen.add(
                        Sightings.untilAllSee(alive, victim.name(), Sightings.FAILED, death)
                                .toMillis());
                await().atMost(10, SECONDS)
                        .pollDelay(Duration.ZERO)
                        .until(() ->
                                server.client()
                                        .get("/v1/health/state/critical", SOON)
                                        .text()
                                        .contains("\"Node\":\"" + victim.name() + "\""));
                critical.add(millisSince(death));
            }
            System.out.println("dead to all others after ms: " + seen);
            System.out.println("critical in the catalogue after ms: " + critical);
            cluster.awaitMembers(3);
            assertThat(cluster.endedByThemselves()).isEmpty();
        }
    }

    private static long millisSince(long begin) {
        return Duration.ofNanos(System.nanoTime() - begin).toMillis();
    }
}
