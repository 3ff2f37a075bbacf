package registry.server.link;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.net.InetAddress;
import java.net.ProtocolException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One TCP connection, seen from either end; requests and replies of both directions share it. No
 * method waits for the network: {@link #call} and {@link Request#reply} fill a bounded buffer that
 * one thread writes out, another thread reads.
 *
 * <p>A frame is its length (4) without these four bytes, kind (1), id of the call (8), type (1),
 * body; big-endian.
 */
public final class Link {
    /** Hears what the other end wants. */
    public interface Handler {
        /** On the reader's thread: hand over, never wait. */
        void request(Request request);

        /** Before the first request. */
        default void opened(Link link) {}

        /** After the last; once. */
        default void closed(Link link) {}
    }

    /** The other end, or this one, had no room or no wish. */
    public static final class Refused extends IOException {
        private static final long serialVersionUID = 1L;

        Refused(String message) {
            super(message);
        }
    }

    /** A question of the other end; answered once, from any thread. */
    public final class Request {
        private final long id;
        private final byte type;
        private final byte[] body;
        private final AtomicBoolean answered = new AtomicBoolean();

        private Request(long id, byte type, byte[] body) {
            this.id = id;
            this.type = type;
            this.body = body;
        }

        public byte type() {
            return type;
        }

        public byte[] body() {
            return body;
        }

        public Link link() {
            return Link.this;
        }

        /**
         * Answers. An answer that finds no room ends the link: it must not look like a slow one.
         */
        public void reply(byte[] answer) {
            if (answer.length > service.maxFrameBytes() - HEAD) {
                refuse("the answer is too large");
                return;
            }
            answer(REPLY, answer);
        }

        /** Answers that it can't be answered. */
        public void refuse(String why) {
            answer(REFUSAL, why.getBytes(StandardCharsets.UTF_8));
        }

        private void answer(byte kind, byte[] bytes) {
            if (!answered.compareAndSet(false, true)) {
                return;
            }
            if (!send(kind, id, type, bytes, 0) && isOpen()) {
                close(new Refused(peer + " does not read its answers"));
            }
            active.decrementAndGet();
            activeBytes.addAndGet(-body.length);
        }
    }

    private record Pending(long deadline, CompletableFuture<byte[]> reply) {}

    private static final VarHandle INT =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle LONG =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    private static final byte PING = 0;
    private static final byte PONG = 1;
    private static final byte REQUEST = 2;
    private static final byte REPLY = 3;
    private static final byte REFUSAL = 4;
    private static final byte[] NOTHING = {};
    private static final int LENGTH = 4;
    private static final int HEAD = 10;
    private static final int SMALL_BUFFER = 8 << 10;
    private static final int LARGE_BUFFER = 256 << 10;
    private static final int SMALL_BODY = 64 << 10;
    private static final int MAX_ACTIVE = 12_000;

    private final String peer;
    private final Service service;

    /** The TCP socket itself, also under TLS: closing it never waits. */
    private final Socket socket;

    private final DataInputStream in;
    private final OutputStream out;
    private final Runnable ended;
    private final LongConsumer due;
    private final long pingNanos;
    private final Map<String, Object> attributes = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<Long, Pending> pending = new ConcurrentHashMap<>();
    private final AtomicLong ids = new AtomicLong();
    private final AtomicInteger active = new AtomicInteger();
    private final AtomicLong activeBytes = new AtomicLong();
    private final AtomicReference<@Nullable Exception> closed = new AtomicReference<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition filled = lock.newCondition();
    private final Condition room = lock.newCondition();
    private byte[] queue = new byte[SMALL_BUFFER];
    private int queued;
    private boolean writerWaits;
    private volatile long lastRead = System.nanoTime();
    private long lastPing;

    /**
     * @param ended told before the handler that the link has ended
     * @param due told when a reply is due, by the time of System.nanoTime
     * @param pingNanos after how much silence the other end is asked for a sign of life
     */
    Link(
            String peer,
            Service service,
            Socket socket,
            InputStream in,
            OutputStream out,
            Runnable ended,
            LongConsumer due,
            long pingNanos) {
        this.peer = peer;
        this.service = service;
        this.socket = socket;
        this.in = new DataInputStream(in);
        this.out = out;
        this.ended = ended;
        this.due = due;
        this.pingNanos = pingNanos;
    }

    void start() {
        service.handler().opened(this);
        service.threads().newThread(this::writeLoop).start();
        service.threads().newThread(this::readLoop).start();
    }

    /** Id of the other end, from its hello. */
    public String peer() {
        return peer;
    }

    public boolean isOpen() {
        return closed.get() == null;
    }

    /** Room for whatever the link's user wants to know about it. */
    public Map<String, Object> attributes() {
        return attributes;
    }

    /**
     * Asks the other end. The future fails with {@link TimeoutException} after {@code
     * timeoutMillis}, with {@link Refused} when there is no room or the other end refuses, and with
     * whatever ended the link.
     *
     * @param waitMillis how long to wait for room in the queue; 0 refuses at once, as Raft, timers
     *     and readers must
     */
    public CompletableFuture<byte[]> call(
            byte type, byte[] body, long timeoutMillis, long waitMillis) {
        long id = ids.incrementAndGet();
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
        Pending call = new Pending(deadline, new CompletableFuture<>());
        // Before it is sent: its reply may be here before send returns.
        pending.put(id, call);
        due.accept(deadline);
        if (!send(REQUEST, id, type, body, waitMillis) && pending.remove(id) != null) {
            Exception why = closed.get();
            call.reply.completeExceptionally(
                    why == null ? new Refused("no room for a message to " + peer) : why);
        }
        return call.reply;
    }

    private boolean send(byte kind, long id, byte type, byte[] body, long waitMillis) {
        int need = LENGTH + HEAD + body.length;
        if (need - LENGTH > service.maxFrameBytes()) {
            return false;
        }
        lock.lock();
        try {
            long left = TimeUnit.MILLISECONDS.toNanos(waitMillis);
            while (isOpen() && (long) queued + need > service.maxQueueBytes()) {
                if (left <= 0) {
                    return false;
                }
                left = room.awaitNanos(left);
            }
            if (!isOpen()) {
                return false;
            }
            append(kind, id, type, body);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            lock.unlock();
        }
    }

    private void append(byte kind, long id, byte type, byte[] body) {
        int need = LENGTH + HEAD + body.length;
        if (queue.length < queued + need) {
            queue =
                    Arrays.copyOf(
                            queue,
                            Math.min(
                                    service.maxQueueBytes(),
                                    Math.max(queued + need, queue.length * 2)));
        }
        INT.set(queue, queued, need - LENGTH);
        queue[queued + 4] = kind;
        LONG.set(queue, queued + 5, id);
        queue[queued + 13] = type;
        System.arraycopy(body, 0, queue, queued + LENGTH + HEAD, body.length);
        queued += need;
        if (writerWaits) {
            filled.signal();
        }
    }

    private void writeLoop() {
        byte[] mine = new byte[SMALL_BUFFER];
        try {
            while (true) {
                int length;
                lock.lock();
                try {
                    while (queued == 0) {
                        if (!isOpen()) {
                            return;
                        }
                        writerWaits = true;
                        filled.await();
                        writerWaits = false;
                    }
                    byte[] full = queue;
                    queue = mine;
                    mine = full;
                    length = queued;
                    queued = 0;
                    room.signalAll();
                } finally {
                    lock.unlock();
                }
                out.write(mine, 0, length);
                out.flush();
                if (mine.length > LARGE_BUFFER) {
                    mine = new byte[SMALL_BUFFER];
                }
            }
        } catch (IOException | InterruptedException e) {
            close(e);
        }
    }

    private void readLoop() {
        try {
            while (true) {
                readFrame();
            }
        } catch (IOException | RuntimeException e) {
            close(e);
        } catch (Error e) {
            close(new IOException(e));
            throw e;
        }
    }

    private void readFrame() throws IOException {
        int length = in.readInt() - HEAD;
        if (length < 0 || length > service.maxFrameBytes() - HEAD) {
            throw new ProtocolException("a frame of " + (length + HEAD) + " bytes");
        }
        byte kind = in.readByte();
        long id = in.readLong();
        byte type = in.readByte();
        byte[] body = readBody(length);
        lastRead = System.nanoTime();
        switch (kind) {
            case PING -> send(PONG, 0, (byte) 0, NOTHING, 0);
            case PONG -> {}
            case REQUEST -> accept(new Request(id, type, body));
            case REPLY, REFUSAL -> {
                Pending call = pending.remove(id);
                if (call == null) {
                    // Late: its deadline has passed.
                    return;
                }
                if (kind == REPLY) {
                    call.reply.complete(body);
                } else {
                    call.reply.completeExceptionally(
                            new Refused(new String(body, StandardCharsets.UTF_8)));
                }
            }
            default -> throw new ProtocolException("a frame of kind " + kind);
        }
    }

    /** A length is a promise: memory grows with what arrives. */
    private byte[] readBody(int length) throws IOException {
        if (length <= SMALL_BODY) {
            byte[] body = new byte[length];
            in.readFully(body);
            return body;
        }
        byte[] body = in.readNBytes(length);
        if (body.length < length) {
            throw new EOFException();
        }
        return body;
    }

    private void accept(Request request) {
        boolean tooMany = active.incrementAndGet() > MAX_ACTIVE;
        boolean tooMuch = activeBytes.addAndGet(request.body.length) > service.maxQueueBytes();
        if (tooMany || tooMuch) {
            request.refuse("busy");
        } else {
            service.handler().request(request);
        }
    }

    /**
     * From the hub's one timer: ends what is over, and asks for a sign of life whoever has not
     * spoken for a while.
     *
     * @return when there may be something to do again, by what is known now
     */
    long tick(long now, long silentNanos) {
        long next = now + silentNanos;
        for (var entry : pending.entrySet()) {
            Pending call = entry.getValue();
            if (now - call.deadline < 0) {
                next = call.deadline - next < 0 ? call.deadline : next;
            } else if (pending.remove(entry.getKey()) != null) {
                call.reply.completeExceptionally(new TimeoutException("no reply from " + peer));
            }
        }
        long silence = now - lastRead;
        if (silence > silentNanos) {
            close(new SocketTimeoutException(peer + " is silent"));
        } else if (silence > pingNanos && now - lastPing > pingNanos) {
            lastPing = now;
            send(PING, 0, (byte) 0, NOTHING, 0);
        }
        long ping = silence > pingNanos ? lastPing + pingNanos : now - silence + pingNanos;
        return ping - next < 0 ? ping : next;
    }

    /** Whether this end was heard after {@code since} from another host than that of {@code of}. */
    boolean isElsewhere(Socket of, long since) {
        return isOpen() && lastRead - since > 0 && !host().equals(host(of));
    }

    /** Where the other end is. */
    String host() {
        return host(socket);
    }

    private static String host(Socket socket) {
        InetAddress address = socket.getInetAddress();
        return address == null ? "" : address.getHostAddress();
    }

    /** This process itself was away: nobody is accused of silence. */
    void forgive(long now) {
        lastRead = now;
    }

    int queuedBytes() {
        lock.lock();
        try {
            return queued;
        } finally {
            lock.unlock();
        }
    }

    /** Ends the link and fails all that is pending; safe from any thread, never waits. */
    public void close(Exception why) {
        if (!closed.compareAndSet(null, why)) {
            return;
        }
        try {
            socket.close();
        } catch (IOException e) {
            // Closed is closed.
        }
        lock.lock();
        try {
            queue = NOTHING;
            queued = 0;
            filled.signal();
            room.signalAll();
        } finally {
            lock.unlock();
        }
        for (Long id : pending.keySet()) {
            Pending call = pending.remove(id);
            if (call != null) {
                call.reply.completeExceptionally(why);
            }
        }
        ended.run();
        service.handler().closed(this);
    }
}
