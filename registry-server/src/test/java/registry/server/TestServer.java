package registry.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import registry.api.ApiException;
import registry.api.CatalogDeregistration;
import registry.api.CatalogRegistration;
import registry.api.KvWrite;
import registry.api.json.Json;
import registry.server.leader.Members;
import registry.server.raft.LocalConsensus;
import registry.server.rpc.Consistency;
import registry.server.rpc.Method;
import registry.server.rpc.Question;
import registry.server.rpc.Reply;
import registry.server.rpc.Servers;

/**
 * A server over {@link LocalConsensus} with short forms of what tests ask of it, and gossip by
 * hand.
 */
public final class TestServer implements AutoCloseable {
    /** Gossip by hand. */
    public static final class FakeMembers implements Members {
        private final Map<String, Peer> peers = new TreeMap<>();
        private final List<Runnable> listeners = new ArrayList<>();

        @Override
        public synchronized List<Peer> all() {
            return List.copyOf(peers.values());
        }

        @Override
        public synchronized void onChange(Runnable listener) {
            listeners.add(listener);
        }

        public void put(String name, String address, int rpcPort, State state) {
            put(name, address, rpcPort, state, "");
        }

        public void put(String name, String address, int rpcPort, State state, String id) {
            List<Runnable> told;
            synchronized (this) {
                peers.put(
                        name,
                        new Peer(
                                id,
                                name,
                                address,
                                rpcPort != 0,
                                rpcPort,
                                state,
                                new TreeMap<>(),
                                new TreeMap<>()));
                told = List.copyOf(listeners);
            }
            told.forEach(Runnable::run);
        }

        @Override
        public void publish(SortedMap<String, String> facts) {}

        public synchronized void forget(String name) {
            peers.remove(name);
            listeners.forEach(Runnable::run);
        }
    }

    public final FakeMembers members = new FakeMembers();
    public final AtomicLong nanos = new AtomicLong();
    public final LocalConsensus consensus;
    public final Server server;

    public TestServer() {
        this(Path.of("unused"));
    }

    public TestServer(Path dataDir) {
        var made = new LocalConsensus[1];
        server =
                new Server(
                        new ServerConfig(
                                dataDir,
                                "dc1",
                                "n1",
                                "",
                                "127.0.0.1",
                                8300,
                                1,
                                1,
                                1 << 20,
                                Duration.ofMinutes(15)),
                        LocalConsensus.into(made),
                        members,
                        nanos::get,
                        line -> {
                            throw new AssertionError(line);
                        });
        consensus = made[0];
    }

    /** Collects the one answer. */
    public static final class Answer extends CompletableFuture<Reply> implements Servers.Listener {
        @Override
        public void answered(Reply reply) {
            if (!complete(reply)) {
                throw new AssertionError("answered twice");
            }
        }

        @Override
        public void failed(ApiException error) {
            if (!completeExceptionally(error)) {
                throw new AssertionError("answered twice");
            }
        }
    }

    public boolean register(String json) {
        return server.call(
                Method.CATALOG_REGISTER,
                Json.read(json.getBytes(UTF_8), CatalogRegistration.class));
    }

    public boolean deregister(String json) {
        return server.call(
                Method.CATALOG_DEREGISTER,
                Json.read(json.getBytes(UTF_8), CatalogDeregistration.class));
    }

    public boolean put(String key, String value) {
        return kv(KvWrite.Verb.SET, key, value, 0, 0);
    }

    public boolean kv(KvWrite.Verb verb, String key, String value, long flags, long index) {
        return server.call(
                Method.KV_APPLY, new KvWrite(verb, key, value.getBytes(UTF_8), flags, index, null));
    }

    public Answer ask(Question question) {
        var answer = new Answer();
        server.ask(question, answer);
        return answer;
    }

    /**
     * @param params as {@code "tag=a"}, or a flag's name
     */
    public static Question question(
            String method, String name, long minIndex, Duration maxWait, String... params) {
        Map<String, List<String>> parsed = new TreeMap<>();
        for (String param : params) {
            String[] pair = param.split("=", 2);
            parsed.computeIfAbsent(pair[0], first -> new ArrayList<>())
                    .add(pair.length == 1 ? "" : pair[1]);
        }
        return new Question(method, name, parsed, Consistency.DEFAULT, minIndex, maxWait);
    }

    public Answer park(String method, String name, long minIndex, String... params) {
        return ask(question(method, name, minIndex, Duration.ofMinutes(5), params));
    }

    public Reply get(String method, String name, String... params) {
        return get(ask(question(method, name, 0, Duration.ZERO, params)));
    }

    public static Reply get(Answer answer) {
        return answer.orTimeout(10, TimeUnit.SECONDS).join();
    }

    public String text(String method, String name, String... params) {
        return new String(get(method, name, params).body(), UTF_8);
    }

    public long index(String method, String name, String... params) {
        return get(method, name, params).index();
    }

    /** The values of {@code field} in a list answer. */
    public List<String> list(String method, String name, String field, String... params) {
        List<String> values = new ArrayList<>();
        Json.tree(get(method, name, params).body())
                .forEach(row -> {
                    var node = row;
                    for (String part : Arrays.asList(field.split("/"))) {
                        node = node.path(part);
                    }
                    values.add(node.asText());
                });
        return values;
    }

    @Override
    public void close() {
        server.close();
    }
}
