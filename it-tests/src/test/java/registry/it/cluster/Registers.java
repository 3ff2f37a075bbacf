package registry.it.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import registry.api.client.RegistryClient;
import registry.it.cluster.Operation.Action;
import registry.it.cluster.Operation.Outcome;

/**
 * Callers at every agent read consistently, write and swap a few keys, each key for so many calls;
 * then every key's history must be linearizable. A call without a clear answer counts as perhaps
 * done.
 */
final class Registers extends Workload {
    private static final int CALLERS_PER_AGENT = 2;
    private static final int CALLS_PER_KEY = 150;
    private static final int KEYS_AT_ONCE = 3;
    private static final Duration PATIENCE = Duration.ofSeconds(4);
    private static final Duration PAUSE = Duration.ofMillis(50);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Duration pace;
    private final AtomicLong calls = new AtomicLong();
    private final AtomicLong values = new AtomicLong();
    private final AtomicLong answered = new AtomicLong();
    private final Map<String, List<Operation>> histories = new ConcurrentHashMap<>();

    private record Found(String value, long index) {}

    /**
     * @param pace between two calls of one caller
     */
    Registers(List<URI> agents, long seed, Duration pace) {
        super(PATIENCE.multipliedBy(3));
        this.pace = pace;
        for (int i = 0; i < agents.size() * CALLERS_PER_AGENT; i++) {
            var random = new Random(seed + i);
            caller(agents.get(i % agents.size()), client -> call(client, random));
        }
    }

    /** Calls that have a clear answer. */
    long answered() {
        return answered.get();
    }

    /** Keys whose answers contradict each other. */
    @Override
    List<String> violations() {
        return histories.entrySet().stream()
                .filter(key -> !Linearizability.holds(key.getValue()))
                .map(key -> key.getKey() + " is not linearizable: " + key.getValue())
                .toList();
    }

    private void call(RegistryClient client, Random random) throws InterruptedException {
        long round = calls.getAndIncrement() / (CALLS_PER_KEY * KEYS_AT_ONCE);
        String key = "register/" + round + "-" + random.nextInt(KEYS_AT_ONCE);
        switch (random.nextInt(4)) {
            case 0 -> write(client, key);
            case 1 -> swap(client, key);
            default -> read(client, key);
        }
        LockSupport.parkNanos(pace.toNanos());
    }

    private Found read(RegistryClient client, String key) throws InterruptedException {
        long called = System.nanoTime();
        try {
            var answer = client.get("/v1/kv/" + key + "?consistent", PATIENCE);
            long returned = System.nanoTime();
            if (answer.status() != 200 && answer.status() != 404) {
                throw new IOException("no answer: " + answer.status());
            }
            var found = new Found(Operation.ABSENT, 0);
            if (answer.status() == 200) {
                JsonNode pair = JSON.readTree(answer.body()).get(0);
                byte[] value = Base64.getDecoder().decode(pair.get("Value").asText());
                found = new Found(new String(value, UTF_8), pair.get("ModifyIndex").asLong());
            }
            note(key, new Action.Read(found.value()), called, returned);
            return found;
        } catch (IOException unanswered) {
            // A read without an answer says nothing.
            LockSupport.parkNanos(PAUSE.toNanos());
            return new Found(Operation.ABSENT, -1);
        }
    }

    private void write(RegistryClient client, String key) throws InterruptedException {
        String value = "v" + values.incrementAndGet();
        long called = System.nanoTime();
        boolean answered = !put(client, key, value).isEmpty();
        note(key, new Action.Write(value), called, answered ? System.nanoTime() : Long.MAX_VALUE);
    }

    private void swap(RegistryClient client, String key) throws InterruptedException {
        Found found = read(client, key);
        if (found.index() < 0) {
            return;
        }
        String value = "v" + values.incrementAndGet();
        long called = System.nanoTime();
        String answer = put(client, key + "?cas=" + found.index(), value);
        long returned = answer.isEmpty() ? Long.MAX_VALUE : System.nanoTime();
        Outcome outcome =
                switch (answer) {
                    case "true" -> Outcome.DONE;
                    case "false" -> Outcome.REFUSED;
                    default -> Outcome.UNKNOWN;
                };
        note(key, new Action.Swap(found.value(), value, outcome), called, returned);
    }

    /** The answer's text, or nothing when it is not clear what has happened. */
    private static String put(RegistryClient client, String key, String value)
            throws InterruptedException {
        try {
            var answer = client.put("/v1/kv/" + key, value.getBytes(UTF_8), PATIENCE);
            if (answer.status() == 200) {
                return answer.text().strip();
            }
        } catch (IOException unanswered) {
            // Perhaps done.
        }
        LockSupport.parkNanos(PAUSE.toNanos());
        return "";
    }

    private void note(String key, Action action, long called, long returned) {
        List<Operation> history = histories.computeIfAbsent(key, first -> new ArrayList<>());
        synchronized (history) {
            history.add(new Operation(action, called, returned));
        }
        if (returned != Long.MAX_VALUE) {
            answered.incrementAndGet();
        }
    }
}
