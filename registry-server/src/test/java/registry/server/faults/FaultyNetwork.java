package registry.server.faults;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Stands between servers whose links are real: for each pair and direction there is a door, and
 * frames that go through it are lost, doubled, delayed and so overtaken, as the {@link Weather} is
 * between the two.
 */
final class FaultyNetwork implements AutoCloseable {
    /** What happens to frames from one server to another. */
    record Weather(boolean cut, double lost, double doubled, double late, int lateMillis) {
        static final Weather FINE = new Weather(false, 0, 0, 0, 0);
        static final Weather CUT = new Weather(true, 0, 0, 0, 0);
    }

    private record Way(String from, String to) {}

    private static final int HEAD = 10;
    private static final int HELLO_FIXED = 6;
    private static final byte REQUEST = 2;
    private static final byte REPLY = 3;

    private final Map<Way, Weather> weather = new ConcurrentHashMap<>();
    private final Map<Way, Door> doors = new ConcurrentHashMap<>();
    private final Map<String, Integer> ports = new ConcurrentHashMap<>();

    /** Counts a server's lives: what a dead one still says goes nowhere. */
    private final Map<String, AtomicLong> lives = new ConcurrentHashMap<>();

    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final ScheduledExecutorService later = Executors.newScheduledThreadPool(1);
    private final Promises promises;
    private volatile boolean closed;

    /**
     * @param promises hears what servers say to each other about votes and leaders
     */
    FaultyNetwork(Promises promises) {
        this.promises = promises;
    }

    /** Where {@code from} finds {@code to}. */
    InetSocketAddress address(String from, String to) {
        return doors.computeIfAbsent(new Way(from, to), way -> new Door(way)).address();
    }

    /** The server listens here from now on. */
    void up(String server, int port) {
        ports.put(server, port);
    }

    /** Nothing that the server says from now on is heard by anybody. */
    void down(String server) {
        life(server).incrementAndGet();
        ports.remove(server);
        doors.forEach((way, door) -> {
            if (way.from.equals(server) || way.to.equals(server)) {
                door.hangUp();
            }
        });
    }

    void weather(String from, String to, Weather next) {
        weather.put(new Way(from, to), next);
    }

    private Weather between(String from, String to) {
        return weather.getOrDefault(new Way(from, to), Weather.FINE);
    }

    private AtomicLong life(String server) {
        return lives.computeIfAbsent(server, name -> new AtomicLong());
    }

    /** Takes the calls of one server for another. */
    private final class Door {
        private final Way way;
        private final ServerSocket socket;
        private final Set<Socket> open = ConcurrentHashMap.newKeySet();

        Door(Way way) {
            this.way = way;
            try {
                socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
            Thread.ofVirtual().name("door " + way).start(this::accept);
        }

        InetSocketAddress address() {
            return (InetSocketAddress) socket.getLocalSocketAddress();
        }

        void hangUp() {
            open.forEach(FaultyNetwork::closeQuietly);
        }

        private void accept() {
            while (!closed) {
                try {
                    Socket caller = socket.accept();
                    sockets.add(caller);
                    open.add(caller);
                    Thread.ofVirtual().name("connection " + way).start(() -> connect(caller));
                } catch (IOException e) {
                    // Closed, or out of descriptors for a moment.
                }
            }
        }

        private void connect(Socket caller) {
            Integer port = ports.get(way.to);
            boolean cut = between(way.from, way.to).cut() || between(way.to, way.from).cut();
            if (port == null || cut) {
                forget(caller);
                return;
            }
            Socket called = new Socket();
            sockets.add(called);
            open.add(called);
            try {
                caller.setTcpNoDelay(true);
                called.setTcpNoDelay(true);
                called.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                Map<Long, Object> questions = new ConcurrentHashMap<>();
                var there = new Pipe(way, caller, called, questions);
                var back = new Pipe(new Way(way.to, way.from), called, caller, questions);
                Thread.ofVirtual().name("pipe " + way).start(() -> run(back, called, caller));
                run(there, caller, called);
            } catch (IOException e) {
                forget(caller);
                forget(called);
            }
        }

        private void run(Pipe pipe, Socket one, Socket other) {
            try {
                pipe.run();
            } catch (IOException e) {
                // Either end has hung up.
            } finally {
                forget(one);
                forget(other);
            }
        }

        private void forget(Socket socket) {
            closeQuietly(socket);
            open.remove(socket);
            sockets.remove(socket);
        }
    }

