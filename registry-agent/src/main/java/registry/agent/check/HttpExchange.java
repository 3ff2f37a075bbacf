package registry.agent.check;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import javax.net.ssl.SSLException;

/**
 * One HTTP/1.1 question on a connection of its own. The JDK's clients would set neither Host nor
 * Connection and keep pools and threads that an agent with thousands of checks has to pay for; this
 * is a socket and a deadline. Source: RFC 9112
 */
final class HttpExchange {
    /** Longest status line or header line, and all headers together. */
    private static final int MAX_HEADER_BYTES = 64 << 10;

    /** Who sends more than this has answered; the rest is not waited for. */
    private static final long MAX_BODY_BYTES = 1 << 20;

    /**
     * @param status code and reason as sent, {@code 200 OK}
     * @param location where to go instead, empty when there is none
     */
    record Answer(int code, String status, String location, String body) {
        boolean isRedirect() {
            return !location.isEmpty()
                    && switch (code) {
                        case 301, 302, 303, 307, 308 -> true;
                        default -> false;
                    };
        }
    }

    private final URI uri;
    private final String method;
    private final Map<String, List<String>> header;
    private final byte[] body;
    private final boolean verify;
    private final long deadline;
    private final int maxBytes;

    HttpExchange(
            URI uri,
            String method,
            Map<String, List<String>> header,
            String body,
            boolean verify,
            long deadlineNanos,
            int maxBytes) {
        this.uri = uri;
        this.method = method;
        this.header = header;
        this.body = body.getBytes(StandardCharsets.UTF_8);
        this.verify = verify;
        this.deadline = deadlineNanos;
        this.maxBytes = maxBytes;
    }

    /**
     * @throws IOException with the reason in the words of Go's client
     */
    Answer run() throws IOException, InterruptedException {
        String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
        boolean tls = scheme.equals("https");
        if (!tls && !scheme.equals("http")) {
            throw new IOException("unsupported protocol scheme \"" + scheme + "\"");
        }
        String authority = uri.getRawAuthority();
        if (authority == null) {
            throw new IOException("http: no Host in request URL");
        }
        HostPort target =
                HostPort.parse(authority.substring(authority.lastIndexOf('@') + 1), tls ? 443 : 80);
        try (Socket plain = Dial.connect(target.host(), target.port(), left());
                Socket socket = tls ? Tls.wrap(plain, target, verify, left(), "http/1.1") : plain) {
            socket.getOutputStream().write(request(authority));
            var in = new BufferedInputStream(new Within(socket), 2048);
            return answer(in);
        } catch (SocketTimeoutException e) {
            throw new IOException(
                    "context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
                    e);
        } catch (SSLException e) {
            throw new IOException("tls: " + e.getMessage(), e);
        } catch (EOFException e) {
            throw new IOException("EOF", e);
        } catch (SocketException e) {
            throw new IOException(Dial.reason(e), e);
        }
    }

    private Duration left() throws SocketTimeoutException {
        long left = deadline - System.nanoTime();
        if (left <= 0) {
            throw new SocketTimeoutException();
        }
        return Duration.ofNanos(left);
    }

    private byte[] request(String authority) {
        var text = new StringBuilder(256);
        String path =
                uri.getRawPath() == null || uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
        text.append(method).append(' ').append(path);
        if (uri.getRawQuery() != null) {
            text.append('?').append(uri.getRawQuery());
        }
        text.append(" HTTP/1.1\r\n");
        if (!header.containsKey("Host")) {
            line(text, "Host", authority.substring(authority.lastIndexOf('@') + 1));
        }
        header.forEach((name, values) -> values.forEach(value -> line(text, name, value)));
        line(text, "Connection", "close");
        if (body.length > 0 || method.equals("POST") || method.equals("PUT")) {
            line(text, "Content-Length", String.valueOf(body.length));
        }
        text.append("\r\n");
        byte[] head = text.toString().getBytes(StandardCharsets.ISO_8859_1);
        byte[] all = new byte[head.length + body.length];
        System.arraycopy(head, 0, all, 0, head.length);
        System.arraycopy(body, 0, all, head.length, body.length);
        return all;
    }

