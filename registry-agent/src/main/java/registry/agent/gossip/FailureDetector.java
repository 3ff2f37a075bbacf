package registry.agent.gossip;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jgroups.Address;
import org.jgroups.EmptyMessage;
import org.jgroups.Event;
import org.jgroups.Header;
import org.jgroups.Message;
import org.jgroups.View;
import org.jgroups.conf.ClassConfigurator;
import org.jgroups.stack.IpAddress;
import org.jgroups.stack.Protocol;
import org.jgroups.util.MessageBatch;
import org.jgroups.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.agent.gossip.Datagram.Kind;
import registry.agent.gossip.seal.DatagramSeal;

/**
 * Failure detection that survives loss: heartbeats by UDP on the port number of the TCP transport,
 * since what rides on TCP stands still when TCP backs off. Alive is whoever was heard, by UDP or
 * any message. Whoever is silent, or lost its connection, is asked by UDP, directly and through
 * others, and by a TCP connect, before it is suspected; where UDP is blocked the questions go over
 * the transport. A pause of our own is forgiven everybody. Stands in the place of FD_ALL3 and
 * VERIFY_SUSPECT2.
 */
final class FailureDetector extends Protocol {
    private static final Logger LOG = LoggerFactory.getLogger(FailureDetector.class);
    private static final short ID = 2001;
    private static final short HEADER_ID = 2001;
    private static final long TICK = 100;
    private static final long PROBE = 1_500;

    /** Whoever is asked while it dies may still answer, and would be taken for alive. */
    private static final long DYING = 60;

    private static final long PROBE_WHEN_CLOSED = 1_000;
    private static final long PROBE_INTERVAL = 200;
    private static final long UDP_SILENCE = 1_000;
    private static final long REPEAT = 2_000;
    private static final long OWN_PAUSE = 500;
    private static final long MAX_SLOW = 3_000;
    private static final int HELPERS = 3;

    static {
        ClassConfigurator.addProtocol(ID, FailureDetector.class);
        ClassConfigurator.add(HEADER_ID, Question.class);
    }

    private final InetAddress bind;
    private final DatagramSeal seal;
    private final RoundTrips roundTrips;
    private final Runnable wasAway;
    private final Map<Address, Peer> peers = new ConcurrentHashMap<>();

    /** Whom the last view dropped though they were heard. */
    private volatile Set<Address> droppedAlive = Set.of();

    private volatile @Nullable DatagramSocket socket;
    private volatile @Nullable InetSocketAddress self;
    private volatile boolean running;
    private volatile @Nullable Thread heart;

    /**
     * @param bind where datagrams are received
     * @param seal what they are sealed with
     * @param roundTrips what is measured besides
     * @param wasAway told when this process itself was held up
     */
    FailureDetector(InetAddress bind, DatagramSeal seal, RoundTrips roundTrips, Runnable wasAway) {
        this.bind = bind;
        this.seal = seal;
        this.roundTrips = roundTrips;
        this.wasAway = wasAway;
        id = ID;
    }

    /** What is known of one other member; times in milliseconds of this process. */
    private static final class Peer {
        final Address address;
        volatile @Nullable InetSocketAddress at;
        volatile long heard;
        volatile long heardByUdp;
        volatile long probedSince;
        volatile boolean probing;
        volatile boolean suspected;
        volatile boolean dead;
        volatile boolean closed;
        volatile long closedAt;
        long asked; // ticking thread only
        long told; // ticking thread only

        Peer(Address address, @Nullable InetSocketAddress at, long now) {
            this.address = address;
            this.at = at;
            heard = now;
            heardByUdp = now;
        }
    }

    private static long now() {
        return System.nanoTime() / 1_000_000;
    }

    @Override
    public void start() throws Exception {
        super.start();
        running = true;
    }

    @Override
    public void stop() {
        running = false;
        DatagramSocket open = socket;
        if (open != null) {
            open.close();
        }
        socket = null;
        peers.clear();
        LockSupport.unpark(heart);
        super.stop();
    }

    @Override
    public @Nullable Object down(Event event) {
        Object result = down_prot.down(event);
        if (event.getType() == Event.VIEW_CHANGE) {
            View view = event.getArg();
            open();
            long now = now();
            Set<Address> members = new HashSet<>(view.getMembers());
            droppedAlive =
                    peers.values().stream()
                            .filter(peer -> !members.contains(peer.address) && isHeard(peer, now))
                            .map(peer -> peer.address)
                            .collect(Collectors.toUnmodifiableSet());
            peers.keySet().retainAll(members);
            for (Address member : view.getMembers()) {
                if (!member.equals(local_addr)) {
                    peers.computeIfAbsent(member, m -> new Peer(m, physical(m), now));
                }
            }
        }
        return result;
    }

