package registry.haproxy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Phaser;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Open-loop load: so many new connections a second, each with one request, whether the last ones
 * were answered or not.
 */
final class LoadClient implements AutoCloseable {
    private final int port;
    private final Thread pacer;
    private final Phaser running = new Phaser(1);
    private final AtomicInteger sent = new AtomicInteger();
    private final Queue<String> failures = new ConcurrentLinkedQueue<>();
    private final ConcurrentMap<String, Long> lastSeen = new ConcurrentHashMap<>();
    private final ConcurrentMap<String, AtomicInteger> answers = new ConcurrentHashMap<>();
    private volatile boolean stopped;

    LoadClient(int port, int perSecond) {
        this.port = port;
        pacer = Thread.ofPlatform().start(() -> pace(perSecond));
    }

    private void pace(int perSecond) {
        long begun = System.nanoTime();
        for (long count = 0; !stopped; count++) {
            long due = begun + count * 1_000_000_000L / perSecond;
            LockSupport.parkNanos(due - System.nanoTime());
            running.register();
            sent.incrementAndGet();
            Thread.ofVirtual().start(this::request);
        }
    }

    private void request() {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 10_000);
            socket.setSoTimeout(10_000);
            socket.getOutputStream()
                    .write(
                            "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
                                    .getBytes(StandardCharsets.US_ASCII));
            String reply =
                    new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            if (!reply.startsWith("HTTP/1.1 200")) {
                failures.add(reply.lines().findFirst().orElse("nothing"));
                return;
            }
            String name = reply.substring(reply.indexOf("\r\n\r\n") + 4);
            answers.computeIfAbsent(name, n -> new AtomicInteger()).incrementAndGet();
            lastSeen.put(name, System.nanoTime());
        } catch (IOException e) {
            failures.add(e.toString());
        } finally {
            running.arriveAndDeregister();
        }
    }

    int sent() {
        return sent.get();
    }

    Queue<String> failures() {
        return failures;
    }

    int answersOf(String name) {
        AtomicInteger count = answers.get(name);
        return count == null ? 0 : count.get();
    }

    /** When the backend of that name answered last, by System.nanoTime. */
    long lastSeen(String name) {
        return lastSeen.getOrDefault(name, 0L);
    }

    Map<String, AtomicInteger> answers() {
        return answers;
    }

    /** Stops, and waits for the answers that are still to come. */
    @Override
    public void close() {
        stopped = true;
        try {
            pacer.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        running.arriveAndAwaitAdvance();
    }
}
