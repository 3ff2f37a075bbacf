package registry.haproxy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/**
 * Replaces files so that a reader, or a start after a power loss, finds the old or the new one,
 * whole.
 */
final class AtomicFile {
    private static final Set<StandardOpenOption> OPTIONS =
            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);

    private AtomicFile() {}

    /** Writes {@code content} beside {@code target} and returns that file, synced. */
    static Path prepare(Path target, byte[] content) throws IOException {
        Files.createDirectories(folder(target));
        Path prepared = target.resolveSibling("." + target.getFileName() + ".new");
        Files.deleteIfExists(prepared);
        var mode =
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-r-----"));
        try (FileChannel out = FileChannel.open(prepared, OPTIONS, mode)) {
            var buffer = ByteBuffer.wrap(content);
            while (buffer.hasRemaining()) {
                out.write(buffer);
            }
            out.force(true);
        } catch (IOException e) {
            // A disk that is full should not also keep the half.
            Files.deleteIfExists(prepared);
            throw e;
        }
        return prepared;
    }

    /** Puts what {@link #prepare} wrote in the place of {@code target}. */
    static void replace(Path prepared, Path target) throws IOException {
        Files.move(
                prepared,
                target,
                StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
        try (FileChannel folder = FileChannel.open(folder(target), StandardOpenOption.READ)) {
            folder.force(true);
        }
    }

    static void write(Path target, byte[] content) throws IOException {
        replace(prepare(target, content), target);
    }

    private static Path folder(Path target) {
        Path folder = target.toAbsolutePath().getParent();
        return folder == null ? Path.of("/") : folder;
    }
}
