package registry.it.cluster;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;
import registry.it.Cluster;
import registry.it.Node;

/** Whether all servers hold the same, once nobody writes any more. */
final class Replicas {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final List<String> QUESTIONS =
            List.of(
                    "/v1/kv/?recurse&stale",
                    "/v1/catalog/nodes?stale",
                    "/v1/catalog/services?stale",
                    "/v1/health/state/any?stale",
                    "/v1/catalog/service/acknowledged?stale");

    private Replicas() {}

    /** What differs between the servers of {@code cluster}, in words. */
    static List<String> differences(Cluster cluster) {
        try {
            Awaitility.await()
                    .atMost(SOON)
                    .pollDelay(0, TimeUnit.MILLISECONDS)
                    .pollInterval(200, TimeUnit.MILLISECONDS)
                    .until(() -> now(cluster).isEmpty());
            return List.of();
        } catch (ConditionTimeoutException late) {
            return now(cluster);
        }
    }

    private static List<String> now(Cluster cluster) {
        var different = new ArrayList<String>();
        for (String question : QUESTIONS) {
            Map<String, String> answers = new TreeMap<>();
            for (Node server : cluster.servers()) {
                answers.put(server.name(), answer(server, question));
            }
            if (answers.values().stream().distinct().count() > 1) {
                different.add(question + ": " + answers);
            }
        }
        return different;
    }

    /** Index, length and sum of an answer. */
    private static String answer(Node server, String question) {
        try {
            var answer = server.client().get(question, PATIENCE);
            var sum = new CRC32();
            sum.update(answer.body());
            return "%d index %d, %d bytes, sum %08x%s"
                    .formatted(
                            answer.status(),
                            answer.index().orElse(0),
                            answer.body().length,
                            sum.getValue(),
                            answer.body().length < 3_000 ? " " + answer.text() : "");
        } catch (IOException e) {
            return "unreachable: " + e.getMessage();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "interrupted";
        }
    }
}
