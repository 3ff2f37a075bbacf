package registry.server.raft;

import com.alipay.sofa.jraft.entity.RaftOutter.SnapshotMeta;
import com.google.protobuf.InvalidProtocolBufferException;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.zip.CRC32C;
import java.util.zip.CheckedOutputStream;

/**
 * One snapshot in one file: magic, length of the meta data and the meta data (how far the state
 * goes, who the members were), the state, and at the end the crc32c of all before it.
 */
final class SnapshotFile {
    private static final byte[] MAGIC = {'r', 'e', 'g', 's', 'n', 'a', 'p', 1};
    private static final int CHECKSUM_BYTES = Integer.BYTES;
    private static final int MAX_META_BYTES = 1 << 20;
    private static final int BUFFER_BYTES = 1 << 16;

    private SnapshotFile() {}

    /**
     * Writes and syncs the file; the caller renames it and syncs the directory. Returns its length.
     */
    static long write(Path file, SnapshotMeta meta, Applier.Snapshot state) throws IOException {
        CRC32C checksum = new CRC32C();
        try (var channel =
                FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE,
                        StandardOpenOption.TRUNCATE_EXISTING)) {
            OutputStream raw = Channels.newOutputStream(channel);
            DataOutputStream out =
                    new DataOutputStream(
                            new BufferedOutputStream(
                                    new CheckedOutputStream(raw, checksum), BUFFER_BYTES));
            byte[] metaBytes = meta.toByteArray();
            out.write(MAGIC);
            out.writeInt(metaBytes.length);
            out.write(metaBytes);
            state.writeTo(out);
            out.flush();
            new DataOutputStream(raw).writeInt((int) checksum.getValue());
            channel.force(true);
            return channel.size();
        }
    }

    /**
     * The meta data of a file whose every byte was read and found good.
     *
     * @throws IOException that says what is wrong with it
     */
    static SnapshotMeta verify(Path file) throws IOException {
        CRC32C checksum = new CRC32C();
        long covered = Files.size(file) - CHECKSUM_BYTES;
        try (var in = new DataInputStream(Files.newInputStream(file))) {
            byte[] buffer = new byte[BUFFER_BYTES];
            for (long left = covered; left > 0; ) {
                int read = in.read(buffer, 0, (int) Math.min(left, buffer.length));
                if (read < 0) {
                    throw new EOFException("it ends early");
                }
                checksum.update(buffer, 0, read);
                left -= read;
            }
            if (covered < 0 || in.readInt() != (int) checksum.getValue()) {
                throw new IOException("its checksum does not hold");
            }
        }
        try (var in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
            return readMeta(in);
        }
    }

    /** The state in a file, positioned behind the meta data; ends where the state ends. */
    static InputStream openState(Path file) throws IOException {
        long stateAndHead = Files.size(file) - CHECKSUM_BYTES;
        Bounded bounded = new Bounded(Files.newInputStream(file), stateAndHead);
        InputStream in = new BufferedInputStream(bounded, BUFFER_BYTES);
        try {
            readMeta(new DataInputStream(in));
            return in;
        } catch (IOException e) {
            in.close();
            throw e;
        }
    }

    private static SnapshotMeta readMeta(DataInputStream in) throws IOException {
        byte[] magic = in.readNBytes(MAGIC.length);
        if (!Arrays.equals(magic, MAGIC)) {
            throw new IOException("it is not a snapshot of a version that this program reads");
        }
        int length = in.readInt();
        if (length < 0 || length > MAX_META_BYTES) {
            throw new IOException("its meta data would be " + length + " bytes long");
        }
        byte[] meta = in.readNBytes(length);
        try {
            return SnapshotMeta.parseFrom(meta);
        } catch (InvalidProtocolBufferException e) {
            throw new IOException("its meta data can't be read", e);
        }
    }

    /** Ends after a number of bytes. */
    private static final class Bounded extends FilterInputStream {
        private long left;

        Bounded(InputStream in, long length) {
            super(in);
            left = length;
        }

        @Override
        public int read() throws IOException {
            if (left <= 0) {
                return -1;
            }
            left--;
            return super.read();
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            if (left <= 0) {
                return -1;
            }
            int read = super.read(buffer, offset, (int) Math.min(length, left));
            left -= Math.max(read, 0);
            return read;
        }
    }
}
