package registry.it;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/**
 * Servers and client agents as processes of the packaged launcher, each in a network of its own,
 * and faults of these networks. Where namespaces are not allowed the nodes share the loopback, each
 * with an address of its own, which is said on standard error and leaves out the faults of the
 * network; root on a build server gets no such thing but a failure. Not for several threads at
 * once, except the nodes' clients.
 */
public final class Cluster implements AutoCloseable {
    private static final Duration READY = Duration.ofSeconds(60);
    private static final Duration ASK = Duration.ofSeconds(2);
    private static final int HTTP = 8500;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final @Nullable Network network;
    private final List<Node> nodes = new ArrayList<>();
    private final List<Node> later = new ArrayList<>();

    /** What to start; see {@link Cluster#of}. */
    public static final class Plan {
        private final int servers;
        private final Map<String, Object> config = new LinkedHashMap<>();
        private final Map<String, String> environment = new LinkedHashMap<>();
        private int later;
        private int clients;
        private int diskMebibytes;
        private boolean onLoopback;
        private boolean clocks;

        private Plan(int servers) {
            this.servers = servers;
        }

        /** Adds so many client agents. */
        public Plan clients(int count) {
            clients = count;
            return this;
        }

        /**
         * Prepares so many more servers, which expect nobody and are started by whoever wants them;
         * their names follow those of the others.
         */
        public Plan later(int servers) {
            later = servers;
            return this;
        }

        /** Sets a key of every node's configuration. */
        public Plan with(String key, Object value) {
            config.put(key, value);
            return this;
        }

        /** Sets a variable of every node's process. */
        public Plan environment(String variable, String value) {
            environment.put(variable, value);
            return this;
        }

        /**
         * Gives each node a disk of its own, which may be filled and loses what was not synced when
         * its power is cut. Needs root.
         */
        public Plan disks(int mebibytes) {
            diskMebibytes = mebibytes;
            return this;
        }

        /**
         * Gives each node a clock of its own, which may be set wrong; see {@link
         * Cluster#hasClocks}.
         */
        public Plan clocks() {
            clocks = true;
            return this;
        }

        /** Puts the nodes on the loopback even where networks can be made. */
        public Plan onLoopback() {
            onLoopback = true;
            return this;
        }

        /** Starts all nodes at once and waits until each is ready. */
        public Cluster start() {
            Cluster cluster = prepare();
            try {
                cluster.restart(
                        cluster.nodes.stream()
                                .filter(node -> !cluster.later.contains(node))
                                .toList());
                return cluster;
            } catch (RuntimeException | Error e) {
                cluster.close();
                throw e;
            }
        }

        /** Prepares all nodes and starts none. */
        public Cluster prepare() {
            int size = servers + later + clients;
            var cluster = new Cluster(onLoopback ? null : openNetwork(size));
            NodeLogs.opened(cluster);
            try {
                cluster.addNodes(this);
                return cluster;
            } catch (IOException e) {
                cluster.close();
                throw new UncheckedIOException(e);
            } catch (RuntimeException | Error e) {
                cluster.close();
                throw e;
            }
        }
    }

    private Cluster(@Nullable Network network) {
        this.network = network;
    }

    /** So many servers, named s1, s2 and so on; clients are c1, c2 and so on. */
    public static Plan of(int servers) {
        return new Plan(servers);
    }

    private static @Nullable Network openNetwork(int size) {
        try {
            return new Network(size);
        } catch (IOException e) {
            if (Sandbox.isRequired()) {
                throw new AssertionError("root on a build server must be able to make networks", e);
            }
            System.err.println(
                    "nodes share the loopback, so no fault of the network can be had: "
                            + e.getMessage());
            return null;
        }
    }

    private void addNodes(Plan plan) throws IOException {
        List<String> addresses =
                network == null
                        ? loopback(plan.servers + plan.later + plan.clients)
                        : network.addresses();
        List<String> seeds = addresses.subList(0, plan.servers);
        int servers = plan.servers + plan.later;
        for (int i = 0; i < addresses.size(); i++) {
            boolean server = i < servers;
            String name = server ? "s" + (i + 1) : "c" + (i + 1 - servers);
            Node node = node(plan, name, addresses.get(i), server, seeds, i < plan.servers);
            nodes.add(node);
            if (server && i >= plan.servers) {
                later.add(node);
            }
        }
    }

