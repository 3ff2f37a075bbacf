package registry.agent.gossip;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.Socket;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicLong;
import org.jgroups.Address;
import org.jgroups.BytesMessage;
import org.jgroups.JChannel;
import org.jgroups.Message;
import org.jgroups.Receiver;
import org.jgroups.View;
import org.jgroups.protocols.FD_ALL3;
import org.jgroups.protocols.FRAG4;
import org.jgroups.protocols.MERGE3;
import org.jgroups.protocols.NAKACK4;
import org.jgroups.protocols.TCP;
import org.jgroups.protocols.TCPPING;
import org.jgroups.protocols.UNICAST4;
import org.jgroups.protocols.VERIFY_SUSPECT2;
import org.jgroups.protocols.pbcast.GMS;
import org.jgroups.stack.Protocol;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.api.ApiException;
import registry.api.Member;
import registry.api.json.Json;

/**
 * Gossip on JGroups over TCP. JGroups' threads only hand over to one thread of ours, {@code
 * gossip}, which owns the map from addresses to members and is the only one that sends.
 */
public final class JGroupsMembership implements Membership {
    private static final Logger log = LoggerFactory.getLogger(JGroupsMembership.class);
    private static final String CLUSTER = "registry";
    private static final Duration LEFT_KEPT = Duration.ofHours(24);
    private static final int CONNECT_MILLIS = 2_000;

