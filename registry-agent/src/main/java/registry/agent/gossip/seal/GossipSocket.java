package registry.agent.gossip.seal;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import registry.agent.gossip.seal.Handshake.Session;

/**
 * A TCP connection between members, sealed or plain. Dialling returns as soon as TCP has connected:
 * the handshake goes on by itself, so that a frozen peer does not hold up who dials, and what is
 * written meanwhile waits for it.
 */
final class GossipSocket extends Socket {
    /** The transport's own first bytes. */
    private static final byte[] COOKIE = "bela".getBytes(StandardCharsets.US_ASCII);

    private static final int MAX_ADDRESS = 64;
    private static final int BUFFER = 8 << 10;

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
                outgoing.flush();
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
        if (session.complete(begun) && begun.key() != null) {
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

    /** Keeps the first bytes until they can be sent; the transport's greeting is that short. */
    private final class Outgoing extends OutputStream {
        private static final int MAX_EARLY = 4_096;

        private byte[] early = {};

        @Override
        public void write(int value) throws IOException {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            if (!session.isDone() && keep(bytes, offset, length)) {
                return;
            }
            OutputStream out = await().out();
            synchronized (this) {
                sendEarly(out);
                out.write(bytes, offset, length);
            }
        }

        private synchronized boolean keep(byte[] bytes, int offset, int length) {
            if (session.isDone() || early.length + length > MAX_EARLY) {
                return false;
            }
            early =
                    ByteBuffer.allocate(early.length + length)
                            .put(early)
                            .put(bytes, offset, length)
                            .array();
            return true;
        }

        private void sendEarly(OutputStream out) throws IOException {
            if (early.length > 0) {
                byte[] first = early;
                early = new byte[0];
                out.write(first);
            }
        }

        @Override
        public void flush() throws IOException {
            if (session.isDone()) {
                OutputStream out = await().out();
                synchronized (this) {
                    sendEarly(out);
                    out.flush();
                }
            }
        }

        @Override
        public void close() throws IOException {
            GossipSocket.this.close();
        }
    }
}
