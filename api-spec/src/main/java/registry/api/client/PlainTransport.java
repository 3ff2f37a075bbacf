package registry.api.client;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import registry.api.client.RegistryClient.Answer;

/** The JDK's old client: a connection per request, ready in a fraction of the time. */
final class PlainTransport implements Transport {
    @Override
    public Answer send(
            String method, URI target, Map<String, String> headers, byte[] body, Duration timeout)
            throws IOException {
        var connection = (HttpURLConnection) target.toURL().openConnection();
        connection.setInstanceFollowRedirects(false);
        connection.setUseCaches(false);
        connection.setConnectTimeout((int) CONNECT.toMillis());
        connection.setReadTimeout((int) Math.min(timeout.toMillis(), Integer.MAX_VALUE));
        connection.setRequestMethod(method);
        connection.setRequestProperty("Connection", "close");
        headers.forEach(connection::setRequestProperty);
        if (method.equals("PUT") || method.equals("POST")) {
            connection.setRequestProperty("Content-Type", "application/octet-stream");
            connection.setDoOutput(true);
            try (OutputStream out = connection.getOutputStream()) {
                out.write(body);
            }
        }
        int status = connection.getResponseCode();
        if (status < 0) {
            throw new IOException("the answer is not HTTP");
        }
        try (InputStream in =
                status >= 400 ? connection.getErrorStream() : connection.getInputStream()) {
            byte[] answer = in == null ? new byte[0] : in.readAllBytes();
            return new Answer(status, answer, named(connection.getHeaderFields()));
        } finally {
            connection.disconnect();
        }
    }

    /** The status line stands in the map under no name. */
    static Map<String, List<String>> named(Map<String, List<String>> fields) {
        var named = new TreeMap<String, List<String>>();
        for (Map.Entry<String, List<String>> field : fields.entrySet()) {
            if (field.getKey() != null) {
                named.put(field.getKey(), field.getValue());
            }
        }
        return named;
    }

    @Override
    public void close() {
        // Every exchange has closed its own connection.
    }
}