    /** A line break in a name or a value would start a header of its own. */
    private static void line(StringBuilder text, String name, String value) {
        text.append(flat(name)).append(": ").append(flat(value)).append("\r\n");
    }

    private static String flat(String text) {
        return text.replace('\r', ' ').replace('\n', ' ');
    }

    private Answer answer(InputStream in) throws IOException {
        while (true) {
            String status = statusLine(in);
            int code = code(status);
            Map<String, String> fields = fields(in);
            if (code >= 200) {
                return new Answer(
                        code, status, fields.getOrDefault("Location", ""), body(in, code, fields));
            }
        }
    }

    private static String statusLine(InputStream in) throws IOException {
        String line = line(in);
        int blank = line.indexOf(' ');
        if (!line.startsWith("HTTP/") || blank < 0) {
            throw new IOException("malformed HTTP response \"" + line + "\"");
        }
        return line.substring(blank + 1).strip();
    }

    private static int code(String status) throws IOException {
        if (status.length() >= 3
                && status.substring(0, 3).chars().allMatch(c -> c >= '0' && c <= '9')) {
            return Integer.parseInt(status, 0, 3, 10);
        }
        throw new IOException("malformed HTTP status code \"" + status + "\"");
    }

    private static Map<String, String> fields(InputStream in) throws IOException {
        Map<String, String> fields = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        int total = 0;
        for (String line = line(in); !line.isEmpty(); line = line(in)) {
            total += line.length();
            if (total > MAX_HEADER_BYTES) {
                throw new IOException(
                        "server response headers exceeded " + MAX_HEADER_BYTES + " bytes; aborted");
            }
            int colon = line.indexOf(':');
            if (colon > 0) {
                fields.putIfAbsent(
                        line.substring(0, colon).strip(), line.substring(colon + 1).strip());
            }
        }
        return fields;
    }

    private String body(InputStream in, int code, Map<String, String> fields) throws IOException {
        var tail = new Tail(maxBytes);
        if (method.equals("HEAD") || code == 204 || code == 304) {
            return "";
        }
        if (fields.getOrDefault("Transfer-Encoding", "")
                .toLowerCase(Locale.ROOT)
                .endsWith("chunked")) {
            chunks(in, tail);
        } else {
            String length = fields.get("Content-Length");
            copy(in, tail, length == null ? Long.MAX_VALUE : number(length, 10), length != null);
        }
        return tail.text();
    }

    private static void chunks(InputStream in, Tail tail) throws IOException {
        while (tail.total() < MAX_BODY_BYTES) {
            String size = line(in).split(";", 2)[0].strip();
            long length = number(size, 16);
            if (length == 0) {
                return;
            }
            copy(in, tail, length, true);
            line(in);
        }
    }

    private static long number(String text, int radix) throws IOException {
        try {
            return Long.parseUnsignedLong(text, radix);
        } catch (NumberFormatException e) {
            throw new IOException("bad length \"" + text + "\" in response", e);
        }
    }

    private static void copy(InputStream in, Tail tail, long length, boolean exact)
            throws IOException {
        byte[] buffer = new byte[2048];
        long left = length;
        while (left > 0 && tail.total() < MAX_BODY_BYTES) {
            int n = in.read(buffer, 0, (int) Math.min(buffer.length, left));
            if (n < 0) {
                if (exact) {
                    throw new IOException("unexpected EOF");
                }
                return;
            }
            tail.write(buffer, n);
            left -= n;
        }
    }

    private static String line(InputStream in) throws IOException {
        var text = new StringBuilder(64);
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) {
                throw new EOFException();
            }
            text.append((char) b);
            if (text.length() > MAX_HEADER_BYTES) {
                throw new IOException("line in response too long");
            }
        }
        int end = text.length();
        return end > 0 && text.charAt(end - 1) == '\r'
                ? text.substring(0, end - 1)
                : text.toString();
    }

    /** Reads of a socket that end at the exchange's deadline, however slowly the bytes drip. */
    private final class Within extends InputStream {
        private final Socket socket;
        private final InputStream in;

        Within(Socket socket) throws IOException {
            this.socket = socket;
            this.in = socket.getInputStream();
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            socket.setSoTimeout(Math.clamp(left().toMillis(), 1, Integer.MAX_VALUE));
            return in.read(bytes, offset, length);
        }
    }
}
