package registry.bench;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Asks over UDP, one question under way on each socket, driven by the calling thread alone. */
final class DnsClients implements AutoCloseable {
    private static final int EDNS_BYTES = 1232;
    private static final int LOST_MILLIS = 5000;

    /** Where a message has the number of its answer records. */
    private static final int ANSWERS_AT = 6;

    private final Selector selector;
    private final List<DatagramChannel> sockets = new ArrayList<>();
    private final ByteBuffer input = ByteBuffer.allocateDirect(64 << 10);

    DnsClients(int port, int count) {
        try {
            selector = Selector.open();
            for (int i = 0; i < count; i++) {
                DatagramChannel socket = DatagramChannel.open();
                socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                socket.configureBlocking(false);
                socket.register(selector, SelectionKey.OP_READ, socket);
                sockets.add(socket);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A message of one question of class IN, with EDNS. */
    static byte[] question(String name, int type) {
        var message = new ByteArrayOutputStream();
        // ID 1, recursion desired, one question, one additional record.
        message.writeBytes(new byte[] {0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1});
        for (String label : name.split("\\.")) {
            message.write(label.length());
            message.writeBytes(label.getBytes(StandardCharsets.US_ASCII));
        }
        message.writeBytes(new byte[] {0, 0, (byte) type, 0, 1});
        message.writeBytes(
                new byte[] {0, 0, 41, EDNS_BYTES >> 8, (byte) EDNS_BYTES, 0, 0, 0, 0, 0, 0});
        return message.toByteArray();
    }

    /**
     * Keeps every socket busy for {@code time}; returns how many answers came.
     *
     * @throws IllegalStateException when an answer does not come or has no records
     */
    int run(byte[] question, Duration time) {
        long end = System.nanoTime() + time.toNanos();
        int[] count = {0};
        int[] underWay = {0};
        try {
            for (DatagramChannel socket : sockets) {
                ask(socket, question);
                underWay[0]++;
            }
            while (underWay[0] > 0) {
                int ready =
                        selector.select(
                                key -> {
                                    var socket = (DatagramChannel) key.attachment();
                                    receive(socket);
                                    count[0]++;
                                    if (System.nanoTime() < end) {
                                        ask(socket, question);
                                    } else {
                                        underWay[0]--;
                                    }
                                },
                                LOST_MILLIS);
                if (ready == 0) {
                    throw new IllegalStateException("a question without an answer");
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return count[0];
    }

    private static void ask(DatagramChannel socket, byte[] question) {
        try {
            socket.write(ByteBuffer.wrap(question));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void receive(DatagramChannel socket) {
        try {
            input.clear();
            socket.read(input);
            if (input.flip().limit() <= ANSWERS_AT || input.getShort(ANSWERS_AT) == 0) {
                throw new IllegalStateException("an answer without records");
            }
        } catch (PortUnreachableException e) {
            throw new IllegalStateException("nobody listens for DNS", e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        try {
            for (DatagramChannel socket : sockets) {
                socket.close();
            }
            selector.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
