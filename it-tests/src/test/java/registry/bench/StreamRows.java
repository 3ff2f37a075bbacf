package registry.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Ten thousand subscribers to the events of one service: what each holds, when the last is told.
 */
final class StreamRows {
    private static final int SUBSCRIBERS = 10_000;
    private static final long STUCK_NANOS = 60_000_000_000L;
    private static final String PATH = "/v1/health/service/streamed";
    private static final byte[] ID = "\nid: ".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] REQUEST =
            ("GET " + PATH + " HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
                    .getBytes(StandardCharsets.US_ASCII);

    private final House house;
    private final Rounds rounds;
    private final Report report;

    StreamRows(House house, Rounds rounds, Report report) {
        this.house = house;
        this.rounds = rounds;
        this.report = report;
    }

    void measure() {
        try (Subject agent = house.agent()) {
            var api = new Api(agent.port());
            int port = 1000;
            change(api, port++);
            agent.settle();
            double heapBefore = agent.liveBytes();
            double rssBefore = agent.residentBytes();
            int count = rounds.count();
            double[] last = new double[count];
            double[] cpu = new double[count];
            try (var subscribers = new Subscribers(agent.port())) {
                subscribers.awaitEvents();
                agent.settle();
                double heap = (agent.liveBytes() - heapBefore) / SUBSCRIBERS / 1000;
                double rss = (agent.residentBytes() - rssBefore) / SUBSCRIBERS / 1000;
                for (int i = -count; i < count; i++) {
                    agent.settle();
                    long begin = System.nanoTime();
                    long cpuBefore = agent.cpuMicros();
                    change(api, port++);
                    long end = subscribers.awaitEvents();
                    if (i >= 0) {
                        last[i] = (end - begin) / 1e9;
                        cpu[i] = (double) (agent.cpuMicros() - cpuBefore) / SUBSCRIBERS;
                    }
                }
                report.add(Row.SSE_RSS, rss, Double.NaN);
                report.add(Row.SSE_HEAP, heap, Double.NaN);
                report.add(Row.SSE_LAST, Rounds.median(last), Double.NaN);
                report.add(Row.SSE_CPU, Rounds.median(cpu), Double.NaN);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void change(Api api, int port) {
        api.put(
                "/v1/catalog/register",
                Catalog.onItsOwnNode("streamed", 1).replace("8080", Integer.toString(port)));
    }

    /** All subscribers, driven by the calling thread. */
    private static final class Subscribers implements AutoCloseable {
        private final Selector selector = Selector.open();
        private final List<Subscriber> all = new ArrayList<>();
        private final ByteBuffer input = ByteBuffer.allocate(64 << 10);
        private int round;
        private int told;

        Subscribers(int port) throws IOException {
            for (int n = 0; n < SUBSCRIBERS; n++) {
                all.add(new Subscriber(port, selector));
            }
        }

        /** Waits until each has heard one event more; returns the nanoTime of the last. */
        long awaitEvents() throws IOException {
            round++;
            told = 0;
            long begin = System.nanoTime();
            while (told < all.size()) {
                selector.select(key -> read((Subscriber) key.attachment()), 1000);
                if (System.nanoTime() - begin > STUCK_NANOS) {
                    throw new IllegalStateException(
                            (all.size() - told) + " subscribers without an event for 60 s");
                }
            }
            return System.nanoTime();
        }

        private void read(Subscriber subscriber) {
            try {
                input.clear();
                if (subscriber.channel.read(input) < 0) {
                    throw new IllegalStateException("the server closed a connection");
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            int before = subscriber.events;
            subscriber.count(input.flip());
            if (before < round && subscriber.events >= round) {
                told++;
            }
        }

        @Override
        public void close() throws IOException {
            for (Subscriber subscriber : all) {
                subscriber.channel.close();
            }
            selector.close();
        }
    }

    /** Counts the ids that come. */
    private static final class Subscriber {
        final SocketChannel channel;
        int events;
        private int matched;

        Subscriber(int port, Selector selector) throws IOException {
            channel =
                    SocketChannel.open(
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            channel.write(ByteBuffer.wrap(REQUEST));
            channel.configureBlocking(false);
            channel.register(selector, SelectionKey.OP_READ, this);
        }

        void count(ByteBuffer bytes) {
            while (bytes.hasRemaining()) {
                byte b = bytes.get();
                matched = b == ID[matched] ? matched + 1 : b == ID[0] ? 1 : 0;
                if (matched == ID.length) {
                    matched = 0;
                    events++;
                }
            }
        }
    }
}
