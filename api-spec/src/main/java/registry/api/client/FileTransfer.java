package registry.api.client;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import registry.api.client.RegistryClient.Answer;

/** Exchanges whose bodies are too long for memory: one connection each. */
final class FileTransfer {
    static final Duration PATIENCE = Duration.ofMinutes(5);
    static final Duration FOREVER = Duration.ofMillis(Integer.MAX_VALUE);
    private static final int BUFFER = 1 << 16;

    private FileTransfer() {}

    /**
     * @param from sent as the body; null for none
     * @param to takes the body of an answer of status 200; any other body stands in the answer
     * @param patience the longest pause
     */
    static Answer exchange(
            String method,
            URI target,
            Map<String, String> headers,
            @Nullable Path from,
            OutputStream to,
            Duration patience)
            throws IOException {
        HttpURLConnection connection = new Transport(false).open(method, target, headers, patience);
        try {
            if (from != null) {
                connection.setRequestProperty("Content-Type", "application/octet-stream");
                connection.setDoOutput(true);
                connection.setFixedLengthStreamingMode(Files.size(from));
                try (OutputStream out = connection.getOutputStream()) {
                    Files.copy(from, out);
                }
            }
            int status = connection.getResponseCode();
            if (status < 0) {
                throw new IOException("the answer is not HTTP");
            }
            var headersOf = Transport.named(connection.getHeaderFields());
            if (status != HttpURLConnection.HTTP_OK) {
                try (InputStream in = connection.getErrorStream()) {
                    byte[] body = in == null ? new byte[0] : in.readAllBytes();
                    return new Answer(status, body, headersOf);
                }
            }
            try (InputStream in = connection.getInputStream()) {
                var bytes = new byte[BUFFER];
                for (int read = in.read(bytes); read >= 0; read = in.read(bytes)) {
                    to.write(bytes, 0, read);
                }
            }
            return new Answer(status, new byte[0], headersOf);
        } finally {
            connection.disconnect();
        }
    }
}
