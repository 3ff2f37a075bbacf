package registry.server.storage;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;

/**
 * A real store that remembers how much of its write-ahead log was synced, so that it can leave
 * behind what a power cut would: only synced bytes. It can also be slow, be full, or lie about
 * syncing.
 *
 * <p>All else that RocksDB writes (tables, manifest) it syncs itself before it relies on it; those
 * files are taken as they are.
 */
public final class TornStore extends NodeStore {
    /** What a disk does to writes besides writing. */
    public interface Mood {
        Mood GOOD = (family, sync) -> sync;

        /**
         * Called before a write; may wait.
         *
         * @param key the row, when a single one is written
         * @return whether the write is synced
         * @throws RocksDBException when the disk refuses
         */
        boolean write(@Nullable String key, boolean sync) throws RocksDBException;
    }

    private final Path dataDir;
    private final Path database;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<String, Long> synced = new HashMap<>();
    private final AtomicInteger stopped = new AtomicInteger();
    private @Nullable String row;
    private volatile Mood mood = Mood.GOOD;

    private TornStore(Path dataDir, DataDirectory directory) throws IOException {
        super(directory);
        this.dataDir = dataDir;
        this.database = directory.database();
        rememberSynced();
    }

    /** As {@link NodeStore#open}. */
    public static TornStore open(Path dataDir) throws IOException {
        RocksDB.loadLibrary();
        DataDirectory directory = DataDirectory.open(dataDir);
        try {
            WriteAheadLog.mend(directory.database());
            TornStore store = new TornStore(dataDir, directory);
            directory.sync();
            return store;
        } catch (IOException | RuntimeException e) {
            directory.close();
            throw e;
        }
    }

    public void mood(Mood next) {
        mood = next;
    }

    /** Exit code of the process, had it been one that ended itself; 0 before. */
    public int stopped() {
        return stopped.get();
    }

    @Override
    public void stop(int exitCode) {
        stopped.compareAndSet(0, exitCode);
    }

    @Override
    public void put(String family, byte[] key, byte[] value, boolean sync) {
        lock.lock();
        try {
            row = new String(key, java.nio.charset.StandardCharsets.UTF_8);
            super.put(family, key, value, sync);
        } finally {
            row = null;
            lock.unlock();
        }
    }

    @Override
    void commit(WriteBatch batch, boolean sync) throws RocksDBException {
        lock.lock();
        try {
            boolean reallySync = mood.write(row, sync);
            super.commit(batch, reallySync);
            if (reallySync) {
                rememberSynced();
            }
        } catch (IOException e) {
            throw new RocksDBException(e.toString());
        } finally {
            lock.unlock();
        }
    }

    /** A synced write makes everything before it durable, in all files of the log. */
    private void rememberSynced() throws IOException {
        try (var files = Files.newDirectoryStream(database, "[0-9]*.log")) {
            for (Path file : files) {
                try {
                    synced.put(file.getFileName().toString(), Files.size(file));
                } catch (NoSuchFileException obsolete) {
                    synced.remove(file.getFileName().toString());
                }
            }
        }
    }

    /**
     * Copies what is on the disk at this moment, as a crash would leave it. This store goes on.
     *
     * @param onlySynced true for a power cut, false for the death of the process alone
     */
    public void leaveBehind(Path target, boolean onlySynced) throws IOException {
        Files.createDirectories(target.resolve("db"));
        lock.lock();
        try {
            db().pauseBackgroundWork();
            try {
                copyDatabase(target.resolve("db"), onlySynced);
            } finally {
                db().continueBackgroundWork();
            }
        } catch (RocksDBException e) {
            throw new IOException(e);
        } finally {
            lock.unlock();
        }
        Files.copy(dataDir.resolve("format"), target.resolve("format"));
        copySnapshots(dataDir.resolve("snapshots"), target.resolve("snapshots"));
    }

    private void copyDatabase(Path target, boolean onlySynced) throws IOException {
        try (var files = Files.list(database)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                Path copy = target.resolve(name);
                if (name.endsWith(".sst")) {
                    Files.createLink(copy, file);
                } else if (!name.equals("LOCK") && !name.startsWith("LOG")) {
                    Files.copy(file, copy);
                    if (onlySynced && name.endsWith(".log")) {
                        truncate(copy, synced.getOrDefault(name, 0L));
                    }
                }
            }
        }
    }

    private static void truncate(Path file, long length) throws IOException {
        try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(length);
        }
    }

    /** Named ones only: they were synced before they got their names. The store may prune some. */
    private static void copySnapshots(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        if (!Files.isDirectory(from)) {
            return;
        }
        for (boolean whole = false; !whole; ) {
            whole = true;
            for (Path file : list(from)) {
                try {
                    Files.copy(
                            file,
                            to.resolve(file.getFileName()),
                            StandardCopyOption.REPLACE_EXISTING);
                } catch (NoSuchFileException pruned) {
                    whole = false;
                }
            }
        }
    }

    private static List<Path> list(Path dir) throws IOException {
        try (var files = Files.list(dir)) {
            return files.filter(file -> file.toString().endsWith(".snapshot")).toList();
        }
    }
}
