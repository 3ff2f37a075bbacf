package registry.agent.watch;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import registry.api.json.GoDuration;
import registry.api.json.Json;

/** Sends each result to a URL: the JSON as body, the index in {@code X-Consul-Index}. */
final class HttpHandler implements WatchHandler {
    private static final Duration CONNECT = Duration.ofSeconds(5);

    private final JsonNode config;
    private final HttpClient http = HttpClient.newBuilder().connectTimeout(CONNECT).build();

    /**
     * @param config {@code http_handler_config}
     */
    HttpHandler(JsonNode config) {
        this.config = config;
    }

    @Override
    public boolean handle(long index, JsonNode result) throws IOException, InterruptedException {
        var body = HttpRequest.BodyPublishers.ofByteArray(Json.write(result));
        var request =
                HttpRequest.newBuilder(URI.create(config.path("path").asText()))
                        .method(config.path("method").asText("POST"), body)
                        .timeout(GoDuration.parse(config.path("timeout").asText("10s")))
                        .header("Content-Type", "application/json")
                        .header("X-Consul-Index", Long.toUnsignedString(index));
        for (Map.Entry<String, JsonNode> header : config.path("header").properties()) {
            header.getValue().forEach(value -> request.header(header.getKey(), value.asText()));
        }
        HttpResponse<Void> response =
                http.send(request.build(), HttpResponse.BodyHandlers.discarding());
        if (response.statusCode() < 200 || response.statusCode() > 299) {
            throw new IOException(
                    "%s answered %d".formatted(request.build().uri(), response.statusCode()));
        }
        return true;
    }
}
