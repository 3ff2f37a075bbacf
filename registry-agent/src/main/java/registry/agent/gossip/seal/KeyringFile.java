package registry.agent.gossip.seal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import registry.api.json.Json;

/** Where the ring outlives the process: a JSON list of keys that only its owner can read. */
final class KeyringFile {
    private static final Set<PosixFilePermission> OWNER_ONLY =
            PosixFilePermissions.fromString("rw-------");

    private final Path path;

    KeyringFile(Path path) {
        this.path = path;
    }

    /**
     * Empty when there is no file.
     *
     * @throws IOException when it can't be read or holds something else; names the file
     */
    List<GossipKey> read() throws IOException {
        if (!Files.exists(path)) {
            return List.of();
        }
        try {
            List<GossipKey> keys = new ArrayList<>();
            for (String key : Json.read(Files.readAllBytes(path), String[].class)) {
                keys.add(GossipKey.of(key));
            }
            return keys;
        } catch (IOException | UncheckedIOException | IllegalArgumentException e) {
            throw new IOException("keyring \"" + path + "\" is not readable: " + e.getMessage(), e);
        }
    }

    /** When it returns the ring is on the disk, whole, and never was readable by others. */
    void write(List<GossipKey> keys) throws IOException {
        Path folder = path.toAbsolutePath().getParent();
        Files.createDirectories(folder);
        Path draft = path.resolveSibling(path.getFileName() + ".new");
        Files.deleteIfExists(draft);
        byte[] json = Json.write(keys.stream().map(GossipKey::text).toList());
        try (FileChannel out =
                FileChannel.open(
                        draft,
                        Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                        PosixFilePermissions.asFileAttribute(OWNER_ONLY))) {
            ByteBuffer left = ByteBuffer.wrap(json);
            while (left.hasRemaining()) {
                out.write(left);
            }
            out.force(true);
        }
        Files.move(draft, path, StandardCopyOption.ATOMIC_MOVE);
        try (FileChannel directory = FileChannel.open(folder, StandardOpenOption.READ)) {
            directory.force(true);
        }
    }
}
