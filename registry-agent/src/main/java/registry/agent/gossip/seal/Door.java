package registry.agent.gossip.seal;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Lets members in. Whoever comes is asked who he is on a thread of his own, so that strangers who
 * say nothing hold up nobody; {@code accept} hands out only those who may come in. The thread
 * {@code gossip-door} accepts for TCP.
 */
final class Door extends ServerSocket {
    private static final int MAX_ASKED = 256;
    private static final long PAUSE_NANOS = 100_000_000;
    private static final Duration END = Duration.ofSeconds(1);

    private final Links links;
    private final AtomicBoolean opened = new AtomicBoolean();
    private final Thread keeper =
            Thread.ofPlatform().daemon().name("gossip-door").unstarted(this::run);
    private final AtomicInteger asked = new AtomicInteger();

    /** Empty: closed. */
    private final BlockingQueue<Optional<GossipSocket>> admitted = new LinkedBlockingQueue<>();

    Door(Links links) throws IOException {
        this.links = links;
    }

    @Override
    public Socket accept() throws IOException {
        if (opened.compareAndSet(false, true)) {
            keeper.start();
        }
        try {
            Optional<GossipSocket> next = admitted.take();
            if (next.isEmpty()) {
                admitted.add(next);
                throw new SocketException("Socket closed");
            }
            return next.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SocketException("interrupted");
        }
    }

    private void run() {
        while (!isClosed()) {
            var socket = new GossipSocket(links);
            try {
                implAccept(socket);
            } catch (IOException e) {
                LockSupport.parkNanos(PAUSE_NANOS);
                continue;
            }
            if (asked.incrementAndGet() > MAX_ASKED) {
                asked.decrementAndGet();
                socket.end();
                continue;
            }
            Thread.startVirtualThread(() -> {
                try {
                    if (socket.admit()) {
                        admitted.add(Optional.of(socket));
                    }
                } finally {
                    asked.decrementAndGet();
                }
            });
        }
        admitted.add(Optional.empty());
    }

    @Override
    public void close() throws IOException {
        super.close();
        admitted.add(Optional.empty());
        try {
            keeper.join(END); // the port is free when nobody waits at it any more
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
