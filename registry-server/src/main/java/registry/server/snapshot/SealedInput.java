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
        while (!ended && to - from <= seal) {
            fill();
        }
        int ready = Math.min(length, to - from - seal);
        if (ready <= 0) {
            return -1;
        }
        System.arraycopy(buffer, from, target, offset, ready);
        digest.update(buffer, from, ready);
        from += ready;
        if (ended && to - from == seal) {
            verify();
        }
        return ready;
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
