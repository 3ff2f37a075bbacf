package registry.haproxy;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.ToDoubleFunction;
import registry.api.json.Json;

/**
 * {@code /health} for probes (200 while nothing is wrong, else 503 and what) and {@code /metrics}
 * for Prometheus, over the board's latest state.
 */
final class StatusServer implements AutoCloseable {
    private static final Duration STALLED = Duration.ofSeconds(30);

    private final StatusBoard board;
    private final Clock clock;
    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    /**
     * @throws IOException when nobody can listen there
     */
    StatusServer(InetSocketAddress address, StatusBoard board, Clock clock) throws IOException {
        this.board = board;
        this.clock = clock;
        try {
            server = HttpServer.create(address, 0);
        } catch (IOException e) {
            throw new IOException("listen: " + address + ": " + e.getMessage(), e);
        }
        server.setExecutor(threads);
        server.createContext("/health", exchange -> answer(exchange, "/health", this::health));
        server.createContext("/metrics", exchange -> answer(exchange, "/metrics", this::metrics));
        server.start();
    }

    int port() {
        return server.getAddress().getPort();
    }

    private record Page(int status, String type, String text) {}

    private interface Writer {
        Page write(JsonNode state);
    }

    private void answer(HttpExchange exchange, String path, Writer writer) throws IOException {
        try (exchange) {
            Page page =
                    exchange.getRequestURI().getPath().equals(path)
                            ? writer.write(board.latest())
                            : new Page(404, "text/plain", "not found\n");
            byte[] body = page.text().getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", page.type());
            boolean head = exchange.getRequestMethod().equals("HEAD");
            exchange.sendResponseHeaders(page.status(), head ? -1 : body.length);
            if (!head) {
                exchange.getResponseBody().write(body);
            }
        }
    }

    private Page health(JsonNode state) {
        String problem = problem(state);
        var root = Json.mapper().createObjectNode();
        root.put("status", problem.isEmpty() ? "ok" : "failing");
        if (!problem.isEmpty()) {
            root.put("problem", problem);
        }
        String text = new String(Json.write(root), StandardCharsets.UTF_8) + "\n";
        return new Page(problem.isEmpty() ? 200 : 503, "application/json", text);
    }

    private String problem(JsonNode state) {
        Instant looked = board.lookedAt();
        if (looked == null) {
            return "starting";
        }
        if (looked.plus(STALLED).isBefore(clock.instant())) {
            return "no look at HAProxy since " + looked;
        }
        if (state.path("problem").isTextual()) {
            return state.path("problem").asText();
        }
        // Changes on their way are daily life and no reason to restart anything.
        return state.path("loadedVersion").asLong() != 0
                ? ""
                : "HAProxy does not run the configuration written for it";
    }

    private Page metrics(JsonNode state) {
        var out = new StringBuilder();
        one(
                out,
                "in_step",
                "gauge",
                "whether HAProxy served just what it should at the last look",
                flag(state.path("inStep").asBoolean()));
        one(
                out,
                "reloads_total",
                "counter",
                "reloads that HAProxy has done for us",
                state.path("reloads").asLong());
        one(
                out,
                "lost_reloads_total",
                "counter",
                "reloads that HAProxy let fall and that were asked for again",
                state.path("lostReloads").asLong());
        one(
                out,
                "changes_total",
                "counter",
                "changes made through HAProxy's socket",
                state.path("changes").asLong());
        one(
                out,
                "errors_total",
                "counter",
                "passes that met a problem",
                state.path("errors").asLong());
        each(
                out,
                state,
                "service_instances",
                "instances that HAProxy should serve",
                row -> row.path("members").asLong());
        each(
                out,
                state,
                "service_draining",
                "instances that finish what they have",
                row -> row.path("draining").asLong());
        each(
                out,
                state,
                "service_skipped",
                "instances left out because of what they are registered with",
                row -> row.path("skipped").size());
        each(
                out,
                state,
                "service_held",
                "whether instances are served that the registry does not list now",
                row -> flag(row.path("held").asBoolean()));
        each(
                out,
                state,
                "service_failing",
                "whether the last question to the registry failed",
                row -> flag(row.path("error").isTextual()));
        each(
                out,
                state,
                "service_answer_age_seconds",
                "time since the registry's last answer",
                this::age);
        return new Page(200, "text/plain; version=0.0.4; charset=utf-8", out.toString());
    }

    private double age(JsonNode row) {
        String at = row.path("answeredAt").asText();
        return row.path("answeredAt").isTextual()
                ? Duration.between(Instant.parse(at), clock.instant()).toMillis() / 1000.0
                : Double.NaN;
    }

    private static long flag(boolean value) {
        return value ? 1 : 0;
    }

    private static void one(StringBuilder out, String name, String type, String help, long value) {
        head(out, name, type, help);
        out.append("registry_haproxy_" + name + " " + value + "\n");
    }

    /** A key of a service is a plain word: no label needs an escape. */
    private static void each(
            StringBuilder out,
            JsonNode state,
            String name,
            String help,
            ToDoubleFunction<JsonNode> value) {
        head(out, name, "gauge", help);
        for (JsonNode row : state.path("services")) {
            String label = "{service=\"" + row.path("key").asText() + "\"} ";
            double number = value.applyAsDouble(row);
            out.append("registry_haproxy_" + name + label);
            out.append(
                    number == Math.rint(number)
                            ? Long.toString((long) number)
                            : Double.toString(number));
            out.append('\n');
        }
    }

    private static void head(StringBuilder out, String name, String type, String help) {
        out.append("# HELP registry_haproxy_" + name + " " + help + "\n");
        out.append("# TYPE registry_haproxy_" + name + " " + type + "\n");
    }

    @Override
    public void close() {
        server.stop(0);
        threads.close();
    }
}
