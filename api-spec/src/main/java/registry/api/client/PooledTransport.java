package registry.api.client;

import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import registry.api.client.RegistryClient.Answer;

/** The JDK's client, which keeps connections and ends a call when its thread is interrupted. */
final class PooledTransport implements Transport {
    private final HttpClient http =
            HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .connectTimeout(CONNECT)
                    .build();

    @Override
    public Answer send(
            String method, URI target, Map<String, String> headers, byte[] body, Duration timeout)
            throws IOException, InterruptedException {
        var publisher =
                body.length == 0
                        ? HttpRequest.BodyPublishers.noBody()
                        : HttpRequest.BodyPublishers.ofByteArray(body);
        var request = HttpRequest.newBuilder(target).method(method, publisher).timeout(timeout);
        headers.forEach(request::header);
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
            return new Answer(response.statusCode(), response.body(), response.headers().map());
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

    @Override
    public void close() {
        http.close();
    }
}