    private final GossipConfig config;
    private final MemberTable table = new MemberTable();
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
    private final ScheduledExecutorService gossip =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("gossip").factory());
    private final ExecutorService listenerThread =
            Executors.newSingleThreadExecutor(
                    Thread.ofPlatform().daemon().name("gossip-listeners").factory());
    private final TCPPING discovery = new TCPPING();
    private final Set<InetSocketAddress> hosts = ConcurrentHashMap.newKeySet();
    private final JChannel channel;
    private final long incarnation = System.currentTimeMillis();
    private final AtomicLong version = new AtomicLong();
    private volatile SortedMap<String, String> facts = new TreeMap<>();
    private final Map<Address, MemberRecord> inView = new HashMap<>(); // gossip thread only
    private List<Address> view = List.of(); // gossip thread only

    /**
     * Opens the port and forms or joins the cluster.
     *
     * @param initialHosts members to look for; none means that this node begins alone, without
     *     waiting
     * @throws IOException when the port can't be opened; names the address
     */
    public JGroupsMembership(GossipConfig config, List<InetSocketAddress> initialHosts)
            throws IOException {
        this.config = config;
        table.merge(selfRecord(State.ALIVE));
        hosts.addAll(initialHosts);
        discovery.setInitialHosts(hosts);
        try {
            channel = new JChannel(stack(hosts.isEmpty()));
            ((TCP) channel.getProtocolStack().getTransport())
                    .getDiagnosticsHandler()
                    .setEnabled(false);
            channel.setDiscardOwnMessages(true);
            channel.setName(config.nodeName());
            channel.setReceiver(new Ears());
            channel.connect(CLUSTER);
        } catch (Exception e) {
            gossip.shutdownNow();
            listenerThread.shutdownNow();
            throw new IOException(
                    "gossip can't listen on "
                            + config.bindAddress().getHostAddress()
                            + ":"
                            + config.port()
                            + " (serf_lan): "
                            + rootMessage(e),
                    e);
        }
        gossip.scheduleWithFixedDelay(this::reap, 60, 60, SECONDS);
    }

    private static String rootMessage(Throwable e) {
        Throwable root = e;
        for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
            root = cause;
        }
        return String.valueOf(root.getMessage());
    }

    private Protocol[] stack(boolean alone) {
        TCP transport = new TCP();
        transport.setBindAddress(listenAddress());
        transport.setBindPort(config.port());
        transport.setPortRange(0);
        transport.setExternalAddr(config.advertiseAddress());
        transport.setBundlerType("transfer-queue");
        transport.enableSuspectEvents(true);
        transport.nonBlockingSends(true);
        transport.setSockConnTimeout(CONNECT_MILLIS);
        transport.setBufferedInputStreamSize(8_192);
        transport.getThreadPool().setMinThreads(0).setMaxThreads(200);
        discovery.portRange(0);
        GMS views = new GMS();
        views.setJoinTimeout(alone ? 20 : 1_000);
        views.setMaxJoinAttempts(alone ? 1 : 10);
        views.printLocalAddress(false);
        NAKACK4 multicast = new NAKACK4();
        multicast.capacity(256);
        multicast.useMcastXmit(false);
        return new Protocol[] {
            transport,
            discovery,
            new MERGE3().setMinInterval(1_000).setMaxInterval(3_000),
            new FD_ALL3().setTimeout(2_400).setInterval(800),
            new VERIFY_SUSPECT2().setTimeout(500),
            multicast,
            new UNICAST4().capacity(256),
            views,
            new FRAG4()
        };
    }

    /**
     * The wildcard is narrowed to the advertised address where that is one of ours: JGroups
     * compares addresses by value.
     */
    private InetAddress listenAddress() {
        InetAddress bind = config.bindAddress();
        if (!bind.isAnyLocalAddress()) {
            return bind;
        }
        try {
            return NetworkInterface.getByInetAddress(config.advertiseAddress()) == null
                    ? bind
                    : config.advertiseAddress();
        } catch (SocketException e) {
            return bind;
        }
    }

    /** What this node says of itself now: newer than all that it said before. */
    private MemberRecord selfRecord(State state) {
        return new MemberRecord(
                config.nodeId(),
                config.nodeName(),
                config.advertiseAddress().getHostAddress(),
                config.port(),
                config.server(),
                config.rpcPort(),
                config.tags(),
                facts,
                incarnation,
                version.incrementAndGet(),
                state,
                System.currentTimeMillis());
    }

    /** JGroups' threads come here; they may not be held. */
    private final class Ears implements Receiver {
        @Override
        public void viewAccepted(View next) {
            hand(() -> onView(next));
        }

        @Override
        public void receive(Message message) {
            Address from = message.getSrc();
            byte[] body =
                    Arrays.copyOfRange(
                            message.getArray(),
                            message.getOffset(),
                            message.getOffset() + message.getLength());
            hand(() -> onMessage(from, body));
        }
    }

    private void hand(Runnable work) {
        try {
            gossip.execute(() -> {
                try {
                    work.run();
                } catch (RuntimeException e) {
                    log.error("gossip event failed", e);
                }
            });
        } catch (RejectedExecutionException closed) {
            log.trace("event after close");
        }
    }

    private void onView(View next) {
        List<Address> before = view;
        view = next.getMembers();
        boolean changed = false;
        long now = System.currentTimeMillis();
        for (Address left : before) {
            MemberRecord record = view.contains(left) ? null : inView.remove(left);
            if (record != null && table.gone(record.name(), record.incarnation(), now)) {
                log.info(
                        "member gone: node={} address={}:{}",
                        record.name(),
                        record.address(),
                        record.port());
                changed = true;
            }
        }
        if (view.size() > 1 && !before.containsAll(view)) {
            MemberRecord self = selfRecord(State.ALIVE);
            table.merge(self);
            tell(GossipMessage.about(List.of(self)));
            if (next.getCoord().equals(channel.getAddress())) {
                tell(GossipMessage.about(table.all()));
            }
        }
        if (changed) {
            changed();
        }
    }

    private void onMessage(Address from, byte[] body) {
        GossipMessage message;
        try {
            message = Json.read(body, GossipMessage.class);
        } catch (UncheckedIOException e) {
            log.warn("unreadable gossip message: from={} bytes={}", from, body.length);
            return;
        }
        boolean changed = message.prune() != null && table.remove(message.prune());
        for (MemberRecord record : message.members()) {
            if (record.name().equalsIgnoreCase(config.nodeName())) {
                continue; // nobody knows better than we do
            }
            if (message.members().size() == 1 && record.state() == State.ALIVE) {
                inView.put(from, record);
            }
            changed |= table.merge(record);
        }
        if (changed) {
            changed();
        }
    }

    private void tell(GossipMessage message) {
        try {
            channel.send(new BytesMessage(null, Json.write(message)));
        } catch (Exception e) {
            log.warn("gossip message not sent: error={}", e.getMessage());
        }
    }

    private void changed() {
        for (Runnable listener : listeners) {
            listenerThread.execute(listener);
        }
    }

    private void reap() {
        if (table.reap(
                System.currentTimeMillis(),
                config.reconnectTimeout().toMillis(),
                LEFT_KEPT.toMillis())) {
            changed();
        }
    }

    @Override
    public List<Peer> all() {
        List<Peer> peers = new ArrayList<>();
        for (MemberRecord m : table.all()) {
            peers.add(
                    new Peer(
                            m.id(),
                            m.name(),
                            m.address(),
                            m.server(),
                            m.rpcPort(),
                            m.state(),
                            m.tags(),
                            m.facts()));
        }
        return peers;
    }

    @Override
    public void onChange(Runnable listener) {
        listeners.add(listener);
    }

    @Override
    public void publish(SortedMap<String, String> next) {
        facts = Collections.unmodifiableSortedMap(new TreeMap<>(next));
        hand(() -> {
            MemberRecord self = selfRecord(State.ALIVE);
            table.merge(self);
            if (view.size() > 1) {
                tell(GossipMessage.about(List.of(self)));
            }
            changed();
        });
    }

    @Override
    public List<Member> members() {
        return table.all().stream().map(JGroupsMembership::member).toList();
    }

    @Override
    public Member self() {
        return member(table.find(config.nodeName()).orElseGet(() -> selfRecord(State.ALIVE)));
    }

    private static Member member(MemberRecord m) {
        int status =
                switch (m.state()) {
                    case ALIVE -> Member.ALIVE;
                    case LEAVING -> Member.LEAVING;
                    case LEFT -> Member.LEFT;
                    case FAILED -> Member.FAILED;
                };
        return new Member(m.name(), m.address(), m.port(), m.tags(), status, 1, 5, 2, 2, 5, 4);
    }

    @Override
    public int join(List<String> addresses) {
        List<InetSocketAddress> answered = new ArrayList<>();
        List<String> errors = new ArrayList<>();
        for (String address : addresses) {
            try {
                answered.add(knock(address));
            } catch (IOException e) {
                errors.add(e.getMessage());
            }
        }
        if (answered.isEmpty()) {
            var text =
                    new StringBuilder(
                            errors.size()
                                    + (errors.size() == 1 ? " error" : " errors")
                                    + " occurred:\n");
            errors.forEach(e -> text.append("\t* ").append(e).append('\n'));
            throw ApiException.refused(text.append('\n').toString());
        }
        hosts.addAll(answered);
        discovery.setInitialHosts(hosts);
        return answered.size();
    }

    private InetSocketAddress knock(String address) throws IOException {
        String host = address;
        int port = config.port();
        int colon = address.lastIndexOf(':');
        if (colon > 0 && (address.indexOf(':') == colon || address.charAt(colon - 1) == ']')) {
            host = address.substring(0, colon);
            try {
                port = Integer.parseInt(address.substring(colon + 1));
            } catch (NumberFormatException e) {
                throw new IOException("Failed to join " + address + ": invalid port", e);
            }
        }
        try (var socket = new Socket()) {
            var target = new InetSocketAddress(InetAddress.getByName(host), port);
            socket.connect(target, CONNECT_MILLIS);
            return target;
        } catch (UnknownHostException e) {
            throw new IOException(
                    "Failed to resolve " + host + ": lookup " + host + ": no such host", e);
        } catch (ConnectException e) {
            throw new IOException(
                    "Failed to join "
                            + host
                            + ": dial tcp "
                            + host
                            + ":"
                            + port
                            + ": connect: connection refused",
                    e);
        } catch (IOException e) {
            throw new IOException(
                    "Failed to join " + host + ": dial tcp " + host + ":" + port + ": i/o timeout",
                    e);
        }
    }

    @Override
    public void leave() {
        var told =
                gossip.submit(() -> {
                    MemberRecord leaving = selfRecord(State.LEAVING);
                    table.merge(leaving);
                    if (view.size() > 1) {
                        tell(GossipMessage.about(List.of(leaving)));
                    }
                });
        try {
            told.get(5_000, MILLISECONDS);
        } catch (Exception e) {
            log.warn("leave not announced: error={}", e.getMessage());
        }
    }

    @Override
    public void forceLeave(String node, boolean prune) {
        MemberRecord known =
                table.find(node)
                        .orElseThrow(() ->
                                ApiException.refused(
                                        "agent: No node found with name '" + node + "'"));
        if (known.state() == State.ALIVE) {
            return; // as in Serf: a member that is alive refutes it
        }
        hand(() -> {
            MemberRecord left = known.in(State.LEFT, System.currentTimeMillis());
            boolean changed = prune ? table.remove(node) : table.merge(left);
            tell(new GossipMessage(prune ? List.of() : List.of(left), prune ? node : null));
            if (changed) {
                changed();
            }
        });
    }

    @Override
    public void close() {
        gossip.shutdown();
        listenerThread.shutdown();
        channel.close();
    }
}
