package registry.agent;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.agent.check.SystemTimers;
import registry.agent.config.AgentConfig;
import registry.agent.config.ConfigException;
import registry.agent.config.ConfigLoader;
import registry.agent.config.ConfigSources;
import registry.agent.config.LoadedConfig;
import registry.agent.dns.DnsServer;
import registry.agent.gossip.GossipConfig;
import registry.agent.gossip.JGroupsMembership;
import registry.agent.gossip.Membership;
import registry.agent.http.AgentControl;
import registry.agent.http.HttpApi;
import registry.agent.local.LocalConfig;
import registry.agent.local.LocalState;
import registry.agent.local.LocalStore;
import registry.agent.metrics.ClusterGauges;
import registry.agent.metrics.JvmGauges;
import registry.agent.metrics.MeteredServers;
import registry.agent.metrics.Metrics;
import registry.agent.metrics.StateGauges;
import registry.agent.watch.Watches;
import registry.api.ApiException;
import registry.api.Node;
import registry.server.Server;
import registry.server.ServerConfig;
import registry.server.raft.Applier;
import registry.server.raft.Consensus;
import registry.server.raft.JraftConsensus;
import registry.server.storage.NodeStore;

/**
 * One node: opens its parts in the order in which they need each other, and closes them in the
 * opposite one. Signals and the API end it through {@link #stop}.
 */
