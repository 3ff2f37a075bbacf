package registry.it.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.awaitility.core.ConditionTimeoutException;
import registry.api.client.RegistryClient;

/**
 * New keys and new local services at every agent, and services that go again: whatever was
 * acknowledged must be so in the end. Keys at once; services when their agents have had the time in
 * which they promise to bring back what was lost.
 */
final class Acknowledged extends Workload {
    private static final Duration PATIENCE = Duration.ofSeconds(4);
    private static final Duration PAUSE = Duration.ofMillis(50);
    private static final Duration BROUGHT_BACK = Duration.ofSeconds(60);
    private static final int SERVICES_PER_AGENT = 100;
    private static final int SHOWN = 10;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final URI judge;
    private final Duration pace;
    private final AtomicLong numbers = new AtomicLong();
    private final Set<String> keys = ConcurrentHashMap.newKeySet();
    private final Set<String> services = ConcurrentHashMap.newKeySet();
    private final Set<String> removed = ConcurrentHashMap.newKeySet();

    private enum Result {
        ACKNOWLEDGED,
        UNKNOWN
    }

    /**
     * @param pace between two writes of an agent
     */
    Acknowledged(List<URI> agents, Duration pace) {
        super(PATIENCE.multipliedBy(3));
        judge = agents.getFirst();
        this.pace = pace;
        for (URI agent : agents) {
            Deque<String> own = new ArrayDeque<>();
            caller(agent, client -> write(client, own));
        }
    }

    /** Everything that was acknowledged until now. */
    long count() {
        return keys.size() + services.size() + 2L * removed.size();
    }

    private void write(RegistryClient client, Deque<String> own) throws InterruptedException {
        long number = numbers.incrementAndGet();
        if (number % 4 != 0) {
            String key = "acknowledged/" + number;
            if (put(client, "/v1/kv/" + key, "x") == Result.ACKNOWLEDGED) {
                keys.add(key);
            }
        } else if (own.size() < SERVICES_PER_AGENT) {
            String id = "acknowledged-" + number;
            String service = "{\"Name\":\"acknowledged\",\"ID\":\"" + id + "\"}";
            if (put(client, "/v1/agent/service/register", service) == Result.ACKNOWLEDGED) {
                services.add(id);
                own.add(id);
            }
        } else {
            String id = own.remove();
            services.remove(id);
            if (put(client, "/v1/agent/service/deregister/" + id, "") == Result.ACKNOWLEDGED) {
                removed.add(id);
            }
        }
        LockSupport.parkNanos(pace.toNanos());
    }

    private static Result put(RegistryClient client, String path, String body)
            throws InterruptedException {
        try {
            if (client.put(path, body.getBytes(UTF_8), PATIENCE).status() == 200) {
                return Result.ACKNOWLEDGED;
            }
        } catch (IOException unanswered) {
            // Not acknowledged, perhaps done.
        }
        LockSupport.parkNanos(PAUSE.toNanos());
        return Result.UNKNOWN;
    }

    @Override
    List<String> violations() throws Exception {
        try (var client = new RegistryClient(judge, null)) {
            var wrong = new ArrayList<>(missingKeys(client));
            try {
                org.awaitility.Awaitility.await()
                        .atMost(BROUGHT_BACK)
                        .pollDelay(0, TimeUnit.MILLISECONDS)
                        .pollInterval(250, TimeUnit.MILLISECONDS)
                        .until(() -> wrongServices(client).isEmpty());
            } catch (ConditionTimeoutException late) {
                wrong.addAll(wrongServices(client));
            }
            return wrong.subList(0, Math.min(SHOWN, wrong.size()));
        }
    }

    private List<String> missingKeys(RegistryClient client) throws Exception {
        var present = new HashSet<String>();
        for (JsonNode key : ask(client, "/v1/kv/acknowledged?keys&consistent")) {
            present.add(key.asText());
        }
        return keys.stream()
                .filter(key -> !present.contains(key))
                .map(key -> key + " was acknowledged and is lost")
                .toList();
    }

    private List<String> wrongServices(RegistryClient client) throws Exception {
        var present = new HashSet<String>();
        for (JsonNode instance : ask(client, "/v1/catalog/service/acknowledged?consistent")) {
            present.add(instance.get("ServiceID").asText());
        }
        var wrong = new ArrayList<String>();
        services.stream()
                .filter(id -> !present.contains(id))
                .forEach(id -> wrong.add(id + " was acknowledged and is lost"));
        removed.stream()
                .filter(present::contains)
                .forEach(id -> wrong.add(id + " was removed and is back"));
        return wrong;
    }

    private static JsonNode ask(RegistryClient client, String path) throws Exception {
        var answer = client.get(path, PATIENCE);
        if (answer.status() == 404) {
            return JSON.createArrayNode();
        }
        if (answer.status() != 200) {
            throw new IOException(path + ": " + answer.status() + " " + answer.text());
        }
        return JSON.readTree(answer.body());
    }
}
