package registry.api.client;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
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
        HttpResponse<byte[]> response =
                http.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
        return new Answer(response.statusCode(), response.body(), response.headers().map());
    }

    @Override
    public void close() {
        http.close();
    }
}
