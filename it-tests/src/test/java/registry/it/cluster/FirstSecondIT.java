package registry.it.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import registry.it.Cluster;
import registry.it.Node;
import registry.it.NodeLogs;

/**
 * The power goes in the first second of the life of new servers, or in the second after the first
 * write they have acknowledged: of one of them or of all at once. They always start again, as one
 * cluster, and know what they have acknowledged.
 */
@ExtendWith(NodeLogs.class)
final class FirstSecondIT {
    private static final Duration PATIENCE = Duration.ofSeconds(2);
    private static final int ALL_BUT_ONE = 3;

    @Test
    void serversThatLoseTheirPowerAtOnceStartAgain() throws Exception {
        cut(1);
    }

    @Tag("soak")
    @Test
    void serversThatLoseTheirPowerAtOnceStartAgainEachTime() throws Exception {
        cut(Integer.getInteger("registry.soak.rounds", 24));
    }

    private static void cut(int times) throws Exception {
        long seed = Long.getLong("registry.seed", System.nanoTime());
        var random = new Random(seed);
        System.out.println("first second: seed " + seed);
        int acknowledged = 0;
        for (int time = 0; time < times; time++) {
            try (Cluster cluster = Cluster.of(3).disks(64).prepare()) {
                // Of one in every fourth round, of all in the others.
                boolean one = time % (ALL_BUT_ONE + 1) == ALL_BUT_ONE;
                List<Node> victims =
                        one ? List.of(cluster.nodes().get(random.nextInt(3))) : cluster.nodes();
                acknowledged +=
                        cut(
                                cluster,
                                victims,
                                random.nextBoolean(),
                                random.nextInt(1_000),
                                "seed %d round %d".formatted(seed, time));
            }
        }
        System.out.printf(
                "first second: %d cuts, %d of all, %d writes acknowledged before, none lost, seed %d%n",
                times, times - times / (ALL_BUT_ONE + 1), acknowledged, seed);
    }

    private static int cut(
            Cluster cluster, List<Node> victims, boolean whenWritten, int afterMillis, String round)
            throws Exception {
        Set<String> acknowledged = ConcurrentHashMap.newKeySet();
        cluster.nodes().forEach(Node::spawn);
        var writers = new ArrayList<Thread>();
        for (Node node : cluster.nodes()) {
            writers.add(Thread.ofVirtual().start(() -> write(node, acknowledged)));
        }
        await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(5))
                .atMost(Duration.ofSeconds(60))
                .until(() ->
                        whenWritten
                                ? !acknowledged.isEmpty()
                                : victims.stream()
                                        .anyMatch(node -> Files.exists(node.agent().dataDir())));
        LockSupport.parkNanos(afterMillis * 1_000_000L);
        cluster.cutPower(victims);
        // A write that was sent before may be acknowledged, by those who have power, behind it.
        for (Thread writer : writers) {
            writer.interrupt();
            writer.join();
        }
        cluster.restart(victims);
        cluster.awaitLeader();
        cluster.awaitMembers(3);
        for (Node node : cluster.nodes()) {
            await().atMost(Duration.ofSeconds(20))
                    .ignoreExceptionsInstanceOf(IOException.class)
                    .untilAsserted(() -> assertThat(put(node, "after-" + node)).as(round).isTrue());
        }
        for (String key : acknowledged) {
            assertThat(
                            cluster.nodes()
                                    .getFirst()
                                    .client()
                                    .get("/v1/kv/" + key + "?consistent", Duration.ofSeconds(20))
                                    .status())
                    .as("%s: %s, acknowledged before the cut", round, key)
                    .isEqualTo(200);
        }
        assertThat(Replicas.differences(cluster)).as(round).isEmpty();
        return acknowledged.size();
    }

    private static void write(Node node, Set<String> acknowledged) {
        for (int number = 0; !Thread.currentThread().isInterrupted(); number++) {
            String key = "young/" + node + "-" + number;
            try {
                if (put(node, key)) {
                    acknowledged.add(key);
                }
            } catch (IOException notYet) {
                LockSupport.parkNanos(10_000_000);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private static boolean put(Node node, String key) throws IOException, InterruptedException {
        return node.client().put("/v1/kv/" + key, "x".getBytes(UTF_8), PATIENCE).isOk();
    }
}
