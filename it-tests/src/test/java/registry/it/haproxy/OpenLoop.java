package registry.it.haproxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;

/**
 * GETs at a steady rate, each on a connection of its own, whatever becomes of the ones before. None
 * is repeated. Times count from the moment at which a request was to begin: when something stalls,
 * those that wait for it are seen to.
 */
final class OpenLoop implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 5_000;
    private static final byte[] REQUEST =
            "GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n".getBytes(US_ASCII);

    private final InetSocketAddress target;
    private final int perSecond;
    private final Thread pacer;
    private final AtomicInteger sent = new AtomicInteger();
    private final AtomicInteger done = new AtomicInteger();
    private final Queue<Sample> samples = new ConcurrentLinkedQueue<>();
    private volatile boolean running = true;

    /**
     * One request.
     *
     * @param intended when it was to begin, {@link System#nanoTime}
     * @param failure its kind, such as {@code status-503} or {@code read-timeout}; empty when it
     *     was answered with 200
     */
    record Sample(long intended, long nanos, String text, String failure) {
        boolean isGood() {
            return failure.isEmpty();
        }

        long end() {
            return intended + nanos;
        }
    }

    /** Begins at once. */
    OpenLoop(int port, int perSecond) {
        this.target = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        this.perSecond = perSecond;
        this.pacer = Thread.ofPlatform().daemon().name("open-loop").start(this::pace);
    }

    private void pace() {
        long begin = System.nanoTime();
        for (long number = 0; running; number++) {
            long intended = begin + number * 1_000_000_000L / perSecond;
            long left = intended - System.nanoTime();
            while (left > 0) {
                LockSupport.parkNanos(left);
                left = intended - System.nanoTime();
            }
            sent.incrementAndGet();
            Thread.startVirtualThread(() -> {
                samples.add(send(target, intended));
                done.incrementAndGet();
            });
        }
    }

    /** One request that was to begin at {@code intended}. */
    static Sample send(InetSocketAddress target, long intended) {
        String stage = "connect";
        try (var socket = new Socket()) {
            socket.connect(target, PATIENCE_MILLIS);
            socket.setSoTimeout(PATIENCE_MILLIS);
            stage = "write";
            socket.getOutputStream().write(REQUEST);
            stage = "read";
            String answer = new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
            return judge(answer, intended);
        } catch (SocketTimeoutException e) {
            return failed(intended, stage + "-timeout");
        } catch (ConnectException e) {
            return failed(intended, "refused");
        } catch (IOException e) {
            return failed(intended, stage + "-reset");
        }
    }

    private static Sample judge(String answer, long intended) {
        int head = answer.indexOf("\r\n\r\n");
        if (head < 0 || !answer.startsWith("HTTP/1.1 ")) {
            return failed(intended, answer.isEmpty() ? "empty" : "cut");
        }
        String status = answer.substring(9, 12);
        if (!status.equals("200")) {
            return failed(intended, "status-" + status);
        }
        String text = answer.substring(head + 4);
        boolean whole =
                answer.substring(0, head)
                        .toLowerCase(java.util.Locale.ROOT)
                        .contains("content-length: " + text.length());
        return whole
                ? new Sample(intended, System.nanoTime() - intended, text, "")
                : failed(intended, "cut");
    }

    private static Sample failed(long intended, String kind) {
        return new Sample(intended, System.nanoTime() - intended, "", kind);
    }

    int sent() {
        return sent.get();
    }

    /** Waits until requests of {@code time} more have been sent. */
    void runFor(Duration time) {
        int until = sent() + (int) Math.ceil(perSecond * time.toMillis() / 1000.0);
        Awaitility.await()
                .atMost(time.multipliedBy(3).plusSeconds(5))
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(5))
                .until(() -> sent() >= until);
    }

    /**
     * When the first good answer with {@code text} was there, of the requests after {@code from}.
     */
    OptionalLong firstFrom(String text, long from) {
        return samples.stream()
                .filter(sample -> sample.isGood() && sample.text().equals(text))
                .mapToLong(Sample::end)
                .filter(end -> end - from > 0)
                .min();
    }

    /** Stops sending, and waits for the requests on their way. */
    OpenLoop stop() {
        running = false;
        Awaitility.await()
                .atMost(Duration.ofMillis(4L * PATIENCE_MILLIS))
                .pollInterval(Duration.ofMillis(10))
                .until(() -> !pacer.isAlive() && done.get() == sent.get());
        return this;
    }

    List<Sample> samples() {
        return List.copyOf(samples);
    }

    /** How many failed, by kind. */
    Map<String, Long> failures() {
        return samples.stream()
                .filter(sample -> !sample.isGood())
                .collect(
                        Collectors.groupingBy(
                                Sample::failure, TreeMap::new, Collectors.counting()));
    }

    int failed() {
        return (int) samples.stream().filter(sample -> !sample.isGood()).count();
    }

    /** The time that a share of the good requests did not exceed, in milliseconds. */
    double millis(double share) {
        double[] sorted =
                samples.stream()
                        .filter(Sample::isGood)
                        .mapToDouble(sample -> sample.nanos() / 1e6)
                        .sorted()
                        .toArray();
        return Figures.share(sorted, share);
    }

    @Override
    public void close() {
        running = false;
    }
}
