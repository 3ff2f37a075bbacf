package registry.agent.local;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static registry.agent.local.LocalFixture.files;
import static registry.agent.local.LocalFixture.service;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import registry.agent.check.Ask;
import registry.agent.check.Checks;
import registry.agent.check.SystemTimers;
import registry.agent.config.AgentConfig.Definitions;
import registry.agent.local.LocalState.Source;
import registry.api.CatalogDeregistration;
import registry.api.HealthCheck;
import registry.api.json.Json;
import registry.server.Server;
import registry.server.ServerConfig;
import registry.server.cluster.ClusterConsensus;
import registry.server.leader.Members;
import registry.server.link.Hub;
import registry.server.raft.Applier;
import registry.server.raft.Consensus;
import registry.server.raft.RaftDisk;
import registry.server.rpc.Method;
import registry.server.rpc.Question;
import registry.server.rpc.Reply;
import registry.server.storage.NodeStore;

/** Local state and a server in one process over one database, as in an agent of a single node. */
class RealServerTest {
    private static final Definitions FILES =
            files(
                    service(
                            "web",
                            "web",
                            80,
                            List.of("a"),
                            false,
                            Checks.ttl("t", Duration.ofHours(1), "passing")));

    @TempDir Path dir;
    private NodeStore nodeStore;
    private Server server;
    private Hub hub;
    private SystemTimers timers;
    private LocalStore store;
    private LocalState state;

    @BeforeEach
    void open() throws IOException {
        nodeStore = NodeStore.open(dir);
        var config =
                new ServerConfig(
                        dir,
                        "dc1",
                        "n1",
                        LocalFixture.node().id(),
                        "10.0.0.1",
                        8300,
                        1,
                        1,
                        64 << 20,
                        Duration.ofMinutes(15));
        server =
                new Server(
                        config,
                        applier -> start(config, applier),
                        new Alone(),
                        System::nanoTime,
                        System.err::println);
        timers = new SystemTimers();
        store = new LocalStore(nodeStore);
        state =
                new LocalState(
                        LocalFixture.config(Duration.ofMinutes(5)),
                        store,
                        server,
                        timers,
                        new SplittableRandom(1));
        state.start(FILES);
    }

    private Consensus start(ServerConfig config, Applier applier) {
        try {
            RaftDisk disk = RaftDisk.open(nodeStore, config);
            hub = new Hub(disk::clusterId, List.of());
            return ClusterConsensus.start(disk, config, applier, hub, new Alone(), false);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @AfterEach
    void close() throws Exception {
        state.close();
        timers.close();
        store.close();
        server.close();
        hub.close();
        nodeStore.close();
    }

    private record Alone() implements Members {
        @Override
        public List<Peer> all() {
            return List.of();
        }

        @Override
        public void onChange(Runnable listener) {}

        @Override
        public void publish(SortedMap<String, String> facts) {}
    }

    @Test
    void restartAndIdenticalRegistrationMoveNoIndex() throws Exception {
        await().atMost(20, SECONDS).until(() -> status("t").equals("passing"));
        state.addService(
                service("api", "api", Checks.ttl("u", Duration.ofHours(1), "warning")),
                Source.API,
                false);
        long services = ask(Question.CATALOG_NODE_SERVICES).index();
        long checks = ask(Question.HEALTH_NODE).index();

        state.addService(
                service("api", "api", Checks.ttl("u", Duration.ofHours(1), "warning")),
                Source.API,
                false);
        close();
        open();
        await().atMost(20, SECONDS).until(() -> !server.leader().isEmpty());
        state.addService(service("other", "other"), Source.API, false);

        assertThat(ask(Question.HEALTH_NODE).index()).isEqualTo(checks);
        assertThat(indexOf("web")).isLessThanOrEqualTo(services);
        assertThat(indexOf("api")).isLessThanOrEqualTo(services);
    }

    @Test
    void deletedEntriesComeBack() throws Exception {
        await().atMost(20, SECONDS).until(() -> status("t").equals("passing"));
        server.call(Method.CATALOG_DEREGISTER, new CatalogDeregistration("dc1", "n1", "web", ""));
        await().atMost(20, SECONDS).until(() -> status("t").equals("passing"));
        server.call(Method.CATALOG_DEREGISTER, new CatalogDeregistration("dc1", "n1", "", "t"));
        await().atMost(20, SECONDS).until(() -> status("t").equals("passing"));
        server.call(Method.CATALOG_DEREGISTER, new CatalogDeregistration("dc1", "n1", "", ""));
        await().atMost(20, SECONDS).until(() -> status("t").equals("passing"));
    }

    private String status(String checkId) throws InterruptedException {
        if (server.leader().isEmpty()) {
            return "";
        }
        for (HealthCheck check : Json.read(ask(Question.HEALTH_NODE).body(), HealthCheck[].class)) {
            if (check.checkId().equals(checkId)) {
                return check.status();
            }
        }
        return "";
    }

    private long indexOf(String service) throws InterruptedException {
        for (var one : Json.tree(ask(Question.CATALOG_NODE_SERVICES).body()).path("Services")) {
            if (one.path("ID").asText().equals(service)) {
                return one.path("ModifyIndex").asLong();
            }
        }
        throw new AssertionError("no service " + service);
    }

    private Reply ask(String method) throws InterruptedException {
        return Ask.await(server, Question.now(method, "n1", Map.of()));
    }
}
