package registry.agent.http;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import registry.agent.check.SystemTimers;
import registry.agent.config.AgentConfig;
import registry.agent.config.ConfigException;
import registry.agent.config.ConfigLoader;
import registry.agent.config.ConfigSources;
import registry.agent.local.LocalConfig;
import registry.agent.local.LocalState;
import registry.agent.local.LocalStore;
import registry.agent.metrics.JvmGauges;
import registry.agent.metrics.Metrics;
import registry.api.Node;
import registry.api.json.Json;
import registry.server.storage.NodeStore;

/** An HTTP API on a free port of the loopback, over servers that the test holds in its hand. */
final class TestApi implements AutoCloseable {
    final FakeServers servers = new FakeServers();
    final FakeMembers members = new FakeMembers();
    private final Path dataDir;
    private final NodeStore store;
    private final LocalStore localStore;
    private final SystemTimers timers = new SystemTimers();
    final LocalState local;
    final HttpApi http;
    final List<String> control = new ArrayList<>();
    final List<Consumer<String>> taps = new CopyOnWriteArrayList<>();

    private static final Duration HEARTBEAT = Duration.ofSeconds(15);

    /** All routes through one door, or each through its own. */
    enum Through {
        CORE,
        BEHIND,
        OWN;

        Route.Door of(Route route) {
            return switch (this) {
                case CORE -> route.door() == Route.Door.PLAIN ? Route.Door.WRITE : route.door();
                case BEHIND -> Route.Door.PLAIN;
                case OWN -> route.door();
            };
        }
    }

    private TestApi(Through through, AgentConfig config, Duration heartbeat) throws IOException {
        dataDir = Files.createTempDirectory("http-test-");
        store = NodeStore.open(dataDir);
        localStore = new LocalStore(store);
        local =
                new LocalState(
                        LocalConfig.of(config, "11111111-2222-3333-4444-555555555501"),
                        localStore,
                        servers,
                        timers,
                        new Random(1));
        local.load(config.definitions());
        http =
                new HttpApi(
                        config,
                        servers,
                        local,
                        checkId -> List.of(),
                        members,
                        new Control(),
                        new Metrics(config.telemetry(), "here", List.of(new JvmGauges())),
                        through::of,
                        heartbeat);
    }

    static TestApi start(Through through) throws IOException {
        return start(through, "{}");
    }

    /**
     * @param settings as a file would have them
     */
    static TestApi start(Through through, String settings) throws IOException {
        return start(through, settings, HEARTBEAT);
    }

    /**
     * @param heartbeat between two of a live answer
     */
    static TestApi start(Through through, String settings, Duration heartbeat) throws IOException {
        var api = new TestApi(through, config(settings), heartbeat);
        api.http.start();
        return api;
    }

    static AgentConfig config(String settings) {
        var flags = Json.mapper().createObjectNode();
        flags.put("server", true)
                .put("bootstrap_expect", 1)
                .put("data_dir", "/nonexistent/registry-test")
                .put("bind_addr", "127.0.0.1")
                .put("node_name", "n1");
        try {
            AgentConfig config =
                    ConfigLoader.load(
                                    new ConfigSources(
                                            false, List.of(), "", List.of(settings), flags))
                            .config();
            var ports = config.ports();
            return with(
                    config,
                    "ports",
                    new AgentConfig.Ports(
                            ports.dns(), 0, -1, ports.serfLan(), ports.serfWan(), ports.server()));
        } catch (ConfigException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** A copy of a record with one component changed. */
    static <T extends Record> T with(T record, String name, Object value) {
        RecordComponent[] components = record.getClass().getRecordComponents();
        try {
            var values = new Object[components.length];
            for (int at = 0; at < values.length; at++) {
                var accessor = components[at].getAccessor();
                accessor.setAccessible(true);
                values[at] =
                        components[at].getName().equals(name) ? value : accessor.invoke(record);
            }
            @SuppressWarnings("unchecked")
            var type = (Class<T>) record.getClass();
            var types =
                    Arrays.stream(components)
                            .map(RecordComponent::getType)
                            .toArray(Class<?>[]::new);
            return type.getDeclaredConstructor(types).newInstance(values);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    Wire wire() throws IOException {
        return new Wire(http.port());
    }

    /** One request on a connection of its own. */
    Wire.Response send(String method, String target, String... headers) throws IOException {
        return send(method, target, null, headers);
    }

    Wire.Response send(String method, String target, byte[] body, String... headers)
            throws IOException {
        try (Wire wire = wire()) {
            wire.request(method, target, body, headers);
            return wire.response(method);
        }
    }

    @Override
    public void close() {
        http.close();
        try {
            local.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        timers.close();
        localStore.close();
        store.close();
        servers.close();
        try (var files = Files.walk(dataDir)) {
            files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private final class Control implements AgentControl {
        @Override
        public void reload() {
            control.add("reload");
        }

        @Override
        public void leave() {
            control.add("leave");
        }

        @Override
        public SortedMap<String, SortedMap<String, String>> stats() {
            return new TreeMap<>();
        }

        @Override
        public AutoCloseable tapLog(String level, boolean json, Consumer<String> lines) {
            control.add("log " + level + (json ? " json" : ""));
            taps.add(lines);
            return () -> taps.remove(lines);
        }

        @Override
        public Node node() {
            return new Node(
                    "11111111-2222-3333-4444-555555555501",
                    "n1",
                    "127.0.0.1",
                    "dc1",
                    null,
                    new TreeMap<>(),
                    0,
                    0);
        }
    }
}
