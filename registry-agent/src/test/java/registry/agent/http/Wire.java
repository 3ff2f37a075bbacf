package registry.agent.http;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A client's end of one connection, byte by byte. */
final class Wire implements AutoCloseable {
    final Socket socket;
    private final InputStream in;

    /** An answer as it came. */
    record Response(int status, List<String> headers, byte[] body) {
        String text() {
            return new String(body, StandardCharsets.UTF_8);
        }

        /** The value of a header; null when it is absent. */
        String header(String name) {
            for (String line : headers) {
                int colon = line.indexOf(':');
                if (line.substring(0, colon).equalsIgnoreCase(name)) {
                    return line.substring(colon + 1).strip();
                }
            }
            return null;
        }
    }

    Wire(int port) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(20_000);
        socket.setTcpNoDelay(true);
        in = new java.io.BufferedInputStream(socket.getInputStream());
    }

    void send(String bytes) throws IOException {
        socket.getOutputStream().write(bytes.getBytes(StandardCharsets.ISO_8859_1));
    }

    void request(String method, String target, byte[] body, String... headers) throws IOException {
        var head = new StringBuilder(method + " " + target + " HTTP/1.1\r\n");
        boolean hasHost = false;
        for (String header : headers) {
            head.append(header).append("\r\n");
            hasHost |= header.startsWith("Host:");
        }
        if (!hasHost) {
            head.append("Host: localhost\r\n");
        }
        if (body != null) {
            head.append("Content-Length: ").append(body.length).append("\r\n");
        }
        var out = new ByteArrayOutputStream();
        out.writeBytes(head.append("\r\n").toString().getBytes(StandardCharsets.UTF_8));
        if (body != null) {
            out.writeBytes(body);
        }
        socket.getOutputStream().write(out.toByteArray());
    }

    void get(String target) throws IOException {
        request("GET", target, null);
    }

    Response response() throws IOException {
        return response("GET");
    }

    /** Status and headers of the next answer. */
    Response head() throws IOException {
        String statusLine = line();
        while (statusLine.startsWith("HTTP/1.1 100")) {
            line();
            statusLine = line();
        }
        var headers = new ArrayList<String>();
        for (String line = line(); !line.isEmpty(); line = line()) {
            headers.add(line);
        }
        return new Response(Integer.parseInt(statusLine.split(" ")[1]), headers, new byte[0]);
    }

    /** The next answer on this connection. */
    Response response(String method) throws IOException {
        Response response = head();
        String length = response.header("Content-Length");
        byte[] body;
        if (method.equals("HEAD")) {
            body = new byte[0];
        } else if ("chunked".equals(response.header("Transfer-Encoding"))) {
            body = chunks();
        } else if (length == null) {
            body = in.readAllBytes();
        } else {
            body = in.readNBytes(Integer.parseInt(length));
        }
        return new Response(response.status(), response.headers(), body);
    }

    private byte[] chunks() throws IOException {
        var body = new ByteArrayOutputStream();
        while (true) {
            byte[] chunk = chunk();
            body.writeBytes(chunk);
            if (chunk.length == 0) {
                return body.toByteArray();
            }
        }
    }

    /**
     * The next chunk of an answer; empty at its end. The server sends the end of a chunk's line
     * with the next one, so it is not waited for here.
     */
    byte[] chunk() throws IOException {
        String size = line();
        if (size.isEmpty()) {
            size = line();
        }
        byte[] chunk = in.readNBytes(Integer.parseInt(size, 16));
        if (chunk.length == 0) {
            line();
        }
        return chunk;
    }

    /** All that comes until the peer closes. */
    String rest() throws IOException {
        return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }

    /** True when the peer has closed, and nothing is left to read. */
    boolean isClosed() throws IOException {
        try {
            return in.read() < 0;
        } catch (java.net.SocketException e) {
            return true;
        }
    }

    private String line() throws IOException {
        var line = new ByteArrayOutputStream();
        while (true) {
            int b = in.read();
            if (b < 0) {
                throw new EOFException("closed after: " + line);
            }
            if (b == '\n') {
                return line.toString(StandardCharsets.ISO_8859_1).stripTrailing();
            }
            line.write(b);
        }
    }

    /** Ends the connection with RST. */
    void reset() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