    /**
     * From a block of the loopback that no other JVM of the same tests has: theirs have other ids.
     */
    private static List<String> loopback(int size) {
        String block =
                "127.%d.%d."
                        .formatted(
                                64 + ProcessHandle.current().pid() % 128, Ports.free(1)[0] % 256);
        return IntStream.rangeClosed(1, size).mapToObj(number -> block + number).toList();
    }

    private Node node(
            Plan plan,
            String name,
            String address,
            boolean server,
            List<String> seeds,
            boolean founds)
            throws IOException {
        LauncherProcess.Setup setup =
                LauncherProcess.agent()
                        .with("node_name", name)
                        .with("bind_addr", address)
                        .with("server", server)
                        .ports(HTTP, 8600, 8301, 8300, 8302);
        if (founds) {
            setup.with("bootstrap_expect", plan.servers);
        } else {
            setup.without("bootstrap_expect");
        }
        if (plan.servers + plan.later + plan.clients > 1) {
            setup.with("retry_join", seeds);
        }
        plan.config.forEach(setup::with);
        plan.environment.forEach(setup::environment);
        WallClock clock = plan.clocks ? WallClock.open().orElse(null) : null;
        if (clock != null) {
            clock.environment().forEach(setup::environment);
        }
        PowerCut disk = plan.diskMebibytes > 0 ? PowerCut.ofMebibytes(plan.diskMebibytes) : null;
        if (disk != null) {
            setup.dataDir(disk.folder().resolve("data"));
        }
        if (network == null) {
            setup.with("client_addr", address).reachedAt(address, HTTP);
            return new Node(name, address, server, setup.prepare(), List.of(), null, disk, clock);
        }
        var door = new Door(network.file(address), HTTP);
        List<String> entry = network.entry(address);
        setup.behind(entry).reachedAt("127.0.0.1", door.outsidePort());
        return new Node(name, address, server, setup.prepare(), entry, door, disk, clock);
    }

    public List<Node> nodes() {
        return List.copyOf(nodes);
    }

    public List<Node> servers() {
        return nodes.stream().filter(Node::isServer).toList();
    }

    public List<Node> clients() {
        return nodes.stream().filter(node -> !node.isServer()).toList();
    }