    /** To be asked when a view comes: who is dropped by it though this node had no reason to. */
    Set<Address> droppedAlive() {
        return droppedAlive;
    }

    private boolean isHeard(Peer peer, long now) {
        return !peer.closed && !peer.suspected && now - peer.heard < silence() / 2;
    }

    private synchronized void open() {
        InetSocketAddress me = physical(local_addr);
        if (self != null || me == null || !running) {
            return;
        }
        self = me;
        try {
            var opened = new DatagramSocket(new InetSocketAddress(bind, me.getPort()));
            socket = opened;
            Thread.ofPlatform().daemon().name("gossip-udp").start(() -> receive(opened));
        } catch (IOException e) {
            LOG.warn(
                    "no UDP port for heartbeats, they go over TCP: port={} error={}",
                    me.getPort(),
                    e.getMessage());
        }
        heart = Thread.ofPlatform().daemon().name("gossip-heart").start(this::tick);
    }

    private @Nullable InetSocketAddress physical(Address member) {
        Object address = down_prot.down(new Event(Event.GET_PHYSICAL_ADDRESS, member));
        return address instanceof IpAddress ip
                ? new InetSocketAddress(ip.getIpAddress(), ip.getPort())
                : null;
    }

    /** The transport saw a connection end: that is to be looked into at once, and no proof. */
    @Override
    public @Nullable Object up(Event event) {
        if (event.getType() != Event.SUSPECT) {
            return up_prot.up(event);
        }
        Collection<Address> members = event.getArg();
        for (Address member : members) {
            Peer peer = peers.get(member);
            if (peer != null) {
                peer.closedAt = now();
                peer.closed = true;
            }
        }
        LockSupport.unpark(heart);
        return null;
    }

    @Override
    public @Nullable Object up(Message message) {
        heard(message.getSrc(), false);
        Question question = message.getHeader(ID);
        if (question == null) {
            return up_prot.up(message);
        }
        answer(message.getSrc(), question);
        return null;
    }

    @Override
    public void up(MessageBatch batch) {
        heard(batch.sender(), false);
        for (var it = batch.iterator(); it.hasNext(); ) {
            Message message = it.next();
            Question question = message.getHeader(ID);
            if (question != null) {
                it.remove();
                answer(message.getSrc(), question);
            }
        }
        if (!batch.isEmpty()) {
            up_prot.up(batch);
        }
    }

    private void answer(Address asker, Question question) {
        if (question.asks) {
            tell(asker, false);
        }
    }

    private void tell(Address to, boolean asks) {
        down_prot.down(
                new EmptyMessage(to)
                        .setFlag(Message.Flag.OOB)
                        .setFlag(Message.TransientFlag.DONT_BLOCK)
                        .putHeader(ID, new Question(asks)));
    }

    private void heard(@Nullable Address from, boolean byUdp) {
        Peer peer = from == null ? null : peers.get(from);
        if (peer == null) {
            return;
        }
        long now = now();
        peer.heard = now;
        if (byUdp) {
            peer.heardByUdp = now;
        }
        peer.probing = false;
        peer.dead = false;
        peer.closed = false;
        if (peer.suspected) {
            peer.suspected = false;
            LOG.info("suspected member is alive: address={}", peer.at);
            // Always both ways: GMS keeps old suspicions.
            up_prot.up(new Event(Event.UNSUSPECT, peer.address));
            down_prot.down(new Event(Event.UNSUSPECT, peer.address));
        }
    }

    /** Beats in time, judges when somebody's time is up, and sleeps in between. */
    private void tick() {
        long planned = now();
        long nextBeat = 0;
        long slowUntil = planned;
        while (running) {
            LockSupport.parkNanos(Math.max(1, planned - now()) * 1_000_000);
            long now = now();
            long late = now - planned;
            if (late > OWN_PAUSE) {
                LOG.info("own pause, nobody is judged by it: millis={}", late);
                slowUntil = now + Math.min(MAX_SLOW, late);
                forgive(now);
            }
            planned = now + TICK;
            try {
                if (late > OWN_PAUSE) {
                    wasAway.run();
                }
                if (now >= nextBeat) {
                    nextBeat = now + interval();
                    beat(now);
                    measure(now);
                }
                planned = nextBeat;
                for (Peer peer : peers.values()) {
                    long due = judge(peer, now, now < slowUntil ? 2 : 1);
                    planned = Math.max(now + 1, Math.min(planned, due));
                }
            } catch (RuntimeException e) {
                LOG.warn("heartbeats: error={}", e.toString());
            }
        }
    }