public final class Agent implements AgentControl, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Agent.class);

    private final ConfigSources sources;
    private final AgentConfig config;
    private final CompletableFuture<Boolean> stopped = new CompletableFuture<>();
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();
    private final Node node;
    private final Membership membership;
    private final Server server;
    private final LocalState local;
    private final HttpApi http;
    private final DnsServer dns;
    private final Watches watches;

    /**
     * Runs an agent until a signal or the API ends it.
     *
     * @return the exit code: 0 after a graceful leave, else 1, as Consul's
     * @throws ConfigException when it can't start so: configuration, data directory or a port; the
     *     message is for the user
     */
    public static int run(ConfigSources sources) throws ConfigException {
        LoadedConfig loaded = ConfigLoader.load(sources);
        AgentConfig config = loaded.config();
        requireAvailable(config);
        System.out.println("==> Starting Consul agent...");
        try (var agent = new Agent(sources, config)) {
            new Signals(agent, !config.skipLeaveOnInterrupt(), config.leaveOnTerminate()).install();
            Banner.print(System.out, config, agent.node);
            AgentLog.configure(config.logLevel(), config.logJson(), config.logFile());
            loaded.warnings().forEach(warning -> log.warn("{}", warning));
            agent.start();
            boolean gracefully = agent.stopped.join();
            if (gracefully) {
                agent.membership.leave();
            }
            log.info("stopping: graceful={}", gracefully);
            return gracefully ? 0 : 1;
        } catch (IOException | UncheckedIOException e) {
            throw new ConfigException("Error starting agent: " + e.getMessage());
        } catch (ApiException e) {
            throw new ConfigException("Error starting agent: " + e.text());
        }
    }

    /** What this version can't do must not look as if it could. */
    private static void requireAvailable(AgentConfig config) throws ConfigException {
        if (!config.server()) {
            throw new ConfigException(
                    "server = false: client agents are not available in this version; start it with -server -bootstrap-expect 1");
        }
        if (config.bootstrapExpect() != 1) {
            throw new ConfigException(
                    "bootstrap_expect = "
                            + config.bootstrapExpect()
                            + ": clusters of several servers are not available in this version; expected 1");
        }
    }

    private Agent(ConfigSources sources, AgentConfig config) throws IOException {
        this.sources = sources;
        this.config = config;
        try {
            writePidFile();
            DataDir dataDir = own(DataDir.open(config));
            NodeStore store = own(NodeStore.open(dataDir.path()));
            LocalStore localStore = own(new LocalStore(store));
            LocalConfig localConfig = LocalConfig.of(config, localStore.nodeId(config.nodeId()));
            node = localConfig.node();
            membership = own(new JGroupsMembership(gossipConfig(), List.of()));
            ServerConfig serverConfig = serverConfig(dataDir.path());
            server =
                    own(
                            new Server(
                                    serverConfig,
                                    applier -> consensus(store, serverConfig, applier),
                                    membership,
                                    System::nanoTime,
                                    Agent::halt));
            SystemTimers timers = own(new SystemTimers());
            Metrics metrics = metrics();
            var servers = new MeteredServers(server, metrics);
            local = own(new LocalState(localConfig, localStore, servers, timers, new Random()));
            http = own(new HttpApi(config, servers, local, localStore, membership, this, metrics));
            dns = own(new DnsServer(config, server));
            watches = own(new Watches(ownAddress()));
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    private Metrics metrics() {
        var cluster = new ClusterGauges(membership, this::stats, config.datacenter());
        return new Metrics(
                config.telemetry(),
                hostName(),
                List.of(new JvmGauges(), cluster, new StateGauges(server, config.datacenter())));
    }

    private static String hostName() {
        try {
            return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
        } catch (IOException e) {
            return "";
        }
    }

    private <T extends AutoCloseable> T own(T part) {
        opened.push(part);
        return part;
    }

    private static Consensus consensus(NodeStore store, ServerConfig config, Applier applier) {
        try {
            return JraftConsensus.start(store, config, applier);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void halt(String why) {
        System.err.println("==> this server stops at once: " + why);
        Runtime.getRuntime().halt(4);
    }

    private GossipConfig gossipConfig() {
        return new GossipConfig(
                node.id(),
                config.nodeName(),
                config.server(),
                address(config.bindAddr()),
                address(config.advertiseAddr()),
                config.ports().serfLan(),
                config.ports().server(),
                MemberTags.of(config, node.id()),
                config.reconnectTimeout());
    }

    private static InetAddress address(String text) {
        try {
            return InetAddress.getByName(text);
        } catch (UnknownHostException e) {
            throw new UncheckedIOException(e);
        }
    }

    private ServerConfig serverConfig(Path dataDir) {
        return new ServerConfig(
                dataDir,
                config.datacenter(),
                config.nodeName(),
                node.id(),
                config.advertiseAddr(),
                config.ports().server(),
                config.bootstrapExpect(),
                config.raftMultiplier(),
                config.raftSnapshotBytes(),
                config.tombstoneTtl());
    }

    /** Where this agent's own API can be reached from here. */
    private URI ownAddress() {
        String host = config.clientAddrs().getFirst();
        if (address(host).isAnyLocalAddress()) {
            host = "127.0.0.1";
        }
        return URI.create(
                "http://"
                        + (host.contains(":") ? "[" + host + "]" : host)
                        + ":"
                        + config.ports().http());
    }

    private void writePidFile() throws IOException {
        Path file = config.pidFile();
        if (file == null) {
            return;
        }
        Files.writeString(file, ProcessHandle.current().pid() + "\n");
        own(() -> Files.deleteIfExists(file));
    }

    private void start() throws IOException {
        http.start();
        dns.start();
        local.start(config.definitions());
        watches.start(config.definitions().watches());
        log.info("agent started: node={} data_dir={}", config.nodeName(), config.dataDir());
    }

    /** Ends {@link #run}; returns at once. */
    void stop(boolean gracefully) {
        stopped.complete(gracefully);
    }

    @Override
    public void reload() {
        LoadedConfig loaded;
        try {
            loaded = ConfigLoader.load(sources);
        } catch (ConfigException e) {
            throw new ApiException(ApiException.Kind.INTERNAL, String.valueOf(e.getMessage()), e);
        }
        loaded.warnings().forEach(warning -> log.warn("{}", warning));
        AgentConfig next = loaded.config();
        local.reload(next.definitions());
        watches.reload(next.definitions().watches());
        local.updateNode(LocalConfig.of(next, node.id()).node());
        local.discardCheckOutput(next.discardCheckOutput());
        AgentLog.setLevel(next.logLevel());
        log.info("reloaded");
    }

    @Override
    public void leave() {
        stop(true);
    }

    @Override
    public SortedMap<String, SortedMap<String, String>> stats() {
        return AgentStats.of(config, server, local, membership);
    }

    @Override
    public AutoCloseable tapLog(String level, boolean json, Consumer<String> lines) {
        return AgentLog.tap(level, json, lines);
    }

    @Override
    public Node node() {
        return node;
    }

    @Override
    public void close() {
        while (!opened.isEmpty()) {
            AutoCloseable part = opened.pop();
            try {
                part.close();
            } catch (Exception e) {
                log.warn(
                        "not closed cleanly: part={} error={}",
                        part.getClass().getSimpleName(),
                        e.getMessage());
            }
        }
    }
}
