package registry.server.snapshot;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.List;
import java.util.zip.Deflater;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipException;
import registry.api.json.Json;
import registry.server.state.State;
import registry.server.state.StateCodec;
import registry.server.state.TableDef;
import registry.server.state.Tx;

/**
 * A state as a file for users, gzipped: magic, version, what it says of itself (length and JSON),
 * the tables that users' snapshots hold, and the SHA-256 of all before. Written and read as a
 * stream: neither keeps the whole in memory.
 *
 * <p>Moments stand in it by the time of its own state, which is there too: what is left until a
 * deadline follows, whatever the time is where it is restored.
 */
public final class SnapshotArchive {
    /** The version written, and the only one understood. */
    static final int VERSION = 1;

    private static final byte[] MAGIC = {'r', 'e', 'g', 'a', 'r', 'c', 'h', '\n'};
    private static final int BUFFER = 1 << 16;
    private static final int GZIP_HEADER = 10;
    private static final int MAX_INFO = 1 << 16;

    private SnapshotArchive() {}

    /** What is in an archive whose every byte was read and found good. */
    public record Contents(ArchiveInfo info, List<StateCodec.Size> tables) {}

    /** Writes the tables of {@code known} that are carried; does not close {@code out}. */
    static void write(ArchiveInfo info, State state, List<TableDef<?>> known, OutputStream out)
            throws IOException {
        MessageDigest digest = sha256();
        var zipped =
                new GZIPOutputStream(out, BUFFER) {
                    {
                        def.setLevel(Deflater.BEST_SPEED);
                    }
                };
        var data = new DataOutputStream(new DigestOutputStream(zipped, digest));
        data.write(MAGIC);
        data.writeInt(VERSION);
        byte[] json = Json.write(info);
        data.writeInt(json.length);
        data.write(json);
        carried(known).write(state, data);
        data.flush();
        zipped.write(digest.digest());
        zipped.finish();
        out.flush();
    }

    private static StateCodec carried(List<TableDef<?>> known) {
        return new StateCodec(known.stream().filter(TableDef::isCarried).toList());
    }

    /**
     * Reads all of an archive and keeps none of its rows.
     *
     * @throws IOException that says what is wrong with it
     */
    public static Contents inspect(InputStream archive) throws IOException {
        return open(archive, (info, in) -> new Contents(info, StateCodec.sizes(in)));
    }

    /**
     * Puts what is in an archive in the place of the state.
     *
     * @throws IOException that says what is wrong with it
     */
    static void restore(InputStream archive, Tx tx) throws IOException {
        open(
                archive,
                (info, in) -> {
                    tx.restore(in);
                    return info;
                });
    }

    private interface Reading<T> {
        T of(ArchiveInfo info, InputStream in) throws IOException;
    }

    private static <T> T open(InputStream archive, Reading<T> reading) throws IOException {
        var raw = new BufferedInputStream(archive, BUFFER);
        raw.mark(GZIP_HEADER);
        byte[] head = raw.readNBytes(GZIP_HEADER);
        if (head.length < GZIP_HEADER) {
            throw new IOException("failed to decompress snapshot: unexpected EOF");
        }
        if (head[0] != (byte) GZIPInputStream.GZIP_MAGIC) {
            throw new IOException("failed to decompress snapshot: gzip: invalid header");
        }
        raw.reset();
        try (var zipped = new GZIPInputStream(raw, BUFFER)) {
            var sealed = new SealedInput(zipped, sha256());
            var in = new DataInputStream(sealed);
            ArchiveInfo info = info(in);
            T result = reading.of(info, in);
            if (sealed.read() >= 0) {
                throw new IOException("failed to read snapshot: it goes on behind its end");
            }
            return result;
        } catch (ZipException e) {
            throw new IOException("failed to decompress snapshot: gzip: invalid data", e);
        } catch (EOFException e) {
            throw new IOException("failed to decompress snapshot: unexpected EOF", e);
        } catch (UncheckedIOException | IllegalArgumentException e) {
            throw new IOException("failed to read snapshot: " + e.getMessage(), e);
        } catch (IOException e) {
            throw String.valueOf(e.getMessage()).startsWith("failed to ")
                    ? e
                    : new IOException("failed to read snapshot: " + e.getMessage(), e);
        }
    }

    private static ArchiveInfo info(DataInputStream in) throws IOException {
        if (!Arrays.equals(in.readNBytes(MAGIC.length), MAGIC)) {
            throw new IOException("this is not a snapshot of this program");
        }
        int version = in.readInt();
        if (version != VERSION) {
            throw new IOException("it has version " + version + ", this program reads " + VERSION);
        }
        int length = in.readInt();
        if (length < 0 || length > MAX_INFO) {
            throw new IOException("its head would be " + length + " bytes long");
        }
        return Json.read(in.readNBytes(length), ArchiveInfo.class);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
