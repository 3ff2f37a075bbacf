package registry.api.client;

import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Sends requests to one agent and hands back its answers, whatever their status: no retries, no
 * redirects, nothing hidden. Safe for any thread; calls block.
 */
public final class RegistryClient implements AutoCloseable {
    private static final Duration CONNECT = Duration.ofSeconds(5);

    private final URI agent;
    private final @Nullable String token;
    private final HttpClient http;

    /** An answer. */
    public record Answer(int status, byte[] body, HttpResponse<byte[]> response) {
        public boolean isOk() {
            return status >= 200 && status < 300;
        }

        public String text() {
            return new String(body, StandardCharsets.UTF_8);
        }

        /** {@code X-Consul-Index}, where the endpoint has one. */
        public OptionalLong index() {
            return response.headers().firstValueAsLong("X-Consul-Index");
        }

        public Optional<String> header(String name) {
            return response.headers().firstValue(name);
        }
    }

    /**
     * @param agent {@code http://host:port}, without a path
     * @param token sent as {@code X-Consul-Token}; null or empty for none
     */
    public RegistryClient(URI agent, @Nullable String token) {
        this.agent = agent;
        this.token = token;
        this.http =
                HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .connectTimeout(CONNECT)
                        .build();
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
        var publisher =
                body.length == 0
                        ? HttpRequest.BodyPublishers.noBody()
                        : HttpRequest.BodyPublishers.ofByteArray(body);
        var request =
                HttpRequest.newBuilder(URI.create(agent + pathAndQuery))
                        .method(method, publisher)
                        .timeout(timeout);
        if (token != null && !token.isEmpty()) {
            request.header("X-Consul-Token", token);
        }
        return await(
                http.sendAsync(request.build(), HttpResponse.BodyHandlers.ofByteArray()), timeout);
    }

    /**
     * The request's own timeout ends with the headers; this one also holds for a body that stops
     * half way.
     */
    private static Answer await(CompletableFuture<HttpResponse<byte[]>> pending, Duration timeout)
            throws IOException, InterruptedException {
        try {
            HttpResponse<byte[]> response = pending.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
            return new Answer(response.statusCode(), response.body(), response);
        } catch (TimeoutException e) {
            throw new HttpTimeoutException("request timed out");
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case HttpTimeoutException timedOut -> throw timedOut;
                case IOException io -> throw new IOException(text(io), io);
                case null, default -> throw new IOException(e);
            }
        } finally {
            // Does nothing to an answer that has come; takes an interrupted or late exchange off
            // the wire.
            pending.cancel(true);
        }
    }

    /** The JDK's ConnectException often has no message of its own. */
    private static String text(IOException e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause.getMessage() != null) {
                return cause.getMessage();
            }
        }
        return e instanceof ConnectException ? "connection refused" : e.getClass().getSimpleName();
    }

    public Answer get(String pathAndQuery, Duration timeout)
            throws IOException, InterruptedException {
        return send("GET", pathAndQuery, new byte[0], timeout);
    }

    public Answer put(String pathAndQuery, byte[] body, Duration timeout)
            throws IOException, InterruptedException {
        return send("PUT", pathAndQuery, body, timeout);
    }

    @Override
    public void close() {
        http.close();
    }
}