    /** More members, fewer heartbeats: each sends to all. */
    private long interval() {
        int others = peers.size();
        return others < 50 ? 400 : others < 150 ? 800 : 1_000;
    }

    private long silence() {
        return Math.max(2_000, 3 * interval());
    }

    private void forgive(long now) {
        for (Peer peer : peers.values()) {
            peer.heard = Math.max(peer.heard, now - interval());
            peer.probing = false;
            peer.dead = false;
        }
    }

    private void beat(long now) {
        for (Peer peer : peers.values()) {
            if (peer.at == null) {
                peer.at = physical(peer.address);
            }
            send(Kind.HEARTBEAT, peer.address, self, peer.at);
            if (now - peer.heardByUdp > UDP_SILENCE) {
                tell(peer.address, true);
            }
        }
    }

    /**
     * @return when to look at this peer again, if nothing is heard of it
     */
    private long judge(Peer peer, long now, int patience) {
        long silentAt = peer.heard + silence() * patience;
        long due = peer.closed ? Math.min(silentAt, peer.closedAt + DYING) : silentAt;
        if (now < due) {
            return due;
        }
        if (!peer.probing) {
            peer.dead = false;
            peer.asked = 0;
            peer.probedSince = now;
            peer.probing = true;
            Thread.startVirtualThread(() -> knock(peer));
        }
        if (now - peer.asked >= PROBE_INTERVAL) {
            peer.asked = now;
            send(Kind.PING, peer.address, self, peer.at);
            for (Peer helper : helpers(peer, now)) {
                send(Kind.RELAY, peer.address, peer.at, helper.at);
            }
        }
        long limit = peer.closed ? PROBE_WHEN_CLOSED : PROBE * patience;
        boolean over = peer.dead || now - peer.probedSince >= limit;
        if (peer.probing && over && (!peer.suspected || now - peer.told > REPEAT)) {
            if (!peer.suspected) {
                LOG.info(
                        "member suspected: address={} silent_millis={} refused={} closed={}",
                        peer.at,
                        now - peer.heard,
                        peer.dead,
                        peer.closed);
            }
            peer.suspected = true;
            peer.told = now;
            up_prot.up(new Event(Event.SUSPECT, List.of(peer.address)));
            down_prot.down(new Event(Event.SUSPECT, List.of(peer.address)));
        }
        return now + TICK;
    }

    /** One member after the other, by chance. */
    private void measure(long now) {
        InetSocketAddress me = self;
        if (me == null || peers.isEmpty() || !roundTrips.isDue(now)) {
            return;
        }
        List<Peer> others = new ArrayList<>(peers.values());
        Peer peer = others.get(ThreadLocalRandom.current().nextInt(others.size()));
        send(
                new Datagram(
                        Kind.MEASURE,
                        (UUID) local_addr,
                        (UUID) peer.address,
                        me,
                        roundTrips.question(peer.address)),
                peer.at);
    }

    private List<Peer> helpers(Peer asked, long now) {
        List<Peer> others = new ArrayList<>(peers.values());
        others.removeIf(other -> other == asked || now - other.heard > silence());
        Collections.shuffle(others);
        return others.subList(0, Math.min(HELPERS, others.size()));
    }

    /** A port on which nobody listens is the proof that the process is gone. */
    private void knock(Peer peer) {
        while (running && peer.probing && !peer.dead && peers.get(peer.address) == peer) {
            InetSocketAddress at = peer.at;
            if (at == null) {
                return;
            }
            switch (Knock.at(at)) {
                case OPENED -> {
                    return;
                }
                case REFUSED -> {
                    peer.dead = true;
                    LockSupport.unpark(heart);
                }
                case SILENT -> LOG.trace("no answer: address={}", at);
            }
            LockSupport.parkNanos(TICK * 1_000_000);
        }
    }

    private void send(
            Kind kind,
            Address target,
            @Nullable InetSocketAddress about,
            @Nullable InetSocketAddress to) {
        if (about != null) {
            send(new Datagram(kind, (UUID) local_addr, (UUID) target, about), to);
        }
    }

