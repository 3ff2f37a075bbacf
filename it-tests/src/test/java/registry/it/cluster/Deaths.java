package registry.it.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.time.LocalTime;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import registry.api.client.RegistryClient;
import registry.it.Cluster;

/** Nobody whom the test has left alone may be called dead in the catalogue, or vanish from it. */
final class Deaths extends Workload {
    private static final Duration PATIENCE = Duration.ofSeconds(4);
    private static final Duration PAUSE = Duration.ofMillis(100);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Weather weather;
    private final Set<String> names = new TreeSet<>();
    private final AtomicLong looks = new AtomicLong();

    /** Who was called dead by whom, and when first: the logs are to be read there. */
    private final Map<String, LocalTime> violations = new ConcurrentSkipListMap<>();

    private volatile Set<String> dead = Set.of();

    /**
     * @param agents whom to ask, by the name of the node
     */
    Deaths(Map<String, URI> agents, Weather weather) {
        super(PATIENCE.multipliedBy(2));
        this.weather = weather;
        names.addAll(agents.keySet());
        agents.forEach((name, agent) -> caller(agent, client -> look(client, name)));
    }

    static Deaths in(Cluster cluster, Weather weather) {
        var agents = new TreeMap<String, URI>();
        cluster.nodes().forEach(node -> agents.put(node.name(), node.client().agent()));
        return new Deaths(agents, weather);
    }

    long looks() {
        return looks.get();
    }

    /** Whom the last look saw dead. */
    Set<String> dead() {
        return dead;
    }

    private void look(RegistryClient client, String here) throws InterruptedException {
        LockSupport.parkNanos(PAUSE.toNanos());
        if (weather.isTroubled(here)) {
            return;
        }
        Set<String> before = troubled();
        try {
            var answer = client.get("/v1/health/state/any?consistent", PATIENCE);
            if (answer.status() != 200 || weather.isTroubled(here)) {
                return;
            }
            var alive = new HashSet<String>();
            for (JsonNode check : JSON.readTree(answer.body())) {
                if (check.get("CheckID").asText().equals("serfHealth")
                        && check.get("Status").asText().equals("passing")) {
                    alive.add(check.get("Node").asText());
                }
            }
            looks.incrementAndGet();
            var missing = new TreeSet<>(names);
            missing.removeAll(alive);
            dead = Set.copyOf(missing);
            missing.removeAll(before);
            missing.removeAll(troubled());
            for (String name : missing) {
                violations.putIfAbsent(
                        "%s was called dead, as %s saw it".formatted(name, here), LocalTime.now());
            }
        } catch (IOException unanswered) {
            // Says nothing of anybody.
        }
    }

    private Set<String> troubled() {
        var troubled = new TreeSet<>(names);
        troubled.removeIf(name -> !weather.isTroubled(name));
        return troubled;
    }

    @Override
    List<String> violations() {
        return violations.entrySet().stream()
                .map(seen -> "%s at %s".formatted(seen.getKey(), seen.getValue()))
                .toList();
    }
}
