package registry.agent.gossip.seal;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import javax.crypto.SecretKey;

/**
 * Frames of at most 16 KiB: length, then what {@link Aead} makes of them. They are numbered from 0,
 * so that none can be left out, repeated or moved.
 */
final class SealedOutput extends OutputStream {
    static final int MAX_PLAIN = 16 << 10;
    static final byte[] NOTHING = {};

    private final OutputStream out;
    private final Aead aead;
    private final byte[] pending = new byte[MAX_PLAIN];
    private int size;
    private long number;

    SealedOutput(OutputStream out, SecretKey key) {
        this.out = out;
        this.aead = new Aead(key);
    }

    @Override
    public void write(int value) throws IOException {
        write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        int done = 0;
        while (done < length) {
            if (size == MAX_PLAIN) {
                seal();
            }
            int part = Math.min(length - done, MAX_PLAIN - size);
            System.arraycopy(bytes, offset + done, pending, size, part);
            size += part;
            done += part;
        }
    }

    private void seal() throws IOException {
        byte[] sealed = aead.seal(number++, NOTHING, pending, 0, size);
        size = 0;
        out.write(
                ByteBuffer.allocate(2 + sealed.length)
                        .putShort((short) sealed.length)
                        .put(sealed)
                        .array());
    }

    @Override
    public void flush() throws IOException {
        if (size > 0) {
            seal();
        }
        out.flush();
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
