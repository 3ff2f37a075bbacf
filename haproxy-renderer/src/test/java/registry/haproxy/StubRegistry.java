package registry.haproxy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import registry.api.json.GoDuration;

/**
 * An agent that speaks the blocking queries of {@code /v1/health/service}, on a port that stays its
 * own while it is away.
 */
final class StubRegistry implements AutoCloseable {
    private final Map<String, Map<String, String>> services = new HashMap<>();
    private int port;
    private HttpServer server;
    private long index = 10;
    private int requests;

    StubRegistry() throws IOException {
        start();
    }

    synchronized void start() throws IOException {
        server =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        port = server.getAddress().getPort();
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/v1/health/service/", this::answer);
        server.start();
    }

    /** Goes away, with all that wait. */
    void stop() {
        HttpServer stopped;
        synchronized (this) {
            stopped = server;
            server = null;
            notifyAll();
        }
        if (stopped != null) {
            stopped.stop(0);
        }
    }

    URI uri() {
        return URI.create("http://127.0.0.1:" + port);
    }

    synchronized int requests() {
        return requests;
    }

    /** Registers an instance that passes; address and id as they are, hostile or not. */
    synchronized void put(String service, String id, String address, long port) {
        putRaw(
                service,
                id,
                """
                {"Node":{"Node":"n1","Address":"127.0.0.1"},
                 "Service":{"ID":%s,"Service":"%s","Address":%s,"Port":%d,"Weights":{"Passing":1,"Warning":1}},
                 "Checks":[{"CheckID":"serfHealth","Status":"passing"}]}
                """
                        .formatted(json(id), service, json(address), port));
    }

    synchronized void putRaw(String service, String id, String entry) {
        services.computeIfAbsent(service, s -> new LinkedHashMap<>()).put(id, entry);
        changed();
    }

    synchronized void remove(String service, String id) {
        services.getOrDefault(service, new HashMap<>()).remove(id);
        changed();
    }

    /** As after a wipe: the index begins anew. */
    synchronized void resetIndex() {
        index = 2;
        notifyAll();
    }

    private void changed() {
        index++;
        notifyAll();
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        Map<String, String> query = new HashMap<>();
        String asText = exchange.getRequestURI().getQuery();
        for (String part : asText == null ? new String[0] : asText.split("&")) {
            String[] pair = part.split("=", 2);
            query.put(pair[0], pair.length == 2 ? pair[1] : "");
        }
        String service = path.substring("/v1/health/service/".length());
        byte[] body;
        long now;
        synchronized (this) {
            requests++;
            long asked = Long.parseLong(query.getOrDefault("index", "0"));
            long end =
                    System.nanoTime()
                            + GoDuration.parse(query.getOrDefault("wait", "5m")).toNanos();
            HttpServer mine = server;
            while (asked > 0 && index <= asked && server == mine && System.nanoTime() < end) {
                try {
                    wait(Math.max(1, Math.min(1000, (end - System.nanoTime()) / 1_000_000)));
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
            }
            if (server != mine) {
                exchange.close();
                return;
            }
            now = index;
            body =
                    ("["
                                    + String.join(
                                            ",", services.getOrDefault(service, Map.of()).values())
                                    + "]")
                            .getBytes(StandardCharsets.UTF_8);
        }
        exchange.getResponseHeaders().set("X-Consul-Index", Long.toString(now));
        exchange.sendResponseHeaders(200, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    static String json(String text) {
        return new String(registry.api.json.Json.write(text), StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        stop();
    }
}
