package registry.server.storage;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks through RocksDB's write-ahead log before RocksDB does. RocksDB itself skips zeroed blocks
 * in the middle without a word, drops what follows a damaged length in the last block, and refuses
 * a torn record at the end. Here the rule is: a damaged tail is cut, anything else refuses to
 * start. Damage is tail when no synced write follows it, because a synced write made everything
 * before it durable.
 *
 * <p>Format (RocksDB, "Write Ahead Log File Format"): blocks of 32 KiB; each record is crc32c (4,
 * masked), length (2), type (1), bytes, little-endian; a record that doesn't fit is split; a
 * block's last 6 bytes or fewer are zeros.
 */
final class WriteAheadLog {
    /** Rides in every synced batch and in no other: 16 random bytes, meaning nothing. */
    static final byte[] SYNC_MARK = {
        (byte) 0x9e,
        0x1f,
        0x60,
        (byte) 0xc3,
        0x58,
        (byte) 0xd5,
        0x07,
        0x2b,
        (byte) 0xf4,
        0x31,
        (byte) 0x8a,
        (byte) 0xe6,
        0x4d,
        0x70,
        (byte) 0xb9,
        0x12
    };

    private static final Logger LOG = LoggerFactory.getLogger(WriteAheadLog.class);
    private static final int BLOCK = 32 * 1024;
    private static final int HEADER = 7;
    private static final byte FULL = 1;
    private static final byte FIRST = 2;
    private static final byte MIDDLE = 3;
    private static final byte LAST = 4;
    private static final int CRC_MASK = 0xa282ead8;

    private WriteAheadLog() {}

    /**
     * Cuts a damaged tail. Also syncs the files: after a mere crash their last bytes may be in the
     * page cache only, and a later synced write goes to another file.
     *
     * @throws IOException when there is damage before the tail
     */
    static void mend(Path database) throws IOException {
        List<Path> files = files(database);
        for (int i = 0; i < files.size(); i++) {
            byte[] bytes = readSynced(files.get(i));
            int end = endOfSound(bytes);
            if (end == bytes.length) {
                continue;
            }
            List<Path> later = files.subList(i + 1, files.size());
            if (holdsSyncedWrite(bytes, end) || anyHoldsSyncedWrite(later)) {
                throw new IOException(
                        "\"%s\" is damaged at byte %d of %d, before writes that were acknowledged; %s"
                                .formatted(
                                        files.get(i), end, bytes.length, DataDirectory.WHAT_TO_DO));
            }
            cut(files.get(i), end, bytes, later);
            return;
        }
    }

    private static List<Path> files(Path database) throws IOException {
        List<Path> files = new ArrayList<>();
        try (var listed = Files.newDirectoryStream(database, "[0-9]*.log")) {
            listed.forEach(files::add);
        }
        files.sort(Comparator.comparingLong(WriteAheadLog::number));
        return files;
    }

    private static long number(Path file) {
        String name = file.getFileName().toString();
        return Long.parseLong(name, 0, name.indexOf('.'), 10);
    }

    private static byte[] readSynced(Path file) throws IOException {
        try (var channel =
                FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
        return Files.readAllBytes(file);
    }

    /**
     * Where the last whole record ends before the first damage; the length of {@code bytes} if
     * there is none.
     */
    private static int endOfSound(byte[] bytes) {
        int sound = 0;
        boolean split = false;
        int at = 0;
        while (at < bytes.length) {
            int left = BLOCK - at % BLOCK;
            if (left < HEADER) {
                if (!isZero(bytes, at, Math.min(at + left, bytes.length))) {
                    return sound;
                }
                at += left;
                continue;
            }
            int length = soundLength(bytes, at);
            if (length < 0) {
                // Space that was set aside and never written is no damage.
                return !split && isZero(bytes, at, bytes.length) ? bytes.length : sound;
            }
            byte type = bytes[at + 6];
            boolean continues = type == MIDDLE || type == LAST;
            if (continues != split) {
                return sound;
            }
            split = type == FIRST || type == MIDDLE;
            at += HEADER + length;
            if (!split) {
                sound = at;
            }
        }
        return split ? sound : bytes.length;
    }

    /** Length of the record whose header is at {@code at}; -1 when its checksum does not hold. */
    private static int soundLength(byte[] bytes, int at) {
        int left = Math.min(BLOCK - at % BLOCK, bytes.length - at);
        if (left < HEADER) {
            return -1;
        }
        ByteBuffer header = ByteBuffer.wrap(bytes, at, HEADER).order(ByteOrder.LITTLE_ENDIAN);
        int expected = header.getInt();
        int length = Short.toUnsignedInt(header.getShort());
        if (HEADER + length > left || bytes[at + 6] == 0) {
            return -1;
        }
        CRC32C crc = new CRC32C();
        crc.update(bytes, at + 6, 1 + length);
        int value = (int) crc.getValue();
        return ((value >>> 15) | (value << 17)) + CRC_MASK == expected ? length : -1;
    }

    private static boolean anyHoldsSyncedWrite(List<Path> files) throws IOException {
        for (Path file : files) {
            if (holdsSyncedWrite(Files.readAllBytes(file), 0)) {
                return true;
            }
        }
        return false;
    }

    /**
     * True when a whole record with the mark begins at {@code from} or later. A torn record does
     * not count: its own sync never returned.
     */
    private static boolean holdsSyncedWrite(byte[] bytes, int from) {
        ByteArrayOutputStream record = new ByteArrayOutputStream();
        int expectedAt = -1;
        int at = from;
        while (at < bytes.length) {
            int length = soundLength(bytes, at);
            if (length < 0) {
                at++;
                continue;
            }
            byte type = bytes[at + 6];
            boolean continues = type == MIDDLE || type == LAST;
            if (!continues) {
                record.reset();
            }
            if (!continues || at == expectedAt) {
                record.write(bytes, at + HEADER, length);
                if ((type == LAST || type == FULL) && contains(record.toByteArray(), SYNC_MARK)) {
                    return true;
                }
                expectedAt = type == FIRST || type == MIDDLE ? at + HEADER + length : -1;
            }
            at += HEADER + length;
        }
        return false;
    }

    private static boolean contains(byte[] bytes, byte[] sought) {
        for (int i = 0; i + sought.length <= bytes.length; i++) {
            if (bytes[i] == sought[0]
                    && Arrays.equals(bytes, i, i + sought.length, sought, 0, sought.length)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isZero(byte[] bytes, int from, int to) {
        for (int i = from; i < to; i++) {
            if (bytes[i] != 0) {
                return false;
            }
        }
        return true;
    }

    /** What is cut is kept beside the log until the next cut, for whoever wants to look. */
    private static void cut(Path file, int end, byte[] bytes, List<Path> later) throws IOException {
        Path kept = file.resolveSibling("cut-tail");
        DataDirectory.replaceDurably(kept, Arrays.copyOfRange(bytes, end, bytes.length));
        for (Path unsynced : later) {
            Files.delete(unsynced);
        }
        try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(end);
            channel.force(true);
        }
        DataDirectory.syncDirectory(file.resolveSibling("."));
        LOG.warn(
                "the log's damaged tail was cut, no synced write follows it: file={} from={} bytes={} kept={}",
                file,
                end,
                bytes.length - end,
                kept);
    }
}