    public Node node(String name) {
        return nodes.stream()
                .filter(node -> node.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no node \"" + name + "\""));
    }

    /** Whether faults of the network can be had. */
    public boolean hasNetwork() {
        return network != null;
    }

    /** Whether clocks were asked for and can be had: they need a C compiler. */
    public boolean hasClocks() {
        return nodes.stream().allMatch(Node::hasClock);
    }

    /** The leader that most of the running servers name, if most of all servers name the same. */
    public Optional<Node> leader() {
        var votes = new LinkedHashMap<String, Integer>();
        for (Node server : servers()) {
            if (server.agent().isAlive()) {
                leaderSeenBy(server).ifPresent(address -> votes.merge(address, 1, Integer::sum));
            }
        }
        return votes.entrySet().stream()
                .filter(vote -> vote.getValue() > expected() / 2)
                .flatMap(vote ->
                        servers().stream().filter(server -> vote.getKey().equals(server.address())))
                .findFirst();
    }

    private long expected() {
        return servers().stream()
                .filter(server -> !later.contains(server) || server.agent().isAlive())
                .count();
    }

    private static Optional<String> leaderSeenBy(Node node) {
        try {
            var answer = node.client().get("/v1/status/leader", ASK);
            String text = answer.isOk() ? JSON.readTree(answer.body()).asText() : "";
            int colon = text.lastIndexOf(':');
            return colon < 0 ? Optional.empty() : Optional.of(text.substring(0, colon));
        } catch (IOException unreachable) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }

    /** Waits at most a minute for {@link #leader}. */
    public Node awaitLeader() {
        return Awaitility.await()
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(20))
                .atMost(READY)
                .until(this::leader, Optional::isPresent)
                .orElseThrow();
    }

    /** Waits until every running node counts so many members alive. */
    public void awaitMembers(int alive) {
        Awaitility.await()
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(50))
                .atMost(READY)
                .until(() -> allCount(alive));
    }

    /** Whether every running node counts all nodes alive. */
    public boolean allKnowAll() {
        return allCount(nodes.size());
    }

    private boolean allCount(int alive) {
        return nodes.stream()
                .filter(node -> node.agent().isAlive())
                .allMatch(node -> membersSeenBy(node) == alive);
    }

    private static int membersSeenBy(Node node) {
        try {
            int alive = 0;
            for (JsonNode member :
                    JSON.readTree(node.client().get("/v1/agent/members", ASK).body())) {
                alive += member.path("Status").asInt() == 1 ? 1 : 0;
            }
            return alive;
        } catch (IOException unreachable) {
            return -1;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return -1;
        }
    }

    /** Loses all packets from one node to another; the other way they arrive. */
    public void cut(Node from, Node to) {
        lose(from, to, 100);
    }

    /** Loses so many per cent of the packets from one node to another. */
    public void lose(Node from, Node to, int percent) {
        Network net = network();
        net.lose(from.address(), to.address(), percent);
        net.apply();
    }

    /** Loses so many per cent of all packets between nodes, each way. */
    public void loseEverywhere(int percent) {
        Network net = network();
        for (Node from : nodes) {
            for (Node to : nodes) {
                if (from != to) {
                    net.lose(from.address(), to.address(), percent);
                }
            }
        }
        net.apply();
    }

    /** Parts these nodes from all others, both ways. */
    public void isolate(Node... side) {
        isolate(List.of(side));
    }

    /** Parts these nodes from all others, both ways. */
    public void isolate(Collection<Node> side) {
        Network net = network();
        for (Node one : side) {
            for (Node other : nodes) {
                if (!side.contains(other)) {
                    net.lose(one.address(), other.address(), 100);
                    net.lose(other.address(), one.address(), 100);
                }
            }
        }
        net.apply();
    }

    /** Loses every datagram, but no TCP. */
    public void blockUdp() {
        Network net = network();
        nodes.forEach(node -> net.blockUdp(node.address()));
        net.apply();
    }

    /** Lets every packet from this node and to it arrive so much later. */
    public void delay(Node node, Duration by) {
        network().delay(node.address(), by);
    }

    /** Ends all faults of the network. */
    public void heal() {
        network().heal();
    }

    private Network network() {
        if (network == null) {
            throw new IllegalStateException(
                    "the nodes share the loopback: no faults of the network");
        }
        return network;
    }

    /** {@code kill -9} of these nodes at once. */
    public void kill(Collection<Node> victims) {
        victims.forEach(node -> node.agent().process().destroyForcibly());
        victims.forEach(Node::kill);
    }

    /** Starts these nodes at once and waits until each is ready. */
    public void restart(Collection<Node> stopped) {
        stopped.forEach(Node::spawn);
        try {
            stopped.forEach(node -> node.agent().awaitReady());
        } catch (AssertionError e) {
            throw new AssertionError(e.getMessage() + "\n" + logTails(), e);
        }
    }

    /**
     * Cuts the power of these nodes at one moment: they end, and their disks hold what was synced.
     * Needs {@link Plan#disks}.
     */
    public void cutPower(Collection<Node> victims) {
        victims.forEach(Node::pause);
        try {
            for (Node node : victims) {
                node.disk().take();
            }
            kill(victims);
            for (Node node : victims) {
                node.disk().putBack();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The ends of all logs, to be shown with a failure. */
    public String logTails() {
        return String.join(
                "\n", nodes.stream().map(node -> node + " " + node.agent().logTail()).toList());
    }

    /** Nodes whose process has ended though no test has killed or stopped it. */
    public List<Node> endedByThemselves() {
        return nodes.stream().filter(node -> node.agent().endedByItself()).toList();
    }

    /** Kills all nodes and removes what was made for them. */
    @Override
    public void close() {
        NodeLogs.closing(this);
        nodes.stream()
                .filter(node -> node.agent().isAlive())
                .forEach(node -> node.agent().process().destroyForcibly());
        nodes.forEach(Node::close);
        if (network != null) {
            try {
                network.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
