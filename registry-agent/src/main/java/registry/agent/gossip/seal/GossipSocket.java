package registry.agent.gossip.seal;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import registry.agent.gossip.seal.Handshake.Session;

/**
 * A TCP connection between members, sealed or plain. Dialling returns as soon as TCP has connected:
 * the handshake goes on by itself, so that a frozen peer does not hold up who dials, and what is
 * written meanwhile waits for it. Writing never blocks.
 */
final class GossipSocket extends Socket {
    /** The transport's own first bytes. */
    private static final byte[] COOKIE = "bela".getBytes(StandardCharsets.US_ASCII);

    private static final int MAX_ADDRESS = 64;
    private static final int BUFFER = 8 << 10;

    /** So much a peer may be behind. */
    private static final int MAX_QUEUED = 4 << 20;

    private final Links links;
    private final CompletableFuture<Session> session = new CompletableFuture<>();
    private final Outgoing outgoing = new Outgoing();

    GossipSocket(Links links) {
        this.links = links;
    }

    boolean isSealedWith(GossipKey key) {
        return session.isDone()
                && !session.isCompletedExceptionally()
                && key.equals(session.join().key());
    }

    @Override
    public void connect(SocketAddress endpoint, int timeout) throws IOException {
        super.connect(endpoint, timeout);
        if (links.keyring().speaksPlain()) {
            begin(new Session(buffered(), super.getOutputStream(), null));
            return;
        }
        Links.later(links.patienceMillis(), this::giveUp);
        Thread.startVirtualThread(() -> {
            try {
                begin(Handshake.dial(links.keyring(), buffered(), super.getOutputStream()));
            } catch (IOException e) {
                if (e instanceof RefusedException) {
                    links.complaints().refusedBy(getInetAddress(), String.valueOf(e.getMessage()));
                }
                fail(e);
            }
        });
    }

    private InputStream buffered() throws IOException {
        return new BufferedInputStream(super.getInputStream(), BUFFER);
    }

    private void begin(Session begun) {
        if (!session.complete(begun)) {
            return;
        }
        Thread.startVirtualThread(outgoing::send);
        if (begun.key() != null) {
            links.opened(this);
            if (isClosed()) {
                links.closed(this);
            }
        }
    }

    private void giveUp() {
        if (!session.isDone()) {
            fail(new IOException("the other side does not answer"));
        }
    }

    private void fail(IOException why) {
        session.completeExceptionally(why);
        end();
    }

    /**
     * As who is called: settles whether and how to talk, and reads the transport's own greeting
     * ahead, so that whoever takes this connection over need not wait for it. Blocks.
     *
     * @return whether there is something to take over
     */
    boolean admit() {
        Links.later(links.patienceMillis(), this::giveUp);
        try {
            InputStream in = buffered();
            byte[] first = in.readNBytes(COOKIE.length);
            Session admitted = null;
            if (Arrays.equals(first, Handshake.MAGIC)) {
                admitted = Handshake.answer(links.keyring(), in, super.getOutputStream());
                first = admitted == null ? first : admitted.in().readNBytes(COOKIE.length);
            } else if (Arrays.equals(first, COOKIE)) {
                if (!links.keyring().admitsPlain()) {
                    throw new RefusedException(
                            "it does not encrypt its gossip, and this node does");
                }
                admitted = new Session(in, super.getOutputStream(), null);
            }
            if (admitted == null || !Arrays.equals(first, COOKIE)) {
                fail(new IOException("a stranger, or only a knock"));
                return false;
            }
            var ahead = new ByteArrayInputStream(greeting(admitted.in()));
            begin(
                    new Session(
                            new SequenceInputStream(ahead, admitted.in()),
                            admitted.out(),
                            admitted.key()));
            return !isClosed();
        } catch (IOException e) {
            if (e instanceof RefusedException) {
                links.complaints().refused(getInetAddress(), String.valueOf(e.getMessage()));
            }
            fail(e);
            return false;
        }
    }

    /** Cookie, version, size of the address, address. */
    private static byte[] greeting(InputStream raw) throws IOException {
        var in = new DataInputStream(raw);
        short version = in.readShort();
        int size = in.readUnsignedShort();
        if (size > MAX_ADDRESS) {
            throw new IOException("an address of " + size + " bytes");
        }
        byte[] address = in.readNBytes(size);
        return ByteBuffer.allocate(COOKIE.length + 2 * Short.BYTES + address.length)
                .put(COOKIE)
                .putShort(version)
                .putShort((short) size)
                .put(address)
                .array();
    }

    private Session await() throws IOException {
        try {
            return session.join();
        } catch (CompletionException e) {
            throw new SocketException(String.valueOf(e.getCause())); // the transport's quiet end
        }
    }

    @Override
    public InputStream getInputStream() {
        return new Incoming();
    }

    @Override
    public OutputStream getOutputStream() {
        return outgoing;
    }

    @Override
    public void close() throws IOException {
        links.closed(this);
        session.completeExceptionally(new IOException("closed"));
        outgoing.end();
        super.close();
    }

    void end() {
        try {
            close();
        } catch (IOException e) {
            // It is over either way.
        }
    }

    /** Reads once there is something to read from. */
    private final class Incoming extends InputStream {
        @Override
        public int read() throws IOException {
            return stillOpen().read();
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            return stillOpen().read(bytes, offset, length);
        }

        private InputStream stillOpen() throws IOException {
            InputStream in = await().in();
            if (isClosed()) {
                throw new SocketException("Socket closed");
            }
            return in;
        }

        @Override
        public void close() throws IOException {
            GossipSocket.this.close();
        }
    }

    /**
     * Takes what is written without ever blocking; a thread of its own sends it, once there is a
     * session. So a frozen peer holds up nobody; one that is too far behind is given up.
     */
    private final class Outgoing extends OutputStream {
        private final ByteArrayOutputStream pending = new ByteArrayOutputStream();
        private final BlockingQueue<byte[]> queue = new LinkedBlockingQueue<>();
        private final AtomicInteger queued = new AtomicInteger();

        @Override
        public synchronized void write(int value) {
            pending.write(value);
        }

        @Override
        public synchronized void write(byte[] bytes, int offset, int length) {
            pending.write(bytes, offset, length);
        }

        @Override
        public synchronized void flush() throws IOException {
            if (isClosed()) {
                throw new SocketException("Socket closed");
            }
            if (pending.size() == 0) {
                return;
            }
            byte[] next = pending.toByteArray();
            pending.reset();
            if (queued.addAndGet(next.length) > MAX_QUEUED) {
                fail(new IOException("the other side takes nothing"));
                throw new SocketException("the other side takes nothing");
            }
            queue.add(next);
        }

        private void send() {
            try {
                OutputStream out = await().out();
                byte[] next = queue.take();
                while (next.length > 0) {
                    out.write(next);
                    queued.addAndGet(-next.length);
                    if (queue.isEmpty()) {
                        out.flush();
                    }
                    next = queue.take();
                }
            } catch (IOException e) {
                fail(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        private void end() {
            queue.add(new byte[0]);
        }

        @Override
        public void close() throws IOException {
            GossipSocket.this.close();
        }
    }
}
