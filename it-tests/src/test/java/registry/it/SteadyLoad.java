package registry.it;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * GETs of one address at a steady rate, whatever becomes of the ones before. Every other one on a
 * connection of its own. Each has 5 s; none is repeated.
 */
final class SteadyLoad implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final HttpClient http =
            HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .connectTimeout(PATIENCE)
                    .build();
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
    private final RawHttp alone;
    private final URI target;
    private final ScheduledFuture<?> ticks;
    private final AtomicInteger sent = new AtomicInteger();
    private final AtomicInteger answered = new AtomicInteger();
    private final Queue<String> failures = new ConcurrentLinkedQueue<>();
    private final Queue<Seen> seen = new ConcurrentLinkedQueue<>();

    /** A good answer: when it came, and its text. */
    record Seen(long nanoTime, String text) {}

    SteadyLoad(int port, int perSecond) {
        target = URI.create("http://127.0.0.1:" + port + "/");
        alone = new RawHttp(port, (int) PATIENCE.toMillis());
        long period = TimeUnit.SECONDS.toNanos(1) / perSecond;
        ticks =
                clock.scheduleAtFixedRate(
                        () -> Thread.startVirtualThread(this::send),
                        0,
                        period,
                        TimeUnit.NANOSECONDS);
    }

    int sent() {
        return sent.get();
    }

    /** What went wrong with requests, one text each. */
    Queue<String> failures() {
        return failures;
    }

    /** Whether an answer with this text came after {@code nanoTime}. */
    boolean hasSeen(String text, long nanoTime) {
        return seen.stream()
                .anyMatch(each -> each.text().equals(text) && each.nanoTime() - nanoTime > 0);
    }

    /** Stops, and waits for the requests on their way. */
    void stop() {
        ticks.cancel(false);
        org.awaitility.Awaitility.await()
                .atMost(PATIENCE.multipliedBy(2))
                .until(() -> answered.get() + failures.size() >= sent.get());
    }

    private void send() {
        int number = sent.incrementAndGet();
        try {
            int status;
            String text;
            if (number % 2 == 0) {
                var answer =
                        alone.send(
                                "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                                        .getBytes(java.nio.charset.StandardCharsets.UTF_8),
                                false);
                status = answer.status();
                text = answer.body();
            } else {
                var answer =
                        http.send(
                                HttpRequest.newBuilder(target).timeout(PATIENCE).build(),
                                BodyHandlers.ofString());
                status = answer.statusCode();
                text = answer.body();
            }
            if (status == 200) {
                seen.add(new Seen(System.nanoTime(), text));
                answered.incrementAndGet();
            } else {
                failures.add("request " + number + ": status " + status + " " + text);
            }
        } catch (IOException e) {
            failures.add("request " + number + ": " + e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        ticks.cancel(false);
        clock.shutdownNow();
        http.shutdownNow();
    }
}
