package registry.agent;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.agent.check.SystemTimers;
import registry.agent.config.AgentConfig;
import registry.agent.config.AgentConfig.GossipSecurity;
import registry.agent.config.AgentConfig.RpcTls;
import registry.agent.config.ConfigException;
import registry.agent.config.ConfigLoader;
import registry.agent.config.ConfigSources;
import registry.agent.config.LoadedConfig;
import registry.agent.coordinate.CoordinateSender;
import registry.agent.coordinate.Vivaldi;
import registry.agent.dns.DnsServer;
import registry.agent.gossip.Distances;
import registry.agent.gossip.GossipConfig;
import registry.agent.gossip.JGroupsMembership;
import registry.agent.gossip.Membership;
import registry.agent.gossip.seal.Keyring;
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
import registry.agent.rpc.RpcClient;
import registry.agent.watch.Watches;
import registry.api.ApiException;
import registry.api.Coordinate;
import registry.api.Node;
import registry.server.Server;
import registry.server.ServerConfig;
import registry.server.cluster.ClusterConsensus;
import registry.server.link.Hub;
import registry.server.link.LinkTls;
import registry.server.raft.Applier;
import registry.server.raft.RaftDisk;
import registry.server.rpc.ServerRpc;
import registry.server.rpc.Servers;
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
    private final Keyring keyring;
    private final Membership membership;
    private final @Nullable ClusterConsensus cluster;
    private final @Nullable Server server;
    private final LocalState local;
    private final HttpApi http;
    private final Vivaldi vivaldi = new Vivaldi(new Random());
    private final CoordinateSender coordinates;
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
        System.out.println("==> Starting Consul agent...");
        try (var agent = new Agent(sources, config)) {
            new Signals(agent, !config.skipLeaveOnInterrupt(), config.leaveOnTerminate()).install();
            Banner.print(System.out, config, agent.node, agent.keyring.isOn());
            AgentLog.configure(config.logLevel(), config.logJson(), config.logFile());
            loaded.warnings().forEach(warning -> log.warn("{}", warning));
            agent.start();
            boolean gracefully = agent.stopped.join();
            if (gracefully) {
                agent.leaveCluster();
            }
            log.info("stopping: graceful={}", gracefully);
            return gracefully ? 0 : 1;
        } catch (IOException | UncheckedIOException e) {
            throw new ConfigException("Error starting agent: " + e.getMessage());
        } catch (ApiException e) {
            throw new ConfigException("Error starting agent: " + e.text());
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
            keyring = keyring(dataDir);
            ServerConfig serverConfig = serverConfig(dataDir.path());
            RaftDisk disk = config.server() ? RaftDisk.open(store, serverConfig) : null;
            membership = own(membership(gossipConfig(dataDir), disk));
            Servers servers;
            if (disk != null) {
                Hub hub = own(new Hub(disk::clusterId, List.of(), linkTls()));
                var made = new ClusterConsensus[1];
                server =
                        own(
                                new Server(
                                        serverConfig,
                                        applier ->
                                                made[0] = cluster(disk, serverConfig, applier, hub),
                                        membership,
                                        System::nanoTime,
                                        Agent::halt));
                cluster = made[0];
                var rpc = own(new ServerRpc(server, hub, node.id(), ownRpc(), Server.METHODS));
                hub.serve(rpc.service());
                hub.listen(
                        new InetSocketAddress(address(config.bindAddr()), config.ports().server()));
                servers = rpc;
            } else {
                cluster = null;
                server = null;
                Hub hub = own(new Hub(() -> "", List.of(), linkTls()));
                servers = own(new RpcClient(membership, hub, node.id()));
            }
            SystemTimers timers = own(new SystemTimers());
            Metrics metrics = metrics();
            var metered = new MeteredServers(servers, metrics);
            local = own(new LocalState(localConfig, localStore, metered, timers, new Random()));
            http = own(new HttpApi(config, metered, local, localStore, membership, this, metrics));
            coordinates =
                    own(
                            new CoordinateSender(
                                    config.nodeName(),
                                    vivaldi,
                                    servers,
                                    timers,
                                    () -> membership.all().size(),
                                    new Random()));
            dns = own(new DnsServer(config, servers));
            watches = own(new Watches(ownAddress()));
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    private Metrics metrics() {
        var gauges = new ArrayList<Metrics.Gauges>();
        gauges.add(new JvmGauges());
        gauges.add(new ClusterGauges(membership, this::stats, config.datacenter()));
        if (server != null) {
            gauges.add(new StateGauges(server, config.datacenter()));
        }
        return new Metrics(config.telemetry(), hostName(), gauges);
    }

    private static String hostName() {
        try {
            return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
        } catch (IOException e) {
            return "";
        }
    }

    /**
     * A server first gives up what the others need it for; this node's registrations are told to
     * nobody any more before its departure is.
     */
    private void leaveCluster() {
        if (cluster != null) {
            cluster.handOver();
        }
        try {
            local.fallSilent();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        membership.leave();
        if (cluster != null) {
            cluster.awaitRelease();
        }
        closeQuietly(membership);
    }

    /** A server that has peers on its disk goes on with them while gossip still looks for all. */
    private static Membership membership(GossipConfig gossip, @Nullable RaftDisk disk)
            throws IOException {
        return disk != null && disk.hasHistory() && !disk.addresses().isEmpty()
                ? new LateMembership(() -> new JGroupsMembership(gossip))
                : new JGroupsMembership(gossip);
    }

    private <T extends AutoCloseable> T own(T part) {
        opened.push(part);
        return part;
    }

    /** This server as others name it. */
    private String ownRpc() {
        return config.advertiseAddr() + ":" + config.ports().server();
    }

    private ClusterConsensus cluster(RaftDisk disk, ServerConfig config, Applier applier, Hub hub) {
        boolean seeks = !this.config.startJoin().isEmpty() || !this.config.retryJoin().isEmpty();
        try {
            return ClusterConsensus.start(disk, config, applier, hub, membership, seeks);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private @Nullable LinkTls linkTls() throws IOException {
        RpcTls tls = config.rpcTls();
        return tls.isUsed()
                ? new LinkTls(
                        new LinkTls.Keys(
                                tls.caFile(),
                                tls.certFile(),
                                tls.keyFile(),
                                tls.verifyIncoming(),
                                tls.verifyOutgoing(),
                                tls.verifyServerHostname()
                                        ? "server."
                                                + config.datacenter()
                                                + "."
                                                + config.dns().domain()
                                        : ""))
                : null;
    }

    private static void halt(String why) {
        System.err.println("==> this server stops at once: " + why);
        Runtime.getRuntime().halt(4);
    }

    private GossipConfig gossipConfig(DataDir dataDir) {
        return new GossipConfig(
                node.id(),
                config.nodeName(),
                config.server(),
                address(config.bindAddr()),
                address(config.advertiseAddr()),
                config.ports().serfLan(),
                config.server() ? config.ports().server() : 0,
                MemberTags.of(config, node.id()),
                config.reconnectTimeout(),
                config.startJoin(),
                config.retryJoin(),
                config.retryInterval(),
                config.retryMax(),
                config.rejoinAfterLeave(),
                dataDir.temporary() ? null : dataDir.path().resolve("serf/members.json"),
                keyring,
                config.disableCoordinates() ? Distances.none() : distances());
    }

    private Distances distances() {
        return new Distances() {
            @Override
            public Coordinate own() {
                return vivaldi.own();
            }

            @Override
            public void accept(String member, Duration roundTrip, Coordinate theirs) {
                vivaldi.accept(member, roundTrip, theirs);
            }
        };
    }

    private Keyring keyring(DataDir dataDir) throws IOException {
        GossipSecurity security = config.gossipSecurity();
        Path file =
                dataDir.temporary() || !security.keyringFile()
                        ? null
                        : dataDir.path().resolve("serf/local.keyring");
        Keyring ring =
                Keyring.open(
                        security.encrypt(),
                        file,
                        security.verifyIncoming(),
                        security.verifyOutgoing());
        if (!security.encrypt().isEmpty() && !ring.hasPrimary(security.encrypt())) {
            log.warn("encrypt is not the primary key of the keyring, which is used: file={}", file);
        }
        return ring;
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
                config.tombstoneTtl(),
                config.autopilot().initial(),
                config.autopilot().deadServerDelay(),
                config.sessionTtl());
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
        if (membership instanceof LateMembership late) {
            late.awaitOpened();
        }
        local.start(config.definitions());
        watches.start(config.definitions().watches());
        membership.onFatal(why -> {
            log.error("leaving the cluster: {}", why);
            stop(false);
        });
        if (!config.disableCoordinates()) {
            coordinates.start();
        }
        log.info("agent started: node={} data_dir={}", config.nodeName(), config.dataDir());
        StartUpPages.giveBackSoon();
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
        return AgentStats.of(config, server, local, membership, keyring.isOn());
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
            closeQuietly(opened.pop());
        }
    }

    private static void closeQuietly(AutoCloseable part) {
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
