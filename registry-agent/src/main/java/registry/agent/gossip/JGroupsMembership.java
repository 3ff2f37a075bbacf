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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jgroups.Address;
import org.jgroups.BytesMessage;
import org.jgroups.JChannel;
import org.jgroups.MergeView;
import org.jgroups.Message;
import org.jgroups.Receiver;
import org.jgroups.View;
import org.jgroups.protocols.FRAG4;
import org.jgroups.protocols.MERGE3;
import org.jgroups.protocols.NAKACK4;
import org.jgroups.protocols.TCP;
import org.jgroups.protocols.TCPPING;
import org.jgroups.protocols.UNICAST4;
import org.jgroups.protocols.pbcast.GMS;
import org.jgroups.stack.Protocol;
import org.jgroups.util.UUID;
import org.jspecify.annotations.Nullable;
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
    private static final Duration LOOK_AGAIN = Duration.ofSeconds(30);
    private static final int CONNECT_MILLIS = 2_000;
    private static final long WELCOME_MILLIS = 1_000;
    private static final long LEAVE_MILLIS = 5_000;
    private static final long JOIN_NANOS = 5_000_000_000L;
    private static final long REPEAT_NANOS = 400_000_000L;

    /** Without a refusal for so long after an announcement it is accepted. */
    private static final long ACCEPTED_NANOS = 1_500_000_000L;

    /** A process that died is found dead in less. */
    private static final long REFUSED_NANOS = 8_000_000_000L;

    /** From so many members on, looking for others costs more than it brings. */
    private static final int LARGE = 100;

    private final GossipConfig config;
    private final MemberTable table = new MemberTable();
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
    private final ScheduledExecutorService gossip =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("gossip").factory());
    private final ExecutorService listenerThread =
            Executors.newSingleThreadExecutor(
                    Thread.ofPlatform().daemon().name("gossip-listeners").factory());
    private final ExecutorService sender =
            Executors.newSingleThreadExecutor(
                    Thread.ofPlatform().daemon().name("gossip-send").factory());
    private final TCPPING discovery = new TCPPING();
    private final MERGE3 merging = new MERGE3().setMinInterval(500).setMaxInterval(1_500);
    private final Seeds seeds;
    private final JChannel channel;
    private final long startedNanos = System.nanoTime();
    private final CountDownLatch welcomed = new CountDownLatch(1);
    private final CompletableFuture<String> fatal = new CompletableFuture<>();
    private volatile long incarnation;
    private volatile State state = State.ALIVE;
    private volatile long refusedSince; // 0: is not
    private volatile long refusedLast;
    private final AtomicLong version = new AtomicLong();
    private volatile SortedMap<String, String> facts = new TreeMap<>();
    private final UserEvents events = new UserEvents();
    private final Map<String, Holder> inView = new HashMap<>(); // by via; gossip thread only
    private volatile List<Address> view = List.of(); // set by the gossip thread

    /**
     * The process that has a name and an id.
     *
     * @param started when it did, by this node's {@code nanoTime}
     */
    private record Holder(MemberRecord record, long started) {}

    /**
     * Opens the port and forms or joins the cluster. With nobody to look for this node begins
     * alone, without waiting.
     *
     * @throws IOException when the port can't be opened, when nobody of {@code startJoin} answers,
     *     and when a member that is alive has this node's name or id; the message is for the user
     */
    public JGroupsMembership(GossipConfig config) throws IOException {
        this.config = config;
        var names = new ArrayList<>(config.startJoin());
        names.addAll(config.retryJoin());
        seeds =
                new Seeds(
                        names,
                        config.port(),
                        config.memory(),
                        new InetSocketAddress(config.advertiseAddress(), config.port()));
        incarnation = seeds.incarnation();
        Set<InetSocketAddress> hosts = seeds.addresses();
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
            shutDown();
            throw new IOException(
                    "gossip can't listen on "
                            + config.bindAddress().getHostAddress()
                            + ":"
                            + config.port()
                            + " (serf_lan): "
                            + rootMessage(e),
                    e);
        }
        try {
            announce();
            if (!config.startJoin().isEmpty()) {
                knockAll(config.startJoin());
            }
            awaitWelcome();
        } catch (ApiException e) {
            close();
            throw new IOException("failed to join: " + e.text(), e);
        } catch (IOException e) {
            close();
            throw e;
        }
        gossip.scheduleWithFixedDelay(this::askTheUnknown, 1, 1, SECONDS);
        gossip.scheduleWithFixedDelay(this::reap, 60, 60, SECONDS);
        gossip.scheduleWithFixedDelay(
                () -> Thread.startVirtualThread(this::lookAgain),
                LOOK_AGAIN.toSeconds(),
                LOOK_AGAIN.toSeconds(),
                SECONDS);
        if (config.retryMax() > 0 && !config.retryJoin().isEmpty()) {
            long millis = config.retryInterval().multipliedBy(config.retryMax()).toMillis();
            gossip.schedule(this::giveUp, millis, MILLISECONDS);
        }
    }

    /** Others may hold our name: they say so before, or instead of, telling whom they know. */
    private void awaitWelcome() throws IOException {
        try {
            if (channel.getView().size() > 1 && !welcomed.await(WELCOME_MILLIS, MILLISECONDS)) {
                log.warn("no member has greeted this node yet");
            }
            while (refusedSince != 0 && !fatal.isDone()) {
                MILLISECONDS.sleep(50);
                if (System.nanoTime() - refusedLast > ACCEPTED_NANOS) {
                    refusedSince = 0;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (fatal.isDone()) {
            throw new IOException(fatal.join());
        }
    }

    /** Names may have got new addresses since the last time. */
    private void lookAgain() {
        Set<InetSocketAddress> hosts = seeds.addresses();
        discovery.setInitialHosts(hosts);
    }

    private void giveUp() {
        if (view.size() <= 1) {
            fatal.complete("max join retry exhausted: nobody of retry_join has answered");
        }
    }

    private void shutDown() {
        gossip.shutdownNow();
        listenerThread.shutdownNow();
        sender.shutdownNow();
    }

    private static String rootMessage(Throwable e) {
        Throwable root = e;
        for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
            root = cause;
        }
        return String.valueOf(root.getMessage());
    }

    private Protocol[] stack(boolean alone) {
        TCP transport = new PatientTcp();
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
        discovery.returnEntireCache(true);
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
            merging,
            new FailureDetector(listenAddress()),
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
    private MemberRecord selfRecord() {
        return new MemberRecord(
                config.nodeId(),
                config.nodeName(),
                config.advertiseAddress().getHostAddress(),
                config.port(),
                config.server(),
                config.rpcPort(),
                config.tags(),
                facts,
                via(channel.getAddress()),
                incarnation,
                version.incrementAndGet(),
                state,
                System.currentTimeMillis());
    }

    private static String via(Address address) {
        return ((UUID) address).toStringLong();
    }

    private long upMillis() {
        return (System.nanoTime() - startedNanos) / 1_000_000;
    }

    /** Takes this node's present record into the table, and tells everybody. */
    private void announce() {
        MemberRecord self = selfRecord();
        table.put(self);
        tell(null, GossipMessage.of(self, upMillis()));
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
            Holder holder = view.contains(left) ? null : inView.remove(via(left));
            if (holder != null && table.gone(holder.record().name(), holder.record().via(), now)) {
                log.info(
                        "member gone: node={} address={}:{}",
                        holder.record().name(),
                        holder.record().address(),
                        holder.record().port());
                changed = true;
            }
        }
        boolean large = view.size() > LARGE;
        merging.setMaxInterval(large ? 20_000 : 1_500).setMinInterval(large ? 10_000 : 500);
        if (view.size() > 1 && !before.containsAll(view)) {
            if (before.size() <= 1 || next instanceof MergeView) {
                announce();
            }
            if (next instanceof MergeView merge && leadsPartOf(merge)) {
                tell(null, GossipMessage.about(table.all()));
            }
        }
        if (changed) {
            changed();
        }
        remember();
    }

    private boolean leadsPartOf(MergeView merge) {
        return merge.getSubgroups().stream()
                .anyMatch(part -> channel.getAddress().equals(part.getCoord()));
    }

    /** Of these nothing was heard: what should have told us got lost with its sender, say. */
    private void askTheUnknown() {
        for (Address member : view) {
            if (!member.equals(channel.getAddress()) && !inView.containsKey(via(member))) {
                tell(member, GossipMessage.question());
            }
        }
    }

    private void remember() {
        var addresses = new ArrayList<InetSocketAddress>();
        for (Holder holder : inView.values()) {
            MemberRecord member = holder.record();
            try {
                addresses.add(
                        new InetSocketAddress(
                                InetAddress.getByName(member.address()), member.port()));
            } catch (UnknownHostException e) {
                log.debug("not an address: {}", member.address());
            }
        }
        if (!addresses.isEmpty() && state == State.ALIVE) {
            seeds.remember(addresses);
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
        if (message.ask()) {
            tell(from, GossipMessage.of(selfRecord(), upMillis()));
        }
        if (message.refusal() != null) {
            onRefusal(message.refusal(), message.upMillis());
        }
        if (message.event() != null) {
            events.add(message.event());
        }
        boolean changed = message.prune() != null && table.remove(message.prune());
        if (message.self() != null && view.contains(from)) {
            changed |= onSelf(from, message.self(), message.upMillis());
        }
        for (MemberRecord record : message.members()) {
            changed |= onHearsay(record);
        }
        if (!message.members().isEmpty()) {
            welcomed.countDown();
        }
        if (changed) {
            changed();
            remember();
        }
    }

    /** A member speaks of itself: it is right, unless the name or id is another's that lives. */
    private boolean onSelf(Address from, MemberRecord record, long upMillis) {
        if (!record.via().equals(via(from))) {
            return false;
        }
        long started = System.nanoTime() - upMillis * 1_000_000;
        Holder holder = rival(record);
        if (holder != null && holder.started() - started <= 0) {
            refuse(from, holder);
            return false;
        }
        if (holder != null) {
            // Parts have met in which both were at home; whoever runs longer stays.
            Address younger = addressOf(holder.record().via());
            inView.remove(holder.record().via());
            if (younger != null) {
                refuse(younger, new Holder(record, started));
            }
            if (!holder.record().name().equalsIgnoreCase(record.name())) {
                table.remove(holder.record().name());
            }
        }
        Holder known = inView.put(record.via(), new Holder(record, started));
        boolean changed = table.put(record);
        if (known == null && !view.isEmpty() && view.getFirst().equals(channel.getAddress())) {
            tell(from, GossipMessage.about(table.all()));
        }
        return changed;
    }

    /** Another process of the present view with the same name or id. */
    private @Nullable Holder rival(MemberRecord record) {
        MemberRecord self = table.find(config.nodeName()).orElse(null);
        if (self != null && clash(self, record)) {
            return new Holder(self, startedNanos);
        }
        for (Holder holder : inView.values()) {
            if (clash(holder.record(), record)) {
                return holder;
            }
        }
        return null;
    }

    private static boolean clash(MemberRecord one, MemberRecord other) {
        return !one.via().equals(other.via())
                && (one.name().equalsIgnoreCase(other.name()) || one.id().equals(other.id()));
    }

    private @Nullable Address addressOf(String via) {
        return view.stream().filter(member -> via(member).equals(via)).findFirst().orElse(null);
    }

    private void refuse(Address newcomer, Holder holder) {
        if (newcomer.equals(channel.getAddress())) {
            onRefusal(text(holder), upMillisOf(holder));
        } else {
            tell(newcomer, GossipMessage.refusal(text(holder), upMillisOf(holder)));
        }
    }

    private static long upMillisOf(Holder holder) {
        return (System.nanoTime() - holder.started()) / 1_000_000;
    }

    private static String text(Holder holder) {
        MemberRecord member = holder.record();
        return "node name \"%s\" with node id %s belongs to a member that is alive at %s:%d; choose another -node and -node-id, or stop that one"
                .formatted(member.name(), member.id(), member.address(), member.port());
    }

    /**
     * The other may be this node's own past, not yet found dead: only if it goes on to live this
     * node gives way.
     */
    private void onRefusal(String text, long holderUpMillis) {
        if (holderUpMillis < upMillis()) {
            return;
        }
        long now = System.nanoTime();
        if (refusedSince == 0 || now - refusedLast > ACCEPTED_NANOS) {
            refusedSince = now;
        }
        boolean first = now - refusedLast > REPEAT_NANOS;
        refusedLast = now;
        if (now - refusedSince > REFUSED_NANOS) {
            fatal.complete(text);
        } else if (first) {
            gossip.schedule(this::announce, 500, MILLISECONDS);
        }
        welcomed.countDown();
    }

    /** What a member knows of others. */
    private boolean onHearsay(MemberRecord record) {
        if (record.name().equalsIgnoreCase(config.nodeName())) {
            refute(record);
            return false; // nobody knows better than we do
        }
        Holder holder = inView.get(record.via());
        boolean present = addressOf(record.via()) != null;
        if (holder == null && present && record.state() == State.ALIVE && rival(record) == null) {
            inView.put(record.via(), new Holder(record, System.nanoTime()));
            return table.put(record);
        }
        if (rival(record) != null) {
            return false; // of a process that is no more
        }
        return table.merge(record);
    }

    /** Somebody takes this process for an earlier one, or for dead. */
    private void refute(MemberRecord record) {
        MemberRecord self = table.find(config.nodeName()).orElse(null);
        if (self == null || !record.id().equals(self.id()) || state != State.ALIVE) {
            return;
        }
        boolean earlier = !record.via().equals(self.via());
        if (earlier && record.incarnation() >= incarnation) {
            incarnation = record.incarnation() + 1;
            announce();
        } else if (!earlier
                && record.state() != State.ALIVE
                && record.version() >= self.version()) {
            version.set(record.version());
            announce();
        }
    }

    /** Sends to one or, with null, to all; the sending thread may be held up by a frozen peer. */
    private void tell(@Nullable Address to, GossipMessage message) {
        byte[] body = Json.write(message);
        try {
            sender.execute(() -> {
                try {
                    channel.send(new BytesMessage(to, body));
                } catch (Exception e) {
                    log.debug("gossip message not sent: error={}", e.getMessage());
                }
            });
        } catch (RejectedExecutionException closed) {
            log.trace("message after close");
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
            announce();
            changed();
        });
    }

    @Override
    public void onFatal(Consumer<String> listener) {
        fatal.thenAccept(listener);
    }

    @Override
    public void fire(UserEvent event) {
        UserEvent timed = event.at(events.nextTime());
        events.add(timed);
        tell(null, GossipMessage.event(timed));
    }

    @Override
    public void keepEvents(Predicate<UserEvent> wanted) {
        events.keepOnly(wanted);
    }

    @Override
    public List<UserEvent> events() {
        return events.all();
    }

    @Override
    public Runnable onEvent(Runnable listener) {
        return events.watch(listener);
    }

    @Override
    public List<Member> members() {
        return table.all().stream().map(JGroupsMembership::member).toList();
    }

    @Override
    public Member self() {
        return member(table.find(config.nodeName()).orElseGet(this::selfRecord));
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
        List<InetSocketAddress> answered = knockAll(addresses);
        lookAgain();
        hand(this::meet);
        awaitAll(answered);
        return answered.size();
    }

    /** Does at once what merging does in its own time. */
    private void meet() {
        Thread.startVirtualThread(() -> {
            merging.sendInfo();
            merging.checkInconsistencies();
        });
    }

    private List<InetSocketAddress> knockAll(List<String> addresses) {
        List<InetSocketAddress> answered = new ArrayList<>();
        List<String> errors = new ArrayList<>();
        for (String address : addresses) {
            try {
                answered.add(knock(address));
                seeds.add(List.of(address));
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
        return answered;
    }

    /** Consul's join returns when the members are known; so does this, within a limit. */
    private void awaitAll(List<InetSocketAddress> answered) {
        long deadline = System.nanoTime() + JOIN_NANOS;
        while (System.nanoTime() < deadline && !answered.stream().allMatch(this::isAlive)) {
            LockSupport.parkNanos(20_000_000);
        }
    }

    private boolean isAlive(InetSocketAddress address) {
        return table.all().stream()
                .anyMatch(member ->
                        member.state() == State.ALIVE
                                && member.port() == address.getPort()
                                && member.address().equals(address.getAddress().getHostAddress()));
    }

    private InetSocketAddress knock(String address) throws IOException {
        String host = address;
        int port = config.port();
        int colon = address.lastIndexOf(':');
        if (colon > 0 && (address.indexOf(':') == colon || address.charAt(colon - 1) == ']')) {
            host = address.substring(0, colon);
        }
        List<InetSocketAddress> targets;
        try {
            targets = Seeds.resolve(address, port);
        } catch (UnknownHostException e) {
            throw new IOException(
                    "Failed to resolve " + host + ": lookup " + host + ": no such host", e);
        }
        InetSocketAddress target = targets.getFirst();
        port = target.getPort();
        try (var socket = new Socket()) {
            socket.connect(target, CONNECT_MILLIS);
            return target;
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
                    state = State.LEAVING;
                    announce();
                    if (!config.rejoinAfterLeave()) {
                        seeds.remember(List.of());
                    }
                    return sender.submit(() -> {}); // after the announcement
                });
        try {
            told.get(LEAVE_MILLIS, MILLISECONDS).get(LEAVE_MILLIS, MILLISECONDS);
        } catch (ExecutionException | TimeoutException | RejectedExecutionException e) {
            log.warn("leave not announced: error={}", e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
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
            tell(null, prune ? GossipMessage.forget(node) : GossipMessage.about(List.of(left)));
            if (changed) {
                changed();
            }
        });
    }

    /** For tests: what happens to the channel when the process dies. */
    JChannel channel() {
        return channel;
    }

    @Override
    public void close() {
        shutDown();
        channel.close();
    }
}
