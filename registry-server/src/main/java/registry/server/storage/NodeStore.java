package registry.server.storage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.DBOptions;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.LRUCache;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WALRecoveryMode;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * The one RocksDB of a node: a column family per owner, opened and closed here. A batch over
 * several families is atomic. Safe for any thread; a failed write halts the process, because
 * nothing may be acknowledged after it.
 */
public final class NodeStore implements AutoCloseable {
    /** Family of the agent: node id, own definitions, last results, check history. */
    public static final String LOCAL = "local";

    /** Families of a server: the log by index, and term, vote, raft id, cluster id. */
    public static final String LOG = "log";

    public static final String META = "meta";

    private static final int FORMAT = 1;
    private static final long MEMTABLE_BYTES = 8 << 20;
    private static final long MAX_WAL_BYTES = 64 << 20;

    private final LRUCache cache;
    private final ColumnFamilyOptions familyOptions;
    private final DBOptions options;
    private final RocksDB db;
    private final Map<String, ColumnFamilyHandle> families = new TreeMap<>();
    private final WriteOptions synced = new WriteOptions().setSync(true);
    private final WriteOptions unsynced = new WriteOptions();

    private NodeStore(Path dataDir) throws IOException {
        Path dir = dataDir.resolve("db");
        Files.createDirectories(dir);
        checkFormat(dataDir);
        cache = new LRUCache(8 << 20);
        familyOptions =
                new ColumnFamilyOptions()
                        .setWriteBufferSize(MEMTABLE_BYTES)
                        .setTableFormatConfig(new BlockBasedTableConfig().setBlockCache(cache));
        options =
                new DBOptions()
                        .setCreateIfMissing(true)
                        .setCreateMissingColumnFamilies(true)
                        .setMaxTotalWalSize(MAX_WAL_BYTES)
                        .setRecycleLogFileNum(0)
                        .setWalRecoveryMode(WALRecoveryMode.TolerateCorruptedTailRecords)
                        .setInfoLogLevel(InfoLogLevel.WARN_LEVEL)
                        .setKeepLogFileNum(2)
                        .setMaxOpenFiles(256)
                        .setMaxBackgroundJobs(2);
        List<ColumnFamilyDescriptor> descriptors = new ArrayList<>();
        descriptors.add(new ColumnFamilyDescriptor(RocksDB.DEFAULT_COLUMN_FAMILY, familyOptions));
        for (String name : List.of(LOCAL, LOG, META)) {
            descriptors.add(new ColumnFamilyDescriptor(utf8(name), familyOptions));
        }
        List<ColumnFamilyHandle> handles = new ArrayList<>();
        try {
            db = RocksDB.open(options, dir.toString(), descriptors, handles);
        } catch (RocksDBException e) {
            throw new IOException(
                    "the database in "
                            + dir
                            + " can't be opened: "
                            + e.getMessage()
                            + "; it is damaged or in use: restore the directory from a copy, or move it away to start empty",
                    e);
        }
        for (int i = 0; i < handles.size(); i++) {
            families.put(
                    new String(descriptors.get(i).getName(), StandardCharsets.UTF_8),
                    handles.get(i));
        }
        syncDirectory(dir);
        syncDirectory(dataDir);
    }

    /**
     * Opens or creates the database below {@code dataDir}, durably: its files and directories
     * survive a power cut from now on.
     *
     * @throws IOException with the reason and what to do
     */
    public static NodeStore open(Path dataDir) throws IOException {
        RocksDB.loadLibrary();
        return new NodeStore(dataDir);
    }

    private static void checkFormat(Path dataDir) throws IOException {
        Path format = dataDir.resolve("format");
        if (Files.exists(format)) {
            String found = Files.readString(format).strip();
            if (!found.equals(String.valueOf(FORMAT))) {
                throw new IOException(
                        format
                                + " says \""
                                + found
                                + "\", this program reads format "
                                + FORMAT
                                + "; nothing was touched");
            }
            return;
        }
        Path fresh = dataDir.resolve("format.new");
        try (var channel =
                FileChannel.open(
                        fresh,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE,
                        StandardOpenOption.TRUNCATE_EXISTING)) {
            channel.write(ByteBuffer.wrap(utf8(FORMAT + "\n")));
            channel.force(true);
        }
        Files.move(fresh, format, StandardCopyOption.ATOMIC_MOVE);
        syncDirectory(dataDir);
    }

    /** Makes the names in a directory survive a power cut. */
    public static void syncDirectory(Path dir) throws IOException {
        try (var channel = FileChannel.open(dir, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    public RocksDB db() {
        return db;
    }

    /** The handle of one of the families named here; owned by this store. */
    public ColumnFamilyHandle family(String name) {
        ColumnFamilyHandle handle = families.get(name);
        if (handle == null) {
            throw new IllegalArgumentException("no column family \"" + name + "\"");
        }
        return handle;
    }

    /**
     * Writes the batch; with {@code sync} it is on disk when this returns. A failure halts the
     * process.
     */
    public void write(WriteBatch batch, boolean sync) {
        try {
            db.write(sync ? synced : unsynced, batch);
        } catch (RocksDBException e) {
            throw halt(e);
        }
    }

    /** Writes one row; see {@link #write}. */
    public void put(String family, byte[] key, byte[] value, boolean sync) {
        try {
            db.put(family(family), sync ? synced : unsynced, key, value);
        } catch (RocksDBException e) {
            throw halt(e);
        }
    }

    /** Removes one row; see {@link #write}. */
    public void delete(String family, byte[] key, boolean sync) {
        try {
            db.delete(family(family), sync ? synced : unsynced, key);
        } catch (RocksDBException e) {
            throw halt(e);
        }
    }

    public byte @Nullable [] get(String family, byte[] key) {
        try {
            return db.get(family(family), key);
        } catch (RocksDBException e) {
            throw new UncheckedIOException(
                    new IOException("reading from the database failed: " + e.getMessage(), e));
        }
    }

    /**
     * After a failed write nothing may be acknowledged: the only safe state is the one that a
     * restart finds on disk.
     */
    private static RuntimeException halt(RocksDBException e) {
        System.err.println(
                "==> the database can't be written: "
                        + e.getMessage()
                        + "; stopping at once, nothing unwritten was acknowledged");
        Runtime.getRuntime().halt(3);
        return new IllegalStateException(e);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        families.values().forEach(ColumnFamilyHandle::close);
        db.close();
        options.close();
        familyOptions.close();
        cache.close();
        synced.close();
        unsynced.close();
    }
}
