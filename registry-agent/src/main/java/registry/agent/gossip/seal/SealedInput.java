package registry.agent.gossip.seal;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import javax.crypto.SecretKey;

/** Reads what {@link SealedOutput} wrote, and fails at the first byte that is not its. */
final class SealedInput extends InputStream {
    private final InputStream in;
    private final Aead aead;
    private byte[] plain = SealedOutput.NOTHING;
    private int at;
    private long number;

    SealedInput(InputStream in, SecretKey key) {
        this.in = in;
        this.aead = new Aead(key);
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        while (at == plain.length) {
            if (!readFrame()) {
                return -1;
            }
        }
        int part = Math.min(length, plain.length - at);
        System.arraycopy(plain, at, bytes, offset, part);
        at += part;
        return part;
    }

    private boolean readFrame() throws IOException {
        int high = in.read();
        if (high < 0) {
            return false;
        }
        int low = in.read();
        int length = high << 8 | low;
        if (low < 0) {
            throw new EOFException();
        }
        if (length <= Aead.TAG_BYTES || length > SealedOutput.MAX_PLAIN + Aead.TAG_BYTES) {
            throw new IOException("gossip frame of " + length + " bytes");
        }
        byte[] sealed = in.readNBytes(length);
        if (sealed.length < length) {
            throw new EOFException();
        }
        byte[] opened = aead.open(number++, SealedOutput.NOTHING, sealed, 0, length);
        if (opened == null) {
            throw new IOException("gossip frame is not authentic");
        }
        plain = opened;
        at = 0;
        return true;
    }

    @Override
    public int available() {
        return plain.length - at;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
