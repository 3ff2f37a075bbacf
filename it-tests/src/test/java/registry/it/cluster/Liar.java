package registry.it.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import registry.api.client.RegistryClient;
import registry.api.client.RegistryClient.Answer;

/**
 * Stands before an agent and does what a faulty one would: a workload that does not turn red behind
 * it proves nothing. Every tenth answer is false.
 */
final class Liar implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration OVERSLEPT = Duration.ofSeconds(4);
    private static final int EVERY = 10;

    private final Lie lie;
    private final RegistryClient agent;
    private final HttpServer server;
    private final Map<String, Answer> before = new ConcurrentHashMap<>();
    private final AtomicInteger count = new AtomicInteger();

    /** What is wrong with it. */
    enum Lie {
        /** As a leader that was deposed and does not know: consistent reads of what was. */
        STALE_READ,
        /** As a log whose tail is dropped. */
        LOST_WRITE,
        /** As a waiter that is registered after the read it guards. */
        LOST_WAKE_UP,
        /** As a state whose index is not carried by a snapshot. */
        OLD_INDEX,
        /** As a leader that believes a suspicion without looking. */
        FALSE_DEATH
    }

    Liar(URI agent, Lie lie) throws IOException {
        this.lie = lie;
        this.agent = new RegistryClient(agent, null);
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", this::handle);
        server.start();
    }

    URI uri() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            Answer answer = answer(exchange);
            answer.index()
                    .ifPresent(index ->
                            exchange.getResponseHeaders()
                                    .set("X-Consul-Index", Long.toString(told(exchange, index))));
            boolean empty = answer.body().length == 0;
            exchange.sendResponseHeaders(answer.status(), empty ? -1 : answer.body().length);
            exchange.getResponseBody().write(answer.body());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private long told(HttpExchange exchange, long index) {
        boolean asked = exchange.getRequestURI().toString().contains("index=");
        return lie == Lie.OLD_INDEX && asked && isDue() ? 1 : index;
    }

    private Answer answer(HttpExchange exchange) throws IOException, InterruptedException {
        String path = exchange.getRequestURI().toString();
        byte[] body = exchange.getRequestBody().readAllBytes();
        String method = exchange.getRequestMethod();
        if (lie == Lie.LOST_WRITE && method.equals("PUT") && path.startsWith("/v1/kv") && isDue()) {
            return new Answer(200, "true".getBytes(UTF_8), Map.of());
        }
        if (lie == Lie.STALE_READ && path.contains("consistent") && isDue()) {
            Answer old = before.get(path);
            if (old != null) {
                return old;
            }
        }
        Answer answer = agent.send(method, path, body, PATIENCE);
        if (path.contains("consistent")) {
            before.putIfAbsent(path, answer);
        }
        if (lie == Lie.FALSE_DEATH && path.startsWith("/v1/health/state") && isDue()) {
            String dead = answer.text().replace("passing", "critical");
            return new Answer(answer.status(), dead.getBytes(UTF_8), Map.of());
        }
        if (lie == Lie.LOST_WAKE_UP && path.contains("index=") && isDue()) {
            LockSupport.parkNanos(OVERSLEPT.toNanos());
        }
        return answer;
    }

    private boolean isDue() {
        return count.incrementAndGet() % EVERY == 0;
    }

    @Override
    public void close() {
        server.stop(0);
        agent.close();
    }
}
