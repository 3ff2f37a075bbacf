package registry.it.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import registry.api.client.RegistryClient;

/**
 * New keys and new local services at every agent, turn and turn about: all that was acknowledged
 * must be there in the end, the services in the catalogue.
 */
final class Acknowledged extends Workload {
    private static final Duration PATIENCE = Duration.ofSeconds(4);
    private static final Duration PAUSE = Duration.ofMillis(50);
    private static final int SHOWN = 10;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final URI judge;
    private final AtomicLong numbers = new AtomicLong();
    private final Set<String> keys = ConcurrentHashMap.newKeySet();
    private final Set<String> services = ConcurrentHashMap.newKeySet();

    Acknowledged(List<URI> agents) {
        super(PATIENCE.multipliedBy(3));
        judge = agents.getFirst();
        agents.forEach(agent -> caller(agent, this::write));
    }

    int count() {
        return keys.size() + services.size();
    }

    private void write(RegistryClient client) throws InterruptedException {
        long number = numbers.incrementAndGet();
        String key = "acknowledged/" + number;
        String id = "acknowledged-" + number;
        if (number % 4 != 0) {
            put(client, "/v1/kv/" + key, "x", key, keys);
        } else {
            String service = "{\"Name\":\"acknowledged\",\"ID\":\"" + id + "\"}";
            put(client, "/v1/agent/service/register", service, id, services);
        }
    }

    private static void put(
            RegistryClient client, String path, String body, String name, Set<String> acknowledged)
            throws InterruptedException {
        try {
            if (client.put(path, body.getBytes(UTF_8), PATIENCE).status() == 200) {
                acknowledged.add(name);
                return;
            }
        } catch (IOException unanswered) {
            // Not acknowledged.
        }
        LockSupport.parkNanos(PAUSE.toNanos());
    }

    @Override
    List<String> violations() throws Exception {
        var missing = new ArrayList<String>();
        try (var client = new RegistryClient(judge, null)) {
            var present = new HashSet<String>();
            for (JsonNode key : ask(client, "/v1/kv/acknowledged?keys&consistent")) {
                present.add(key.asText());
            }
            for (JsonNode instance : ask(client, "/v1/catalog/service/acknowledged?consistent")) {
                present.add(instance.get("ServiceID").asText());
            }
            keys.stream().filter(key -> !present.contains(key)).forEach(missing::add);
            services.stream().filter(id -> !present.contains(id)).forEach(missing::add);
        }
        missing.replaceAll(name -> name + " was acknowledged and is lost");
        return missing.subList(0, Math.min(SHOWN, missing.size()));
    }

    private static JsonNode ask(RegistryClient client, String path) throws Exception {
        var answer = client.get(path, PATIENCE);
        return answer.status() == 404 ? JSON.createArrayNode() : JSON.readTree(answer.body());
    }
}
