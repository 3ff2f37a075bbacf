package registry.it;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.awaitility.Awaitility;
import registry.api.client.RegistryClient;

/**
 * Writes as fast as the agent answers, from several threads, and remembers what was acknowledged:
 * catalogue registrations, local service registrations and keys, a third each. Every thread is the
 * only writer of its names, so that a value older than the last acknowledged one is a loss too.
 */
final class RegistrationLoad implements AutoCloseable {
    private static final int THREADS = 12;
    private static final int SHOWN = 10;
    private static final Duration PAUSE = Duration.ofMillis(5);
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    /** Names per thread: each gets its next number again and again, as re-registrations do. */
    private static final int NAMES = 60;

    private static final String CATALOG =
            "{'Node':'load%s','Address':'10.0.0.1','Service':{'Service':'load','ID':'%s','Meta':{'number':'%d'}}}";
    private static final String LOCAL = "{'Name':'local','ID':'%s','Meta':{'number':'%d'}}";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final LauncherProcess agent;
    private final AtomicInteger acknowledged = new AtomicInteger();

    /** Last acknowledged number by "kind/name". */
    private final Map<String, Integer> last = new ConcurrentHashMap<>();

    private final List<Thread> threads = new ArrayList<>();
    private final int[] next = new int[THREADS];
    private volatile boolean running;

    RegistrationLoad(LauncherProcess agent) {
        this.agent = agent;
    }

    void start() {
        running = true;
        for (int i = 0; i < THREADS; i++) {
            int id = i;
            threads.add(Thread.ofPlatform().name("load-" + id).start(() -> write(id)));
        }
    }

    /** Ends all writers; their last write may or may not have been acknowledged. */
    void stop() throws InterruptedException {
        running = false;
        for (Thread thread : threads) {
            thread.join();
        }
        threads.clear();
    }

    int acknowledged() {
        return acknowledged.get();
    }

    /** Waits for {@code count} acknowledgements from now on. */
    void awaitMore(int count) {
        int until = acknowledged.get() + count;
        Awaitility.await()
                .pollDelay(0, TimeUnit.MILLISECONDS)
                .pollInterval(2, TimeUnit.MILLISECONDS)
                .atMost(60, TimeUnit.SECONDS)
                .until(() -> acknowledged.get() >= until);
    }

    /**
     * What was acknowledged and is not to be read any more, in words; not all of it when it is
     * much.
     */
    List<String> missing() throws IOException, InterruptedException {
        var missing = new ArrayList<String>();
        Map<String, Integer> present = present();
        last.forEach((name, number) -> {
            Integer there = present.get(name);
            if (there == null || there < number) {
                missing.add(name + ": acknowledged " + number + ", found " + there);
            }
        });
        if (missing.size() <= SHOWN) {
            return missing;
        }
        var some = new ArrayList<>(missing.subList(0, SHOWN));
        some.add("... " + missing.size() + " of " + last.size() + " in all");
        return some;
    }

    /** Numbers as the agent shows them now; a local service must be in the catalogue too. */
    private Map<String, Integer> present() throws IOException, InterruptedException {
        var present = new ConcurrentHashMap<String, Integer>();
        for (JsonNode pair : read("/v1/kv/load/?recurse")) {
            String key = pair.get("Key").asText();
            String value =
                    new String(
                            java.util.Base64.getDecoder().decode(pair.get("Value").asText()),
                            StandardCharsets.UTF_8);
            present.put("kv/" + key.substring("load/".length()), Integer.parseInt(value));
        }
        for (JsonNode instance : read("/v1/catalog/service/load")) {
            present.put(
                    "catalog/" + instance.get("ServiceID").asText(),
                    instance.get("ServiceMeta").get("number").asInt());
        }
        JsonNode local = read("/v1/agent/services");
        for (JsonNode instance : read("/v1/catalog/service/local")) {
            String id = instance.get("ServiceID").asText();
            if (local.has(id)) {
                present.put("local/" + id, instance.get("ServiceMeta").get("number").asInt());
            }
        }
        return present;
    }

    private JsonNode read(String path) throws IOException, InterruptedException {
        var answer = agent.client().get(path, PATIENCE);
        return answer.status() == 404 ? JSON.createArrayNode() : JSON.readTree(answer.body());
    }

    /** One thread's writes until it is stopped; while nobody listens it tries again. */
    private void write(int id) {
        try (var client = new RegistryClient(agent.client().agent(), null)) {
            while (running) {
                try {
                    writeNext(client, id);
                } catch (IOException gone) {
                    // Not yet up, or killed: this write stays without an answer.
                    LockSupport.parkNanos(PAUSE.toNanos());
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void writeNext(RegistryClient client, int id) throws IOException, InterruptedException {
        int number = ++next[id];
        String name = id + "-" + (number / 3) % NAMES;
        switch (number % 3) {
            case 0 ->
                    put(
                            client,
                            "kv/" + name,
                            number,
                            "/v1/kv/load/" + name,
                            Integer.toString(number));
            case 1 ->
                    put(
                            client,
                            "catalog/" + name,
                            number,
                            "/v1/catalog/register",
                            CATALOG.formatted(name, name, number));
            default ->
                    put(
                            client,
                            "local/" + name,
                            number,
                            "/v1/agent/service/register",
                            LOCAL.formatted(name, number));
        }
    }

    private void put(RegistryClient client, String name, int number, String path, String body)
            throws IOException, InterruptedException {
        var answer =
                client.put(
                        path, body.replace('\'', '"').getBytes(StandardCharsets.UTF_8), PATIENCE);
        if (answer.status() == 200) {
            last.put(name, number);
            acknowledged.incrementAndGet();
        }
    }

    @Override
    public void close() throws InterruptedException {
        stop();
    }
}
