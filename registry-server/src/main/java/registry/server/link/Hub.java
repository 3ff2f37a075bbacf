package registry.server.link;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Accepts links on a port and dials others. The first frame of each is a {@link Hello}: its service
 * byte picks who speaks, and whoever is of another cluster or says nothing for three seconds is
 * shown the door. So is the copy of a peer's disk on another host, as long as the first is heard.
 */
public final class Hub implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Hub.class);

    private static final int MAX_LINKS = 4096;
    private static final int MAX_PER_ADDRESS = 256;
    private static final int BACKLOG = 512;
    private static final int READ_BUFFER = 16 << 10;
    private static final int CONNECT_MILLIS = 1000;
    private static final long ACCEPT_PAUSE_MILLIS = 20;
    private static final long MIN_TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
    private static final long MAX_TICK_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long BUSY_TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(250);
    private static final long FAR_NANOS = TimeUnit.HOURS.toNanos(1);
    private static final long MIN_PAUSE_MILLIS = 20;
    private static final long HELLO_NANOS = TimeUnit.SECONDS.toNanos(3);

    /** Later at the end that was dialled: else both would ask at once, each time. */
    private static final long PING_NANOS = TimeUnit.SECONDS.toNanos(2);

    private static final long DIALLED_PING_NANOS = TimeUnit.MILLISECONDS.toNanos(2_500);
    private static final long SILENT_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final long HEARD_NANOS = TimeUnit.SECONDS.toNanos(3);
    private static final long COMPLAIN_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final long AWAY_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Supplier<String> cluster;
    private final @Nullable LinkTls tls;
    private final AtomicLong complainedAt = new AtomicLong(System.nanoTime() - COMPLAIN_NANOS);
    private final Map<Byte, Service> services;
    private final Set<Link> links = ConcurrentHashMap.newKeySet();

    /** Connected, and no valid hello yet; since when. */
    private final ConcurrentMap<Socket, Long> greeting = new ConcurrentHashMap<>();

    private final ConcurrentMap<InetAddress, AtomicInteger> perAddress = new ConcurrentHashMap<>();
    private final ConcurrentMap<String, Link> onlyOf = new ConcurrentHashMap<>();
    private final Thread timer;

    /** When the timer looks again at the latest. */
    private volatile long nextTick = System.nanoTime() + FAR_NANOS;

    private volatile boolean askedOfLate;

    private @Nullable ServerSocket listener;
    private @Nullable Thread acceptor;
    private volatile boolean stopped;

    /**
     * @param cluster id of our cluster, empty while there is none; asked for each hello
     * @param services what is served here
     */
    public Hub(Supplier<String> cluster, List<Service> services) {
        this(cluster, services, null);
    }

    /**
     * @param tls null when only plain links are made and taken
     */
    public Hub(Supplier<String> cluster, List<Service> services, @Nullable LinkTls tls) {
        this.cluster = cluster;
        this.tls = tls;
        this.services = new ConcurrentHashMap<>();
        services.forEach(service -> this.services.put(service.id(), service));
        this.timer = Thread.ofPlatform().daemon().name("link-timer").start(this::tickLoop);
    }

    /** Serves one more from now on. */
    public void serve(Service service) {
        services.put(service.id(), service);
    }

    /** Opens the port; 0 takes a free one. Returns the address bound. */
    public InetSocketAddress listen(InetSocketAddress at) throws IOException {
        ServerSocket socket = new ServerSocket();
        socket.setReuseAddress(true);
        try {
            socket.bind(at, BACKLOG);
        } catch (IOException e) {
            socket.close();
            throw new IOException(
                    "port " + at.getPort() + " at " + at.getHostString() + ": " + e.getMessage(),
                    e);
        }
        listener = socket;
        acceptor = Thread.ofPlatform().daemon().name("link-accept").start(() -> acceptLoop(socket));
        return (InetSocketAddress) socket.getLocalSocketAddress();
    }

    private void acceptLoop(ServerSocket socket) {
        while (!stopped) {
            try {
                accept(socket.accept());
            } catch (IOException e) {
                // Also when the process is out of file descriptors, which must not end the loop.
                pause();
            }
        }
    }

    private void accept(Socket socket) throws IOException {
        AtomicInteger ofAddress =
                perAddress.computeIfAbsent(socket.getInetAddress(), address -> new AtomicInteger());
        if (greeting.size() + links.size() >= MAX_LINKS || ofAddress.get() >= MAX_PER_ADDRESS) {
            socket.close();
            return;
        }
        ofAddress.incrementAndGet();
        greeting.put(socket, System.nanoTime());
        Thread.ofVirtual().name("link-welcome").start(() -> welcome(socket, ofAddress));
    }

    private void welcome(Socket socket, AtomicInteger ofAddress) {
        boolean welcome = false;
        try {
            socket.setTcpNoDelay(true);
            Stream stream = accepted(socket);
            Hello hello = Hello.read(new DataInputStream(stream.in));
            Service service = services.get(hello.service());
            if (service == null || !isOurs(hello, service)) {
                throw new ProtocolException("hello of another cluster or for somebody else");
            }
            refuseDouble(hello, service, socket);
            if (service.onePerPeer() && tls != null && !tls.mayBeServer(stream.tls)) {
                complain("refused: Raft is for servers, and this certificate is none: ", socket);
                throw new ProtocolException("not a server's certificate");
            }
            new Hello(service.id(), cluster.get(), service.self(), hello.from())
                    .write(new DataOutputStream(stream.out));
            if (greeting.remove(socket) == null) {
                throw new SocketTimeoutException("hello");
            }
            start(
                    hello.from(),
                    service,
                    stream,
                    ofAddress::decrementAndGet,
                    service.onePerPeer(),
                    DIALLED_PING_NANOS);
            welcome = true;
        } catch (IOException | RuntimeException e) {
            LOG.debug(
                    "not welcome: address={} error=\"{}\"",
                    socket.getRemoteSocketAddress(),
                    e.toString());
        } finally {
            if (!welcome) {
                ofAddress.decrementAndGet();
                greeting.remove(socket);
                closeQuietly(socket);
            }
        }
    }

    /** The two ways of a connection, and what it was secured by; closing the socket ends them. */
    private record Stream(
            Socket socket, @Nullable SSLSocket tls, BufferedInputStream in, OutputStream out) {
        static Stream of(Socket plain, BufferedInputStream in) throws IOException {
            return new Stream(plain, null, in, plain.getOutputStream());
        }

        static Stream of(Socket plain, SSLSocket secured) throws IOException {
            return new Stream(
                    plain,
                    secured,
                    new BufferedInputStream(secured.getInputStream(), READ_BUFFER),
                    secured.getOutputStream());
        }
    }

    private Stream accepted(Socket socket) throws IOException {
        var in = new BufferedInputStream(socket.getInputStream(), READ_BUFFER);
        in.mark(1);
        boolean secured = in.read() == LinkTls.FIRST_BYTE;
        in.reset();
        if (!secured) {
            if (tls != null && tls.isIncomingVerified()) {
                complain("refused: a connection without TLS, and verify_incoming is set: ", socket);
                throw new SSLException("no TLS");
            }
            return Stream.of(socket, in);
        }
        if (tls == null || !tls.hasCertificate()) {
            complain("refused: TLS is spoken to this port, which has no cert_file: ", socket);
            throw new SSLException("no certificate");
        }
        try {
            return Stream.of(socket, tls.accept(socket, in.readNBytes(in.available())));
        } catch (SSLException e) {
            complain("refused: TLS failed: " + e.getMessage() + ": ", socket);
            throw e;
        }
    }

    private Stream dialled(Socket socket) throws IOException {
        if (tls == null || !tls.isSpokenToOthers()) {
            return Stream.of(socket, new BufferedInputStream(socket.getInputStream(), READ_BUFFER));
        }
        try {
            return Stream.of(socket, tls.dial(socket));
        } catch (SSLException e) {
            complain("no link: TLS failed: " + e.getMessage() + ": ", socket);
            throw e;
        }
    }

    /** Whoever is refused comes back at once, and for ever: one line in some seconds says it. */
    private void complain(String what, Socket socket) {
        long now = System.nanoTime();
        long last = complainedAt.get();
        if (now - last >= COMPLAIN_NANOS && complainedAt.compareAndSet(last, now)) {
            LOG.warn("{}address={}", what, socket.getRemoteSocketAddress());
        }
    }

    private void refuseDouble(Hello hello, Service service, Socket socket)
            throws ProtocolException {
        Link known = service.onePerPeer() ? onlyOf.get(hello.from()) : null;
        if (known != null && known.isElsewhere(socket, System.nanoTime() - HEARD_NANOS)) {
            complain("refused: a copy of the disk of the server at " + known.host() + ": ", socket);
            throw new ProtocolException("a double");
        }
    }

    /** Who does not know its cluster yet may ask, who has one must have ours. */
    private boolean isOurs(Hello hello, Service service) {
        String ours = cluster.get();
        boolean sameCluster =
                hello.cluster().equals(ours) || hello.cluster().isEmpty() || ours.isEmpty();
        return sameCluster && (hello.to().isEmpty() || hello.to().equals(service.self()));
    }

    private Link start(
            String peer,
            Service service,
            Stream stream,
            Runnable ended,
            boolean onePerPeer,
            long pingNanos) {
        Link[] self = new Link[1];
        Link link =
                new Link(
                        peer,
                        service,
                        stream.socket,
                        stream.in,
                        stream.out,
                        () -> {
                            links.remove(self[0]);
                            onlyOf.remove(peer, self[0]);
                            ended.run();
                        },
                        this::lookBy,
                        pingNanos);
        self[0] = link;
        if (onePerPeer) {
            // The end of the old one is told before the first frame of the new.
            Link old = onlyOf.put(peer, link);
            if (old != null) {
                old.close(new IOException("replaced by a newer link"));
            }
        }
        links.add(link);
        link.start();
        if (stopped) {
            link.close(new IOException("stopped"));
        }
        return link;
    }

    /**
     * Keeps one link to a peer from now on, until {@link Peer#close}.
     *
     * @param to the peer's id; empty if anybody at the address will do
     * @param address where it is now; null while that is not known
     * @param maxPauseMillis the longest pause between two tries
     */
    public Peer dial(
            String to,
            Service service,
            Supplier<@Nullable InetSocketAddress> address,
            long maxPauseMillis) {
        return new Peer(to, service, address, maxPauseMillis);
    }

    /** One outgoing link, dialled again whenever it ends. */
    public final class Peer implements AutoCloseable {
        private final String to;
        private final Service service;
        private final Supplier<@Nullable InetSocketAddress> address;
        private final long maxPauseMillis;
        private final Semaphore wake = new Semaphore(0);
        private volatile @Nullable Link link;
        private volatile boolean ended;

        private Peer(
                String to,
                Service service,
                Supplier<@Nullable InetSocketAddress> address,
                long maxPauseMillis) {
            this.to = to;
            this.service = service;
            this.address = address;
            this.maxPauseMillis = maxPauseMillis;
            Thread.ofVirtual().name("link-dial").start(this::dialLoop);
        }

        /** The live link; null while there is none. */
        public @Nullable Link link() {
            Link now = link;
            return now != null && now.isOpen() ? now : null;
        }

        /** Something was learned about the peer: try at once. */
        public void wake() {
            wake.release();
        }

        @Override
        public void close() {
            ended = true;
            Link now = link;
            if (now != null) {
                now.close(new IOException("ended"));
            }
            wake.release();
        }

        private void dialLoop() {
            long pause = MIN_PAUSE_MILLIS;
            while (!stopped && !ended) {
                try {
                    Link dialled = connect();
                    link = dialled;
                    pause = MIN_PAUSE_MILLIS;
                    while (dialled.isOpen() && !ended) {
                        wake.acquire();
                    }
                } catch (IOException | RuntimeException e) {
                    LOG.debug("no link: to={} error=\"{}\"", to, e.toString());
                } catch (InterruptedException e) {
                    return;
                }
                if (!rest(pause)) {
                    return;
                }
                pause = Math.min(maxPauseMillis, pause * 2);
            }
            Link last = link;
            if (last != null) {
                last.close(new IOException("ended"));
            }
        }

        /** Half of the pause is chance, so that two do not keep step. */
        private boolean rest(long pause) {
            try {
                wake.tryAcquire(
                        pause / 2 + ThreadLocalRandom.current().nextLong(pause),
                        TimeUnit.MILLISECONDS);
                wake.drainPermits();
                return true;
            } catch (InterruptedException e) {
                return false;
            }
        }

        private Link connect() throws IOException {
            InetSocketAddress at = address.get();
            if (at == null) {
                throw new ConnectException("no address");
            }
            Socket socket = new Socket();
            greeting.put(socket, System.nanoTime());
            boolean greeted = false;
            try {
                socket.setTcpNoDelay(true);
                socket.connect(at, CONNECT_MILLIS);
                Stream stream = dialled(socket);
                new Hello(service.id(), cluster.get(), service.self(), to)
                        .write(new DataOutputStream(stream.out));
                Hello hello = Hello.read(new DataInputStream(stream.in));
                if (!isOurs(hello, service) || (!to.isEmpty() && !hello.from().equals(to))) {
                    throw new ProtocolException("somebody else is at " + at);
                }
                if (greeting.remove(socket) == null) {
                    throw new SocketTimeoutException("hello");
                }
                Link dialled = start(hello.from(), service, stream, this::wake, false, PING_NANOS);
                greeted = true;
                return dialled;
            } finally {
                if (!greeted) {
                    greeting.remove(socket);
                    closeQuietly(socket);
                }
            }
        }
    }

    /** Sleeps until something is due, so that links at rest cost next to nothing. */
    private void tickLoop() {
        long planned = System.nanoTime();
        while (!stopped) {
            long now = System.nanoTime();
            // Whatever is asked from here on, and may not be seen below, wakes us.
            nextTick = now + FAR_NANOS;
            long next = tickAll(planned, now);
            planned = now + Math.max(MIN_TICK_NANOS, next - now);
            nextTick = planned;
            LockSupport.parkNanos(planned - System.nanoTime());
        }
    }

    /**
     * Does what is due.
     *
     * @param planned when this was to be called; long ago when this process itself was away
     * @return when it is to be called again
     */
    long tickAll(long planned, long now) {
        boolean wasAway = now - planned > AWAY_NANOS;
        boolean busy = askedOfLate || !greeting.isEmpty();
        askedOfLate = false;
        long next = now + (busy ? BUSY_TICK_NANOS : MAX_TICK_NANOS);
        for (Link link : links) {
            if (wasAway) {
                link.forgive(now);
            }
            long due = tick(link, now);
            next = due - next < 0 ? due : next;
        }
        greeting.forEach((socket, since) -> {
            if (now - since > HELLO_NANOS && greeting.remove(socket) != null) {
                closeQuietly(socket);
            }
        });
        return next;
    }

    /** One link's trouble must not stop the clock of the others. */
    private static long tick(Link link, long now) {
        try {
            return link.tick(now, SILENT_NANOS);
        } catch (RuntimeException e) {
            LOG.error("a link's end was not taken well: peer={}", link.peer(), e);
            return now;
        }
    }

    /** Something is due at {@code nanos}. */
    private void lookBy(long nanos) {
        if (nanos - nextTick < 0) {
            // Whoever asks in haste asks again: better a few looks too many than a wake-up each
            // time.
            askedOfLate = true;
            LockSupport.unpark(timer);
        }
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(ACCEPT_PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Links that are open now. */
    public int links() {
        return links.size();
    }

    private static void closeQuietly(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // Closed is closed.
        }
    }

    /** Closes the port and all links; the port is free when this returns. */
    @Override
    public void close() {
        stopped = true;
        try {
            if (listener != null) {
                listener.close();
            }
            if (acceptor != null) {
                acceptor.join(TimeUnit.SECONDS.toMillis(1));
            }
            LockSupport.unpark(timer);
            timer.join(TimeUnit.SECONDS.toMillis(1));
        } catch (IOException e) {
            // Closed is closed.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        greeting.keySet().forEach(Hub::closeQuietly);
        links.forEach(link -> link.close(new IOException("stopped")));
    }
}
