package registry.server.faults;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import registry.api.ApiException;
import registry.api.json.Json;
import registry.server.rpc.Consistency;
import registry.server.rpc.Question;
import registry.server.rpc.Reply;
import registry.server.rpc.Servers;

/**
 * What a server said of a key, or of all keys: then of the one that changed last.
 *
 * @param index that of the answer
 * @param modified that of the key itself; 0 when it is absent
 * @param value empty text when it is absent
 */
record Answer(long index, long modified, String value) {
    /** The whole store, where a key is asked for. */
    static final String ALL = "";

    /** Asks a server, and waits. */
    static Answer of(Life server, String key, Consistency consistency, long minIndex, Duration wait)
            throws Exception {
        var reply = new Future();
        Servers.Held held =
                server.ask(
                        new Question(
                                Question.KV_GET, key, params(key), consistency, minIndex, wait),
                        reply);
        try {
            return read(reply.get(wait.toMillis() + 5_000, TimeUnit.MILLISECONDS));
        } finally {
            held.drop();
        }
    }

    private static Answer read(Reply reply) {
        if (!reply.found()) {
            return new Answer(reply.index(), 0, Operation.ABSENT);
        }
        Answer last = new Answer(reply.index(), 0, Operation.ABSENT);
        for (JsonNode pair : Json.tree(reply.body())) {
            long modified = pair.get("ModifyIndex").asLong();
            if (modified > last.modified) {
                last = new Answer(reply.index(), modified, value(pair));
            }
        }
        return last;
    }

    private static String value(JsonNode pair) {
        try {
            return new String(pair.get("Value").binaryValue(), UTF_8).strip();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Map<String, List<String>> params(String key) {
        return key.equals(ALL) ? Map.of("recurse", List.of("")) : Map.of();
    }

    private static final class Future extends CompletableFuture<Reply> implements Servers.Listener {
        @Override
        public void answered(Reply reply) {
            complete(reply);
        }

        @Override
        public void failed(ApiException error) {
            completeExceptionally(error);
        }
    }
}
