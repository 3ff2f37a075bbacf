package registry.it.haproxy;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/**
 * What HAProxy adds to a request: one client, one request after another, direct and through in
 * turns.
 */
record Hop(Site site) {
    private static final byte[] KEEP = "GET / HTTP/1.1\r\nHost: web\r\n\r\n".getBytes(US_ASCII);

    /** Medians in milliseconds. */
    record Pair(double direct, double through) {
        double added() {
            return through - direct;
        }
    }

    /**
     * @param close whether each request has a connection of its own
     * @param turns of {@code each} requests, direct and through
     */
    Pair measure(boolean close, int turns, int each) {
        int direct = site.instances().getFirst().port();
        median(direct, close, each);
        median(site.front(), close, each);
        List<Double> directs = new ArrayList<>();
        List<Double> throughs = new ArrayList<>();
        for (int turn = 0; turn < turns; turn++) {
            directs.add(median(direct, close, each));
            throughs.add(median(site.front(), close, each));
        }
        return new Pair(Figures.median(directs), Figures.median(throughs));
    }

    private static double median(int port, boolean close, int each) {
        var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        List<Double> millis = new ArrayList<>();
        if (close) {
            for (int i = 0; i < each; i++) {
                OpenLoop.Sample sample = OpenLoop.send(address, System.nanoTime());
                if (!sample.isGood()) {
                    throw new IllegalStateException("request failed: " + sample.failure());
                }
                millis.add(sample.nanos() / 1e6);
            }
            return Figures.median(millis);
        }
        try (var socket = new Socket()) {
            socket.connect(address);
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(5_000);
            var in = new DataInputStream(new java.io.BufferedInputStream(socket.getInputStream()));
            for (int i = 0; i < each; i++) {
                long begun = System.nanoTime();
                socket.getOutputStream().write(KEEP);
                readAnswer(in);
                millis.add(Figures.millisSince(begun));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Figures.median(millis);
    }

    private static void readAnswer(DataInputStream in) throws IOException {
        int length = 0;
        for (String line = line(in); !line.isEmpty(); line = line(in)) {
            if (line.regionMatches(true, 0, "content-length:", 0, 15)) {
                length = Integer.parseInt(line.substring(15).strip());
            }
        }
        in.readFully(new byte[length]);
    }

    private static String line(DataInputStream in) throws IOException {
        var line = new StringBuilder();
        for (int c = in.readUnsignedByte(); c != '\n'; c = in.readUnsignedByte()) {
            if (c != '\r') {
                line.append((char) c);
            }
        }
        return line.toString();
    }
}
