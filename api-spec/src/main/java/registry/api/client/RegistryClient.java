package registry.api.client;

import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Sends requests to one agent and hands back its answers, whatever their status: no redirects,
 * nothing hidden, but for what the JDK does by itself: a GET or DELETE whose connection ends
 * without a word is sent once more. Safe for any thread; calls block, and end early only when a
 * virtual thread is interrupted.
 */
public final class RegistryClient implements AutoCloseable {
    private final URI agent;
    private final Map<String, String> headers;
    private final Transport transport;

    /**
     * An answer.
     *
     * @param headers values by name, in any case
     */
    public record Answer(int status, byte[] body, Map<String, List<String>> headers) {
        public Answer {
            var byName = new TreeMap<String, List<String>>(String.CASE_INSENSITIVE_ORDER);
            byName.putAll(headers);
            headers = byName;
        }

        public boolean isOk() {
            return status >= 200 && status < 300;
        }

        public String text() {
            return new String(body, StandardCharsets.UTF_8);
        }

        /**
         * {@code X-Consul-Index}, where the endpoint has one: unsigned, as that of events takes all
         * 64 bits.
         */
        public OptionalLong index() {
            try {
                return header("X-Consul-Index")
                        .map(Long::parseUnsignedLong)
                        .map(OptionalLong::of)
                        .orElseGet(OptionalLong::empty);
            } catch (NumberFormatException e) {
                return OptionalLong.empty();
            }
        }

        public Optional<String> header(String name) {
            List<String> values = headers.get(name);
            return values == null || values.isEmpty()
                    ? Optional.empty()
                    : Optional.of(values.getFirst());
        }
    }

    /**
     * Keeps connections for the next request.
     *
     * @param agent {@code http://host:port} or {@code https://host:port}, without a path
     * @param token sent as {@code X-Consul-Token}; null or empty for none
     */
    public RegistryClient(URI agent, @Nullable String token) {
        this(
                agent,
                token == null || token.isEmpty() ? Map.of() : Map.of("X-Consul-Token", token),
                new Transport(true));
    }

    private RegistryClient(URI agent, Map<String, String> headers, Transport transport) {
        this.agent = agent;
        this.headers = Map.copyOf(headers);
        this.transport = transport;
    }

    /**
     * A client for few requests: one connection each.
     *
     * @param headers sent with every request
     */
    public static RegistryClient shortLived(URI agent, Map<String, String> headers) {
        return new RegistryClient(agent, headers, new Transport(false));
    }

    public URI agent() {
        return agent;
    }

    /**
     * @param pathAndQuery begins with {@code /v1/}, encoded already
     * @param timeout for the whole exchange; for a blocking query more than wait × 17/16
     * @throws IOException when the agent can't be reached or the timeout passes
     */
    public Answer send(String method, String pathAndQuery, byte[] body, Duration timeout)
            throws IOException, InterruptedException {
        return transport.send(method, URI.create(agent + pathAndQuery), headers, body, timeout);
    }

    public Answer get(String pathAndQuery, Duration timeout)
            throws IOException, InterruptedException {
        return send("GET", pathAndQuery, new byte[0], timeout);
    }

    public Answer put(String pathAndQuery, byte[] body, Duration timeout)
            throws IOException, InterruptedException {
        return send("PUT", pathAndQuery, body, timeout);
    }

    /**
     * Gets what is too long for memory, over a connection of its own.
     *
     * @param to takes the body of an answer of status 200; any other body stands in the answer
     */
    public Answer download(String pathAndQuery, OutputStream to) throws IOException {
        return FileTransfer.exchange(
                "GET", URI.create(agent + pathAndQuery), headers, null, to, FileTransfer.PATIENCE);
    }

    /** The same for a body that has no end, and may pause for as long as it likes. */
    public Answer follow(String pathAndQuery, OutputStream to) throws IOException {
        return FileTransfer.exchange(
                "GET", URI.create(agent + pathAndQuery), headers, null, to, FileTransfer.FOREVER);
    }

    /** Puts a file, over a connection of its own. */
    public Answer upload(String pathAndQuery, Path file) throws IOException {
        return FileTransfer.exchange(
                "PUT",
                URI.create(agent + pathAndQuery),
                headers,
                file,
                OutputStream.nullOutputStream(),
                FileTransfer.PATIENCE);
    }

    /** Nothing has to be ended: connections that wait for a next request close by themselves. */
    @Override
    public void close() {}
}
