package registry.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A cheap load generator: many keep-alive connections, one request under way on each, driven by the
 * calling thread alone. Any status but 2xx ends the measurement.
 */
final class Clients implements AutoCloseable {
    /** The n-th request of a run, ready to be written. */
    interface Requests {
        ByteBuffer next(int n);

        static Requests same(byte[] request) {
            return n -> ByteBuffer.wrap(request);
        }
    }

    /** What a run did: how many answers, in how long, and how long each took. */
    record Run(long wallNanos, long[] sortedNanos) {
        int count() {
            return sortedNanos.length;
        }

        double perSecond() {
            return count() * 1e9 / wallNanos;
        }

        double medianMillis() {
            return sortedNanos[sortedNanos.length / 2] / 1e6;
        }
    }

    private static final class Times {
        private long[] nanos = new long[4096];
        private int count;

        void add(long taken) {
            if (count == nanos.length) {
                nanos = Arrays.copyOf(nanos, count * 2);
            }
            nanos[count++] = taken;
        }

        long[] sorted() {
            long[] sorted = Arrays.copyOf(nanos, count);
            Arrays.sort(sorted);
            return sorted;
        }
    }

    private static final long STUCK_NANOS = Duration.ofSeconds(60).toNanos();

    private final Selector selector;
    private final List<Connection> connections = new ArrayList<>();
    private final ByteBuffer input = ByteBuffer.allocateDirect(256 * 1024);
    private int underWay;
    private long lastAnswer;
    private long lastProgress;

    Clients(int port, int count) {
        try {
            selector = Selector.open();
            for (int i = 0; i < count; i++) {
                connections.add(new Connection(port));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Keeps every connection busy for {@code time}, then waits for what is under way. */
    Run run(Requests requests, Duration time) {
        return run(requests, System.nanoTime() + time.toNanos(), Integer.MAX_VALUE);
    }

    /** Sends {@code count} requests, as fast as the answers come. */
    Run run(Requests requests, int count) {
        return run(requests, Long.MAX_VALUE, count);
    }

    private Run run(Requests requests, long end, int count) {
        long begin = System.nanoTime();
        lastProgress = begin;
        var times = new Times();
        int[] begun = {0};
        for (Connection connection : connections) {
            if (begun[0] < count) {
                connection.send(requests.next(begun[0]++));
            }
        }
        while (underWay > 0) {
            select(connection -> {
                times.add(lastAnswer - connection.sentAt);
                if (begun[0] < count && lastAnswer < end) {
                    connection.send(requests.next(begun[0]++));
                }
            });
        }
        return new Run(lastAnswer - begin, times.sorted());
    }

    /** Sends one request on each connection; answers are taken by {@link #await}. */
    void sendAll(Requests requests) {
        for (int i = 0; i < connections.size(); i++) {
            connections.get(i).send(requests.next(i));
        }
    }

    /** Waits until every connection has its answer; returns the nanoTime of the last. */
    long await() {
        lastProgress = System.nanoTime();
        while (underWay > 0) {
            select(connection -> {});
        }
        return lastAnswer;
    }

    /** How many answers have come within {@code time}; stops at {@code atMost}. */
    int answersWithin(Duration time, int atMost) {
        long end = System.nanoTime() + time.toNanos();
        int before = underWay;
        while (before - underWay < atMost && System.nanoTime() < end) {
            selectFor(10, connection -> {});
        }
        return before - underWay;
    }

    /** Closes the first {@code count} connections without waiting for their answers. */
    void hangUp(int count) {
        List<Connection> gone = connections.subList(0, count);
        for (Connection connection : gone) {
            underWay -= connection.waiting ? 1 : 0;
            connection.close();
        }
        gone.clear();
    }

    private interface Answered {
        void accept(Connection connection);
    }

    private void select(Answered answered) {
        if (selectFor(1000, answered) > 0) {
            lastProgress = System.nanoTime();
        } else if (System.nanoTime() - lastProgress > STUCK_NANOS) {
            throw new IllegalStateException(underWay + " requests without an answer for 60 s");
        }
    }

    private int selectFor(long millis, Answered answered) {
        try {
            return selector.select(key -> ready((Connection) key.attachment(), answered), millis);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void ready(Connection connection, Answered answered) {
        if (connection.receive()) {
            underWay--;
            lastAnswer = System.nanoTime();
            answered.accept(connection);
        }
    }

    @Override
    public void close() {
        connections.forEach(Connection::close);
        try {
            selector.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private final class Connection {
        final SocketChannel channel;
        final Response response = new Response();
        long sentAt;
        boolean waiting;

        Connection(int port) throws IOException {
            channel =
                    SocketChannel.open(
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            channel.configureBlocking(false);
            channel.register(selector, SelectionKey.OP_READ, this);
        }

        void send(ByteBuffer request) {
            sentAt = System.nanoTime();
            waiting = true;
            underWay++;
            try {
                // Requests are far smaller than a socket's send buffer.
                while (request.hasRemaining()) {
                    channel.write(request);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** True when the answer is complete. */
        boolean receive() {
            try {
                input.clear();
                if (channel.read(input) < 0) {
                    throw new IllegalStateException("the server closed a connection");
                }
                if (!response.feed(input.flip())) {
                    return false;
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            if (response.status() / 100 != 2) {
                throw new IllegalStateException("unexpected answer: " + response);
            }
            waiting = false;
            return true;
        }

        void close() {
            try {
                channel.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
