package registry.server.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * A node's data directory: held by one process at a time, of a layout that this program reads, and
 * durable from its first second: every directory that had to be made is synced into its parent.
 */
public final class DataDirectory implements AutoCloseable {
    /** Ends every message about damage. */
    static final String WHAT_TO_DO =
            "restore the data directory from a copy, or move it away to start empty; nothing was changed";

    /** Version of the layout: files, column families, keys. */
    private static final String FORMAT = "1";

    private final Path path;
    private final FileChannel lockFile;

    private DataDirectory(Path path, FileChannel lockFile) {
        this.path = path;
        this.lockFile = lockFile;
    }

    /**
     * Makes and locks the directory.
     *
     * @throws IOException when another process holds it, or a program of another layout wrote it
     */
    static DataDirectory open(Path path) throws IOException {
        Path dataDir = path.toAbsolutePath().normalize();
        createDurably(dataDir);
        FileChannel lockFile = lock(dataDir);
        try {
            checkFormat(dataDir);
            createDurably(dataDir.resolve("db"));
            return new DataDirectory(dataDir, lockFile);
        } catch (IOException | RuntimeException e) {
            lockFile.close();
            throw e;
        }
    }

    /** Where RocksDB has its files. */
    Path database() {
        return path.resolve("db");
    }

    void sync() throws IOException {
        syncDirectory(database());
        syncDirectory(path);
    }

    @Override
    public void close() {
        try {
            lockFile.close();
        } catch (IOException e) {
            // The lock ends with the process at the latest.
        }
    }

    /** Makes a directory with all its parents, so that their names survive a power cut. */
    public static void createDurably(Path dir) throws IOException {
        if (Files.isDirectory(dir)) {
            return;
        }
        Path parent = dir.toAbsolutePath().getParent();
        if (parent != null) {
            createDurably(parent);
        }
        Files.createDirectories(dir);
        if (parent != null) {
            syncDirectory(parent);
        }
    }

    /** Makes the names in a directory survive a power cut. */
    public static void syncDirectory(Path dir) throws IOException {
        try (var channel = FileChannel.open(dir, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /**
     * Replaces a file by {@code content}: after a crash at any moment it has the old content or the
     * new one.
     */
    public static void replaceDurably(Path file, byte[] content) throws IOException {
        Path fresh = file.resolveSibling(file.getFileName() + ".new");
        try (var channel =
                FileChannel.open(
                        fresh,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE,
                        StandardOpenOption.TRUNCATE_EXISTING)) {
            ByteBuffer left = ByteBuffer.wrap(content);
            while (left.hasRemaining()) {
                channel.write(left);
            }
            channel.force(true);
        }
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        Path parent = file.toAbsolutePath().getParent();
        if (parent != null) {
            syncDirectory(parent);
        }
    }

    private static FileChannel lock(Path dataDir) throws IOException {
        Path file = dataDir.resolve("lock");
        FileChannel channel =
                FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE);
        if (tryLock(channel) == null) {
            String holder = Files.readString(file).strip();
            channel.close();
            throw new IOException(
                    "the data directory \"%s\" is in use by %s; each node needs a directory of its own"
                            .formatted(
                                    dataDir,
                                    holder.isEmpty() ? "another process" : "process " + holder));
        }
        channel.truncate(0);
        channel.write(
                ByteBuffer.wrap(
                        (ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.UTF_8)),
                0);
        return channel;
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException heldByThisProcess) {
            return null;
        }
    }

    private static void checkFormat(Path dataDir) throws IOException {
        Path format = dataDir.resolve("format");
        if (!Files.exists(format)) {
            replaceDurably(format, (FORMAT + "\n").getBytes(StandardCharsets.UTF_8));
            return;
        }
        String found = Files.readString(format).strip();
        if (!found.equals(FORMAT)) {
            throw new IOException(
                    "\"%s\" says \"%s\", this program reads format %s; nothing was changed"
                            .formatted(format, found, FORMAT));
        }
    }
}
