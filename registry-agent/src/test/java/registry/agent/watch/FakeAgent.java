package registry.agent.watch;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Executors;

/** An agent with one state: a query that knows its index waits for the next one. */
final class FakeAgent implements AutoCloseable {
    private final HttpServer server;
    private final List<String> requests = Collections.synchronizedList(new ArrayList<>());
    private long index = 1;
    private int status = 200;
    private String body = "{}";

    FakeAgent() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", this::answer);
        server.start();
    }

    URI uri() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    List<String> requests() {
        return List.copyOf(requests);
    }

    /** Changes the state and wakes whoever waits. */
    synchronized void set(long nextIndex, int nextStatus, String nextBody) {
        index = nextIndex;
        status = nextStatus;
        body = nextBody;
        notifyAll();
    }

    private void answer(HttpExchange exchange) throws IOException {
        String target = exchange.getRequestURI().toString();
        String sent = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        requests.add(
                sent.isEmpty()
                        ? target
                        : target
                                + " "
                                + exchange.getRequestHeaders().getFirst("X-Consul-Index")
                                + " "
                                + sent);
        int at = target.indexOf("index=");
        long known = at < 0 ? 0 : Long.parseUnsignedLong(target.substring(at + "index=".length()));
        byte[] bytes;
        int code;
        synchronized (this) {
            try {
                while (known == index) {
                    wait();
                }
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            bytes = body.getBytes(StandardCharsets.UTF_8);
            code = status;
            exchange.getResponseHeaders().add("X-Consul-Index", Long.toUnsignedString(index));
        }
        exchange.sendResponseHeaders(code, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
