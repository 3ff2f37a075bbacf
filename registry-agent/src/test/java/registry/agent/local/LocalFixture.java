package registry.agent.local;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import registry.agent.check.Timers;
import registry.agent.config.AgentConfig.Definitions;
import registry.agent.config.CheckDefinition;
import registry.agent.config.ServiceDefinition;
import registry.api.Node;
import registry.api.Weights;
import registry.server.storage.NodeStore;

/** A local state on a real database, with servers in memory; opened and closed as an agent does. */
final class LocalFixture implements AutoCloseable {
    static final Definitions NOTHING = new Definitions(List.of(), List.of(), List.of());

    final NodeStore nodeStore;
    final LocalStore store;
    final LocalState state;

    LocalFixture(
            Path dir, FakeServers servers, Timers timers, LocalConfig config, Definitions files)
            throws IOException {
        nodeStore = NodeStore.open(dir);
        store = new LocalStore(nodeStore);
        state = new LocalState(config, store, servers, timers, new SplittableRandom(7));
        state.start(files);
    }

    static LocalFixture open(Path dir, FakeServers servers, Timers timers, Definitions files)
            throws IOException {
        return new LocalFixture(dir, servers, timers, config(Duration.ofMinutes(5)), files);
    }

    static LocalConfig config(Duration checkUpdateInterval) {
        return new LocalConfig(node(), checkUpdateInterval, 4096, false, false, true);
    }

    static Node node() {
        var addresses = new TreeMap<String, String>();
        addresses.put("lan", "10.0.0.1");
        addresses.put("lan_ipv4", "10.0.0.1");
        var meta = new TreeMap<String, String>();
        meta.put("consul-network-segment", "");
        return new Node(
                "11111111-2222-3333-4444-555555555501",
                "n1",
                "10.0.0.1",
                "dc1",
                addresses,
                meta,
                0,
                0);
    }

    static Definitions files(ServiceDefinition... services) {
        return new Definitions(List.of(services), List.of(), List.of());
    }

    static Definitions files(CheckDefinition... checks) {
        return new Definitions(List.of(), List.of(checks), List.of());
    }

    static ServiceDefinition service(String id, String name, CheckDefinition... checks) {
        return service(id, name, 80, List.of(), false, checks);
    }

    static ServiceDefinition service(
            String id,
            String name,
            int port,
            List<String> tags,
            boolean override,
            CheckDefinition... checks) {
        return new ServiceDefinition(
                id,
                name,
                tags,
                "",
                port,
                new TreeMap<>(),
                new TreeMap<>(),
                Weights.DEFAULT,
                override,
                "",
                "",
                List.of(checks));
    }

    @Override
    public void close() throws InterruptedException {
        state.close();
        store.close();
        nodeStore.close();
    }
}