    /** One direction of one connection. */
    private final class Pipe {
        private final Way way;
        private final DataInputStream in;
        private final DataOutputStream out;
        private final Map<Long, Object> questions;
        private final long lifeOfSender;

        Pipe(Way way, Socket from, Socket to, Map<Long, Object> questions) throws IOException {
            this.way = way;
            this.in = new DataInputStream(new BufferedInputStream(from.getInputStream(), 1 << 16));
            this.out = new DataOutputStream(to.getOutputStream());
            this.questions = questions;
            this.lifeOfSender = life(way.from).get();
        }

        void run() throws IOException {
            passHello();
            while (true) {
                byte[] frame = new byte[in.readInt()];
                in.readFully(frame);
                pass(frame);
            }
        }

        private void passHello() throws IOException {
            out.write(in.readNBytes(HELLO_FIXED));
            for (int i = 0; i < 3; i++) {
                int length = in.readUnsignedByte();
                out.writeByte(length);
                out.write(in.readNBytes(length));
            }
            out.flush();
        }

        private void pass(byte[] frame) throws IOException {
            Weather now = between(way.from, way.to);
            if (life(way.from).get() != lifeOfSender) {
                throw new IOException("its sender is dead");
            }
            overhear(frame);
            var random = ThreadLocalRandom.current();
            if (now.cut() || random.nextDouble() < now.lost()) {
                return;
            }
            int copies = random.nextDouble() < now.doubled() ? 2 : 1;
            for (int i = 0; i < copies; i++) {
                if (random.nextDouble() < now.late()) {
                    int millis = 1 + random.nextInt(now.lateMillis());
                    try {
                        later.schedule(() -> writeLate(frame), millis, TimeUnit.MILLISECONDS);
                    } catch (RejectedExecutionException closing) {
                        return;
                    }
                } else {
                    write(frame);
                }
            }
        }

        private void writeLate(byte[] frame) {
            try {
                write(frame);
            } catch (IOException e) {
                // Its connection is gone.
            }
        }

        private void write(byte[] frame) throws IOException {
            byte[] whole = new byte[Integer.BYTES + frame.length];
            java.nio.ByteBuffer.wrap(whole).putInt(frame.length).put(frame);
            synchronized (out) {
                out.write(whole);
            }
        }

        private void overhear(byte[] frame) {
            if (frame.length < HEAD) {
                return;
            }
            byte kind = frame[0];
            long id = java.nio.ByteBuffer.wrap(frame).getLong(1);
            byte[] body = java.util.Arrays.copyOfRange(frame, HEAD, frame.length);
            if (kind == REQUEST) {
                Object asked = promises.asked(frame[HEAD - 1], body);
                if (asked != null) {
                    questions.put(id, asked);
                }
            } else if (kind == REPLY) {
                @Nullable Object asked = questions.remove(id);
                if (asked != null) {
                    promises.answered(way.from, asked, body);
                }
            }
        }
    }

    private static void closeQuietly(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // Closed is closed.
        }
    }

    @Override
    public void close() {
        closed = true;
        for (Door door : doors.values()) {
            try {
                door.socket.close();
            } catch (IOException e) {
                // Closed is closed.
            }
        }
        sockets.forEach(FaultyNetwork::closeQuietly);
        later.shutdownNow();
    }
}
