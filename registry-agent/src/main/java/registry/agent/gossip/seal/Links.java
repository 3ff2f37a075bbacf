package registry.agent.gossip.seal;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** The TCP connections of gossip: makes them, and ends those of a key that is taken away. */
public final class Links {
    /** So long a connection may take to begin. */
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    /** What is on its way when a key is taken away, the answer to that above all, gets through. */
    private static final long GRACE_MILLIS = 300;

    private final Keyring ring;
    private final Duration patience;
    private final Set<GossipSocket> sealed = ConcurrentHashMap.newKeySet();
    private final Complaints complaints = new Complaints();

    public Links(Keyring ring) {
        this(ring, PATIENCE);
    }

    /** With the patience of a test. */
    Links(Keyring ring, Duration patience) {
        this.ring = ring;
        this.patience = patience;
        ring.onRemoval(this::endAllOf);
    }

    public Keyring keyring() {
        return ring;
    }

    /** A connection that this node will open. */
    public Socket dialling() {
        return new GossipSocket(this);
    }

    /** Where others arrive; to be bound. */
    public ServerSocket door() throws IOException {
        return new Door(this);
    }

    /**
     * Asks whether a member lives there that would let this node in. Blocks.
     *
     * @throws RefusedException when it would not
     * @throws IOException when nobody answers
     */
    public void knock(InetSocketAddress at, int millis) throws IOException {
        try (var socket = new Socket()) {
            socket.connect(at, millis);
            socket.setSoTimeout(millis);
            if (ring.speaksPlain()) {
                Handshake.ask(socket.getInputStream(), socket.getOutputStream());
            } else {
                Handshake.dial(ring, socket.getInputStream(), socket.getOutputStream());
            }
        }
    }

    long patienceMillis() {
        return patience.toMillis();
    }

    Complaints complaints() {
        return complaints;
    }

    void opened(GossipSocket socket) {
        sealed.add(socket);
    }

    void closed(GossipSocket socket) {
        sealed.remove(socket);
    }

    private void endAllOf(GossipKey key) {
        later(
                GRACE_MILLIS,
                () -> {
                    for (GossipSocket socket : sealed) {
                        if (socket.isSealedWith(key)) {
                            socket.end();
                        }
                    }
                });
    }

    static void later(long millis, Runnable work) {
        CompletableFuture.delayedExecutor(millis, TimeUnit.MILLISECONDS, Thread::startVirtualThread)
                .execute(work);
    }
}
