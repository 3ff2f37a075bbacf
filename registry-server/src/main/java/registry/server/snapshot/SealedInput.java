package registry.server.snapshot;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.Arrays;

/**
 * Bytes behind which their SHA-256 stands: hands out all but the digest, and fails at the end when
 * it is not theirs.
 */
final class SealedInput extends InputStream {
    private static final int BUFFER = 1 << 16;

    private final InputStream in;
    private final MessageDigest digest;
    private final int seal;
    private final byte[] buffer;
    private int from;
    private int to;
    private boolean ended;

    SealedInput(InputStream in, MessageDigest digest) {
        this.in = in;
        this.digest = digest;
        this.seal = digest.getDigestLength();
        this.buffer = new byte[BUFFER + seal];
    }

    @Override
    public int read() throws IOException {
        var one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        int ready = ready(length);
        if (ready <= 0) {
            return -1;
        }
        System.arraycopy(buffer, from, target, offset, ready);
        take(ready);
        return ready;
    }

    /** The digest has to see what nobody reads, but nobody has to copy it. */
    @Override
    public long skip(long most) throws IOException {
        int ready = most <= 0 ? 0 : ready(most);
        if (ready <= 0) {
            return 0;
        }
        take(ready);
        return ready;
    }

    private int ready(long most) throws IOException {
        while (!ended && to - from <= seal) {
            fill();
        }
        return (int) Math.min(most, to - from - seal);
    }

    private void take(int bytes) throws IOException {
        digest.update(buffer, from, bytes);
        from += bytes;
        if (ended && to - from == seal) {
            verify();
        }
    }

    private void fill() throws IOException {
        System.arraycopy(buffer, from, buffer, 0, to - from);
        to -= from;
        from = 0;
        int read = in.read(buffer, to, buffer.length - to);
        if (read >= 0) {
            to += read;
            return;
        }
        ended = true;
        if (to < seal) {
            throw new IOException("it ends early");
        }
        if (to == seal) {
            verify();
        }
    }

    private void verify() throws IOException {
        if (!Arrays.equals(digest.digest(), Arrays.copyOfRange(buffer, from, to))) {
            throw new IOException("its checksum does not hold");
        }
    }
}
