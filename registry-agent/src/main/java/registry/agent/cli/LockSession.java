package registry.agent.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import registry.api.client.RegistryClient.Answer;
import registry.api.json.Json;

/** The session that holds a lock, renewed twice in its TTL until it is closed. */
final class LockSession implements AutoCloseable {
    private static final Duration TTL = Duration.ofSeconds(15);

    /** How long one question is held; the answer to a lost lock does not wait for its end. */
    private static final String WAIT = "15s";

    private final AgentConnection agent;
    private final String id;
    private final Thread renewal;
    private volatile boolean ended;

    private LockSession(AgentConnection agent, String id) {
        this.agent = agent;
        this.id = id;
        this.renewal = Thread.ofVirtual().name("renew-session").start(this::renew);
    }

    static LockSession begin(AgentConnection agent, String name)
            throws Failure, InterruptedException {
        byte[] wanted = Json.write(Map.of("Name", name, "TTL", TTL.toSeconds() + "s"));
        Answer answer =
                agent.put("failed to create session", "/v1/session/create", new Query(), wanted);
        return new LockSession(agent, Json.tree(answer.body()).path("ID").asText());
    }

    String id() {
        return id;
    }

    /** Whether the servers have said that it is gone. */
    boolean hasEnded() {
        return ended;
    }

    private void renew() {
        try {
            while (!ended) {
                Thread.sleep(TTL.dividedBy(2));
                Answer answer = tryRenew();
                ended = answer != null && answer.status() == 404;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Null when the agent doesn't answer: the session may live on, so it is tried again. */
    private @Nullable Answer tryRenew() throws InterruptedException {
        try {
            return agent.send("", "PUT", "/v1/session/renew/" + id, new Query(), new byte[0]);
        } catch (Failure e) {
            return null;
        }
    }

    // What locks do with keys.

    /** Pairs below a prefix, or of one key; {@code index} 0 asks for now. */
    record Pairs(long index, JsonNode list) {}

    Pairs read(String path, boolean recurse, long index) throws Failure, InterruptedException {
        var query =
                new Query()
                        .add("consistent", "")
                        .addIf(recurse, "recurse", "")
                        .addIf(index != 0, "index", Long.toString(index))
                        .addIf(index != 0, "wait", WAIT);
        Answer answer = agent.send("failed to read lock", "GET", path, query, new byte[0]);
        if (answer.status() == 404) {
            return new Pairs(answer.index().orElse(0), Json.mapper().createArrayNode());
        }
        AgentConnection.expectOk("failed to read lock", answer);
        return new Pairs(answer.index().orElse(0), Json.tree(answer.body()));
    }

    /** Whether the write was done: false when its condition did not hold. */
    boolean write(String path, Query query, byte[] value) throws Failure, InterruptedException {
        return agent.put("failed to write lock", path, query, value).text().contains("true");
    }

    boolean delete(String path, Query query) throws Failure, InterruptedException {
        return agent.delete("failed to delete lock", path, query).text().contains("true");
    }

    static boolean hasFlags(JsonNode pair, String flags) {
        return pair.path("Flags").bigIntegerValue().toString().equals(flags);
    }

    static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    /** Ends the session; whatever goes wrong, its TTL does it. */
    @Override
    public void close() {
        ended = true;
        renewal.interrupt();
        try {
            agent.send("", "PUT", "/v1/session/destroy/" + id, new Query(), new byte[0]);
        } catch (Failure e) {
            // The TTL.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
