package registry.server.storage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.Cache;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompressionType;
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
 * several families is atomic. Safe for any thread. A failed write halts the process, because
 * nothing may be acknowledged after it.
 *
 * <p>All families share one write-ahead log. A synced write makes everything before it durable too,
 * also what others wrote unsynced; it carries {@link WriteAheadLog#SYNC_MARK}, by which the next
 * start tells a torn tail, which may be cut, from damage to what was acknowledged.
 */
public class NodeStore implements AutoCloseable {
    /** Family of the agent: node id, own definitions, last results, check history. */
    public static final String LOCAL = "local";

    /** Families of a server: the log by index, and term, vote, raft id, cluster id. */
    public static final String LOG = "log";

    public static final String META = "meta";

    /** A row that says nothing: writing it syncs what was written before. */
    private static final byte[] SYNC_ROW = utf8("sync");

    private static final byte[] NOTHING = {};
    private static final long CACHE_BYTES = 4 << 20;
    private static final long LOG_MEMTABLE_BYTES = 4 << 20;
    private static final long SMALL_MEMTABLE_BYTES = 1 << 20;

    /** All of it is read again at the next start, so it is kept small. */
    private static final long MAX_WAL_BYTES = 32 << 20;

    private final DataDirectory directory;
    private final Cache cache = new LRUCache(CACHE_BYTES);
    private final ColumnFamilyOptions logOptions = familyOptions(LOG_MEMTABLE_BYTES);
    private final ColumnFamilyOptions smallOptions = familyOptions(SMALL_MEMTABLE_BYTES);
    private final DBOptions options = databaseOptions();
    private final WriteOptions synced = new WriteOptions().setSync(true);
    private final WriteOptions unsynced = new WriteOptions();
    private final SyncMarks marks = new SyncMarks();
    private final Map<String, ColumnFamilyHandle> families = new TreeMap<>();
    private final RocksDB db;

    /** Held by whoever writes: what comes late at a stop must not find the database's memory. */
    private final ReentrantReadWriteLock life = new ReentrantReadWriteLock();

    private boolean closed;

    /** Tests put a disk of their own below {@link #commit}; nobody else extends this. */
    NodeStore(DataDirectory directory) throws IOException {
        this.directory = directory;
        List<ColumnFamilyDescriptor> descriptors =
                List.of(
                        new ColumnFamilyDescriptor(RocksDB.DEFAULT_COLUMN_FAMILY, smallOptions),
                        new ColumnFamilyDescriptor(utf8(LOCAL), smallOptions),
                        new ColumnFamilyDescriptor(utf8(LOG), logOptions),
                        new ColumnFamilyDescriptor(utf8(META), smallOptions));
        List<ColumnFamilyHandle> handles = new ArrayList<>();
        try {
            db = RocksDB.open(options, directory.database().toString(), descriptors, handles);
        } catch (RocksDBException e) {
            closeOptions();
            throw new IOException(
                    "the database in \"%s\" can't be opened: %s; %s"
                            .formatted(
                                    directory.database(), e.getMessage(), DataDirectory.WHAT_TO_DO),
                    e);
        }
        for (int i = 0; i < handles.size(); i++) {
            families.put(
                    new String(descriptors.get(i).getName(), StandardCharsets.UTF_8),
                    handles.get(i));
        }
    }

    /**
     * Opens or creates the database below {@code dataDir}, durably: its files and directories
     * survive a power cut from now on.
     *
     * @throws IOException with the reason and what to do: another process holds the directory, a
     *     newer program wrote it, or it is damaged
     */
    public static NodeStore open(Path dataDir) throws IOException {
        RocksDB.loadLibrary();
        DataDirectory directory = DataDirectory.open(dataDir);
        try {
            WriteAheadLog.mend(directory.database());
            NodeStore store = new NodeStore(directory);
            directory.sync();
            return store;
        } catch (IOException | RuntimeException e) {
            directory.close();
            throw e;
        }
    }

    private ColumnFamilyOptions familyOptions(long memtableBytes) {
        return new ColumnFamilyOptions()
                .setWriteBufferSize(memtableBytes)
                // What is here is short-lived: the log goes with the next snapshots. Besides,
                // files of one compression that do not overlap move down without being rewritten.
                .setCompressionType(CompressionType.NO_COMPRESSION)
                .setTableFormatConfig(new BlockBasedTableConfig().setBlockCache(cache));
    }

    private static DBOptions databaseOptions() {
        return new DBOptions()
                .setCreateIfMissing(true)
                .setCreateMissingColumnFamilies(true)
                .setMaxTotalWalSize(MAX_WAL_BYTES)
                // A recycled log file would hold old records behind its end.
                .setRecycleLogFileNum(0)
                .setWalRecoveryMode(WALRecoveryMode.TolerateCorruptedTailRecords)
                // Otherwise each start would write every family's memtable into a new file.
                .setAvoidFlushDuringRecovery(true)
                .setInfoLogLevel(InfoLogLevel.WARN_LEVEL)
                .setMaxLogFileSize(1 << 20)
                .setKeepLogFileNum(2)
                .setStatsDumpPeriodSec(0)
                .setStatsPersistPeriodSec(0)
                .setMaxOpenFiles(256)
                .setMaxBackgroundJobs(2);
    }

    /** Makes the names in a directory survive a power cut. */
    public static void syncDirectory(Path dir) throws IOException {
        DataDirectory.syncDirectory(dir);
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
        long before = marks.written();
        try {
            if (sync) {
                batch.putLogData(WriteAheadLog.SYNC_MARK);
            }
            commit(batch, sync);
            if (sync) {
                marks.synced(before);
            } else {
                marks.wrote();
            }
        } catch (RocksDBException e) {
            throw halt("written", e);
        }
    }

    /** Where every write goes to disk. */
    void commit(WriteBatch batch, boolean sync) throws RocksDBException {
        enter();
        try {
            db.write(sync ? synced : unsynced, batch);
        } finally {
            life.readLock().unlock();
        }
    }

    private void enter() {
        life.readLock().lock();
        if (closed) {
            life.readLock().unlock();
            throw new IllegalStateException("the database is closed");
        }
    }

    /** A mark behind all writes that have returned: {@link #syncTo} makes them durable. */
    public long mark() {
        return marks.written();
    }

    /**
     * Returns when everything written before the mark is on disk. Free when a synced write of
     * anybody came after it; else callers that wait together share one. A failure halts the
     * process.
     */
    public void syncTo(long mark) {
        marks.syncTo(mark, () -> put(META, SYNC_ROW, NOTHING, true));
    }

    /** Writes one row; see {@link #write}. */
    public void put(String family, byte[] key, byte[] value, boolean sync) {
        enter();
        try (var batch = new WriteBatch()) {
            batch.put(family(family), key, value);
            write(batch, sync);
        } catch (RocksDBException e) {
            throw halt("written", e);
        } finally {
            life.readLock().unlock();
        }
    }

    /** Removes one row; see {@link #write}. */
    public void delete(String family, byte[] key, boolean sync) {
        enter();
        try (var batch = new WriteBatch()) {
            batch.delete(family(family), key);
            write(batch, sync);
        } catch (RocksDBException e) {
            throw halt("written", e);
        } finally {
            life.readLock().unlock();
        }
    }

    public byte @Nullable [] get(String family, byte[] key) {
        enter();
        try {
            return db.get(family(family), key);
        } catch (RocksDBException e) {
            throw new UncheckedIOException(
                    new IOException(
                            "reading \"%s\" from the database failed: %s; %s"
                                    .formatted(family, e.getMessage(), DataDirectory.WHAT_TO_DO),
                            e));
        } finally {
            life.readLock().unlock();
        }
    }

    /**
     * After a failed write nothing may be acknowledged: the only safe state is the one that a
     * restart finds on disk.
     *
     * @param what what can't be done with the database, as in "written"
     */
    public RuntimeException halt(String what, RocksDBException e) {
        System.err.println(
                "==> the database in \"%s\" can't be %s: %s; stopping at once, nothing unwritten was acknowledged"
                        .formatted(directory.database(), what, e.getMessage()));
        stop(3);
        return new IllegalStateException(e);
    }

    /** Ends the process at once: what is on disk is all that may be built on. */
    public void stop(int exitCode) {
        Runtime.getRuntime().halt(exitCode);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        life.writeLock().lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
        } finally {
            life.writeLock().unlock();
        }
        families.values().forEach(ColumnFamilyHandle::close);
        db.close();
        closeOptions();
        directory.close();
    }

    private void closeOptions() {
        options.close();
        logOptions.close();
        smallOptions.close();
        cache.close();
        synced.close();
        unsynced.close();
    }
}
