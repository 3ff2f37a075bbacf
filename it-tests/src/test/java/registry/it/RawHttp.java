package registry.it;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.zip.GZIPInputStream;

/**
 * Sends bytes as they are, on a connection of their own, and reads what comes back until the other
 * side closes.
 */
final class RawHttp {
    private final int port;
    private final int patienceMillis;

    /**
     * What came back: status 0 when the connection was closed without an answer, -1 when nothing
     * happened in time.
     */
    record Answer(int status, String head, String body) {
        static final int NONE = 0;
        static final int HANG = -1;

        String header(String name) {
            for (String line : head.split("\r\n")) {
                if (line.regionMatches(true, 0, name + ":", 0, name.length() + 1)) {
                    return line.substring(name.length() + 1).strip();
                }
            }
            return "";
        }
    }

    RawHttp(int port, int patienceMillis) {
        this.port = port;
        this.patienceMillis = patienceMillis;
    }

    /**
     * @param endOfInput whether to tell the other side that nothing more comes, as a client does
     *     that gives up half-way
     */
    Answer send(byte[] request, boolean endOfInput) {
        long deadline = System.nanoTime() + patienceMillis * 1_000_000L;
        var received = new ByteArrayOutputStream();
        try (var socket = new Socket()) {
            socket.connect(
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), port), patienceMillis);
            socket.setTcpNoDelay(true);
            try {
                socket.getOutputStream().write(request);
                if (endOfInput) {
                    socket.shutdownOutput();
                }
            } catch (IOException refused) {
                // The answer to an oversize request may come, and the connection end, before all of
                // it is sent.
            }
            var buffer = new byte[65_536];
            while (true) {
                long left = (deadline - System.nanoTime()) / 1_000_000;
                if (left <= 0) {
                    return new Answer(Answer.HANG, "", received.toString(UTF_8));
                }
                socket.setSoTimeout((int) left);
                int n = socket.getInputStream().read(buffer);
                if (n < 0) {
                    return parse(received.toByteArray());
                }
                received.write(buffer, 0, n);
            }
        } catch (SocketTimeoutException hang) {
            return new Answer(Answer.HANG, "", received.toString(UTF_8));
        } catch (IOException reset) {
            return parse(received.toByteArray());
        }
    }

    private static Answer parse(byte[] bytes) {
        String text = new String(bytes, ISO_8859_1);
        if (text.startsWith("HTTP/1.1 100 ")) {
            int next = text.indexOf("HTTP/1.1 ", 9);
            text = next < 0 ? "" : text.substring(next);
        }
        int end = text.indexOf("\r\n\r\n");
        if (end < 0 || !text.startsWith("HTTP/1.1 ")) {
            return new Answer(Answer.NONE, text, "");
        }
        var answer =
                new Answer(Integer.parseInt(text.substring(9, 12)), text.substring(0, end), "");
        byte[] body = text.substring(end + 4).getBytes(ISO_8859_1);
        if (answer.header("Transfer-Encoding").equals("chunked")) {
            body = unchunk(body);
        }
        if (answer.header("Content-Encoding").equals("gzip")) {
            body = gunzip(body);
        }
        return new Answer(answer.status(), answer.head(), new String(body, UTF_8));
    }

    private static byte[] unchunk(byte[] chunked) {
        var body = new ByteArrayOutputStream();
        String text = new String(chunked, ISO_8859_1);
        int at = 0;
        while (true) {
            int line = text.indexOf("\r\n", at);
            int length = line < 0 ? 0 : Integer.parseInt(text.substring(at, line).strip(), 16);
            if (length == 0 || line + 2 + length > chunked.length) {
                return body.toByteArray();
            }
            body.write(chunked, line + 2, length);
            at = line + 2 + length + 2;
        }
    }

    private static byte[] gunzip(byte[] zipped) {
        try (var in = new GZIPInputStream(new java.io.ByteArrayInputStream(zipped))) {
            return in.readAllBytes();
        } catch (IOException cut) {
            return zipped;
        }
    }
}
