package registry.haproxy;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A backend that answers every request with its name, and that can die as a killed process does:
 * all its sockets at once.
 */
final class BackendServer implements AutoCloseable {
    private final String name;
    private final int port;
    private final ServerSocket server;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final CountDownLatch released = new CountDownLatch(1);
    private final AtomicInteger requests = new AtomicInteger();

    BackendServer(String name) throws IOException {
        this(name, 0);
    }

    BackendServer(String name, int wantedPort) throws IOException {
        this.name = name;
        server = new ServerSocket();
        server.setReuseAddress(true);
        server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), wantedPort), 1024);
        port = server.getLocalPort();
        Thread.ofVirtual().start(this::accept);
    }

    int port() {
        return port;
    }

    /** Requests but for HAProxy's checks. */
    int requests() {
        return requests.get();
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket socket = server.accept();
                open.add(socket);
                Thread.ofVirtual().start(() -> serve(socket));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            InputStream in = socket.getInputStream();
            var head = new StringBuilder();
            while (true) {
                head.setLength(0);
                while (head.length() < 4 || !head.substring(head.length() - 4).equals("\r\n\r\n")) {
                    int c = in.read();
                    if (c < 0) {
                        return;
                    }
                    head.append((char) c);
                }
                String text = head.toString().toLowerCase(Locale.ROOT);
                if (!text.startsWith("get /health")) {
                    requests.incrementAndGet();
                }
                if (text.startsWith("get /slow")) {
                    released.await();
                }
                boolean close = text.contains("connection: close");
                String reply =
                        "HTTP/1.1 200 OK\r\nContent-Length: "
                                + name.length()
                                + (close ? "\r\nConnection: close" : "")
                                + "\r\n\r\n"
                                + name;
                socket.getOutputStream().write(reply.getBytes(StandardCharsets.US_ASCII));
                if (close) {
                    return;
                }
            }
        } catch (IOException | InterruptedException e) {
            // The other side has gone, or we have been killed.
        } finally {
            open.remove(socket);
        }
    }

    /** Answers those that asked for {@code /slow}. */
    void release() {
        released.countDown();
    }

    /** As kill -9: every connection is reset. */
    void kill() throws IOException {
        server.close();
        for (Socket socket : open) {
            socket.setSoLinger(true, 0);
            socket.close();
        }
    }

    @Override
    public void close() throws IOException {
        kill();
    }
}