    private void send(Datagram datagram, @Nullable InetSocketAddress to) {
        DatagramSocket open = socket;
        if (open == null || to == null) {
            return;
        }
        byte[] bytes = seal.seal(datagram.bytes());
        try {
            open.send(new DatagramPacket(bytes, bytes.length, to));
        } catch (IOException e) {
            LOG.trace("datagram not sent: to={}", to, e);
        }
    }

    private void receive(DatagramSocket open) {
        byte[] buffer = new byte[Datagram.MAX_BYTES + DatagramSeal.OVERHEAD + 1];
        var packet = new DatagramPacket(buffer, buffer.length);
        while (running && !open.isClosed()) {
            try {
                packet.setLength(buffer.length);
                open.receive(packet);
                byte[] plain = seal.open(buffer, packet.getLength());
                Datagram datagram = plain == null ? null : Datagram.read(plain, plain.length);
                if (datagram != null && peers.containsKey(datagram.source())) {
                    receive(datagram, (InetSocketAddress) packet.getSocketAddress());
                } else if (datagram != null && datagram.kind() == Kind.NOT_ME) {
                    replaced(datagram, (InetSocketAddress) packet.getSocketAddress());
                } else if (datagram != null && datagram.kind() == Kind.PING) {
                    strangerAsks(datagram, (InetSocketAddress) packet.getSocketAddress());
                }
            } catch (IOException | RuntimeException e) {
                if (!open.isClosed()) {
                    LOG.debug("datagram: error={}", e.toString());
                }
            }
        }
    }

    private void receive(Datagram datagram, InetSocketAddress from) {
        InetSocketAddress asker = datagram.address();
        switch (datagram.kind()) {
            case HEARTBEAT -> heard(datagram.source(), true);
            case PING -> {
                heard(datagram.source(), true);
                Kind answer = datagram.target().equals(local_addr) ? Kind.PONG : Kind.NOT_ME;
                send(answer, datagram.target(), asker, from);
                if (!from.equals(asker) && isMember(asker)) {
                    send(answer, datagram.target(), asker, asker);
                }
            }
            case RELAY -> {
                heard(datagram.source(), true);
                if (isMember(asker)) {
                    send(Kind.PING, datagram.target(), from, asker);
                }
            }
            case PONG -> {
                heard(datagram.source(), asker.equals(self));
                if (!asker.equals(self) && isMember(asker)) {
                    send(datagram, asker);
                }
            }
            case NOT_ME -> replaced(datagram, from);
            case MEASURE -> {
                if (datagram.target().equals(local_addr)) {
                    send(
                            new Datagram(
                                    Kind.MEASURED,
                                    (UUID) local_addr,
                                    datagram.source(),
                                    asker,
                                    roundTrips.answer(datagram.place())),
                            from);
                }
            }
            case MEASURED -> roundTrips.answered(datagram.source(), datagram.place());
        }
    }

    /**
     * Another process answers at the member's address. Only what came from there says so to us; a
     * forged word costs nothing, since whoever is heard is not dead.
     */
    private void replaced(Datagram datagram, InetSocketAddress from) {
        Peer peer = peers.get(datagram.target());
        if (peer != null && peer.probing && from.equals(peer.at)) {
            peer.dead = true;
            LockSupport.unpark(heart);
        }
    }

    /**
     * Somebody who still takes us for the process that was here before; never more than he sent.
     */
    private void strangerAsks(Datagram datagram, InetSocketAddress from) {
        if (!datagram.target().equals(local_addr)) {
            send(Kind.NOT_ME, datagram.target(), from, from);
        }
    }

    /** Nothing is sent on to an address that is no member's. */
    private boolean isMember(InetSocketAddress address) {
        Set<InetSocketAddress> known = new HashSet<>();
        peers.values().forEach(peer -> known.add(peer.at));
        return known.contains(address);
    }

    /** "Are you there?" over the transport, and the answer. */
    public static final class Question extends Header {
        private boolean asks;

        public Question() {}

        Question(boolean asks) {
            this.asks = asks;
        }

        @Override
        public short getMagicId() {
            return HEADER_ID;
        }

        @Override
        public Supplier<? extends Header> create() {
            return Question::new;
        }

        @Override
        public int serializedSize() {
            return 1;
        }

        @Override
        public void writeTo(DataOutput out) throws IOException {
            out.writeBoolean(asks);
        }

        @Override
        public void readFrom(DataInput in) throws IOException {
            asks = in.readBoolean();
        }
    }
}
