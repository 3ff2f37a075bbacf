package registry.it.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import registry.it.Cluster;
import registry.it.Node;

/** What nodes say of each other's lives. */
final class Sightings {
    static final int ALIVE = 1;
    static final int LEFT = 3;
    static final int FAILED = 4;

    private static final Duration ASK = Duration.ofSeconds(2);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration PAUSE = Duration.ofMillis(5);
    private static final Pattern GONE = Pattern.compile("member gone: node=(\\S+)");
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Cluster cluster;
    private final Map<Node, Integer> read = new ConcurrentHashMap<>();

    Sightings(Cluster cluster) {
        this.cluster = cluster;
        forgetLogs();
    }

    /** The status that a node gives another; 0 when it knows nothing. */
    static int statusOf(Node seenBy, String name) {
        try {
            for (JsonNode member :
                    JSON.readTree(seenBy.client().get("/v1/agent/members", ASK).body())) {
                if (member.path("Name").asText().equals(name)) {
                    return member.path("Status").asInt();
                }
            }
            return 0;
        } catch (IOException unreachable) {
            return -1;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return -1;
        }
    }

    /**
     * How long it takes from {@code since} until each of these nodes gives the other this status.
     */
    static Duration untilAllSee(Collection<Node> seers, String name, int status, long since)
            throws InterruptedException {
        Map<Node, Long> seen = new ConcurrentHashMap<>();
        List<Thread> askers =
                seers.stream()
                        .map(seer ->
                                Thread.startVirtualThread(() -> {
                                    long deadline = since + PATIENCE.toNanos();
                                    while (System.nanoTime() < deadline) {
                                        if (statusOf(seer, name) == status) {
                                            seen.put(seer, System.nanoTime());
                                            return;
                                        }
                                        LockSupport.parkNanos(PAUSE.toNanos());
                                    }
                                }))
                        .toList();
        for (Thread asker : askers) {
            asker.join();
        }
        if (seen.size() < seers.size()) {
            throw new AssertionError(
                    "not all give %s status %d, only %s".formatted(name, status, seen.keySet()));
        }
        return Duration.ofNanos(
                seen.values().stream().mapToLong(Long::longValue).max().orElse(since) - since);
    }

    /** Who of the cluster's nodes were called dead since the last call, and how often, by name. */
    Map<String, Integer> calledDead() {
        Map<String, Integer> dead = new TreeMap<>();
        for (Node node : cluster.nodes()) {
            String log = node.agent().log();
            Matcher gone = GONE.matcher(log.substring(read.getOrDefault(node, 0)));
            while (gone.find()) {
                dead.merge(gone.group(1), 1, Integer::sum);
            }
            read.put(node, log.length());
        }
        return dead;
    }

    void forgetLogs() {
        cluster.nodes().forEach(node -> read.put(node, node.agent().log().length()));
    }
}
