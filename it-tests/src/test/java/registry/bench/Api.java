package registry.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** Single calls, for what is not measured. */
final class Api {
    private static final HttpClient HTTP =
            HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .connectTimeout(Duration.ofSeconds(10))
                    .build();

    private final String origin;

    Api(int port) {
        origin = "http://127.0.0.1:" + port;
    }

    HttpResponse<byte[]> get(String path) {
        return send(at(path).GET());
    }

    HttpResponse<byte[]> put(String path, String body) {
        return send(at(path).PUT(HttpRequest.BodyPublishers.ofString(body)));
    }

    HttpResponse<byte[]> post(String path, byte[] body) {
        return send(at(path).POST(HttpRequest.BodyPublishers.ofByteArray(body)));
    }

    static long indexOf(HttpResponse<byte[]> answer) {
        return answer.headers().firstValueAsLong("X-Consul-Index").orElseThrow();
    }

    /** A whole request as it goes over the wire, for {@link Clients}. */
    static byte[] request(String method, String path, String body) {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        String length = method.equals("GET") ? "" : "Content-Length: " + bytes.length + "\r\n";
        return (method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + length + "\r\n" + body)
                .getBytes(StandardCharsets.UTF_8);
    }

    static byte[] getRequest(String path) {
        return request("GET", path, "");
    }

    private HttpRequest.Builder at(String path) {
        return HttpRequest.newBuilder(URI.create(origin + path)).timeout(Duration.ofSeconds(30));
    }

    private static HttpResponse<byte[]> send(HttpRequest.Builder request) {
        HttpRequest built = request.build();
        try {
            HttpResponse<byte[]> answer = HTTP.send(built, HttpResponse.BodyHandlers.ofByteArray());
            if (answer.statusCode() / 100 != 2) {
                throw new IllegalStateException(
                        built.method()
                                + " "
                                + built.uri()
                                + ": "
                                + answer.statusCode()
                                + " "
                                + new String(answer.body(), StandardCharsets.UTF_8).strip());
            }
            return answer;
        } catch (IOException e) {
            throw new UncheckedIOException(built.method() + " " + built.uri(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
