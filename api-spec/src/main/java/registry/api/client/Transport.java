package registry.api.client;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import registry.api.client.RegistryClient.Answer;

/**
 * Exchanges with agents through the JDK's old client: it works on the caller's thread alone, which
 * costs a third of the CPU that the new one spends on an exchange, and a tenth at the first.
 *
 * @param keepsConnections whether a connection is kept for the next exchange; the JDK keeps as many
 *     idle ones per agent as {@code http.maxConnections} says, 5 by default
 */
record Transport(boolean keepsConnections) {
    private static final Duration CONNECT = Duration.ofSeconds(5);
    private static final int CHUNK = 16 << 10;

    Answer send(
            String method, URI target, Map<String, String> headers, byte[] body, Duration timeout)
            throws IOException, InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        HttpURLConnection connection = open(method, target, headers, timeout);
        boolean done = false;
        try {
            if (method.equals("PUT") || method.equals("POST") || body.length > 0) {
                write(connection, body);
            }
            int status = connection.getResponseCode();
            if (status < 0) {
                throw new IOException("the answer is not HTTP");
            }
            byte[] answer = read(connection, status, deadline);
            done = true;
            return new Answer(status, answer, named(connection.getHeaderFields()));
        } catch (SocketTimeoutException e) {
            var timedOut = new HttpTimeoutException("request timed out");
            timedOut.initCause(e);
            throw timedOut;
        } catch (SocketException e) {
            // The interrupt of a virtual thread closes the socket it waits at.
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            throw e;
        } finally {
            if (!done || !keepsConnections) {
                connection.disconnect();
            }
        }
    }

    /** A connection that has yet to be made. */
    HttpURLConnection open(String method, URI target, Map<String, String> headers, Duration timeout)
            throws IOException {
        var connection = (HttpURLConnection) target.toURL().openConnection();
        connection.setInstanceFollowRedirects(false);
        connection.setUseCaches(false);
        connection.setConnectTimeout((int) CONNECT.toMillis());
        connection.setReadTimeout(Math.clamp(timeout.toMillis(), 1, Integer.MAX_VALUE));
        connection.setRequestMethod(method);
        if (!keepsConnections) {
            connection.setRequestProperty("Connection", "close");
        }
        headers.forEach(connection::setRequestProperty);
        return connection;
    }

    private static void write(HttpURLConnection connection, byte[] body) throws IOException {
        connection.setRequestProperty("Content-Type", "application/octet-stream");
        connection.setDoOutput(true);
        // What is streamed the JDK does not send a second time when the connection ends without an
        // answer: the first may have been carried out.
        connection.setFixedLengthStreamingMode(body.length);
        try (OutputStream out = connection.getOutputStream()) {
            out.write(body);
        }
    }

    /** The timeout for each read becomes one for all of them. */
    private static byte[] read(HttpURLConnection connection, int status, long deadline)
            throws IOException {
        try (InputStream in =
                status >= 400 ? connection.getErrorStream() : connection.getInputStream()) {
            if (in == null) {
                return new byte[0];
            }
            var answer = new ByteArrayOutputStream(Math.max(32, connection.getContentLength()));
            byte[] chunk = new byte[CHUNK];
            for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
                answer.write(chunk, 0, count);
                if (System.nanoTime() - deadline > 0) {
                    throw new SocketTimeoutException("the answer does not end");
                }
            }
            return answer.toByteArray();
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
}
