package registry.agent.cli;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;

/**
 * Runs commands in this JVM against a server that gives prepared answers and remembers requests.
 */
final class CommandLine implements AutoCloseable {
    private final HttpServer server;
    private final Map<String, Answer> answers = new ConcurrentHashMap<>();
    private final List<String> requests = Collections.synchronizedList(new ArrayList<>());
    private final Map<String, String> environment = new HashMap<>();
    private final Map<String, String> headers = new ConcurrentHashMap<>();

    private record Answer(int status, String body) {}

    /** How a command ended. */
    record Result(int code, String out, String err) {}

    CommandLine() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", this::answer);
        server.start();
        environment.put("CONSUL_HTTP_ADDR", address());
    }

    String address() {
        return "127.0.0.1:" + server.getAddress().getPort();
    }

    /** Prepares an answer for {@code METHOD path?query}. */
    CommandLine on(String request, int status, String body) {
        answers.put(request, new Answer(status, body));
        return this;
    }

    CommandLine variable(String name, String value) {
        environment.put(name, value);
        return this;
    }

    /** Requests with their bodies behind a blank. */
    List<String> requests() {
        return List.copyOf(requests);
    }

    /** A header of the last request, empty when it had none. */
    String header(String name) {
        return headers.getOrDefault(name, "");
    }

    private void answer(HttpExchange exchange) throws IOException {
        String request = exchange.getRequestMethod() + " " + exchange.getRequestURI();
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        requests.add(body.isEmpty() ? request : request + " " + body);
        headers.clear();
        exchange.getRequestHeaders()
                .forEach((name, values) -> headers.put(name, values.getFirst()));
        Answer answer = answers.getOrDefault(request, new Answer(404, "unexpected " + request));
        byte[] bytes = answer.body().getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().add("X-Consul-Index", "7");
        // This server closes as it is asked to, but does not say so, as agents do.
        exchange.getResponseHeaders().add("Connection", "close");
        exchange.sendResponseHeaders(answer.status(), bytes.length == 0 ? -1 : bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    Result run(String... words) {
        return runWith("", words);
    }

    Result runWith(String input, String... words) {
        var out = new ByteArrayOutputStream();
        var err = new ByteArrayOutputStream();
        var terminal =
                new Terminal(
                        new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)),
                        new PrintStream(out, true, StandardCharsets.UTF_8),
                        new PrintStream(err, true, StandardCharsets.UTF_8),
                        environment);
        int code = new Main(terminal, "consul").run(List.of(words));
        return new Result(
                code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
