package registry.server.storage;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.File;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.DBOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.WALRecoveryMode;

class NodeStoreTest {
    @TempDir Path tmp;

    /** The engine's threads may come with a vote when the server has stopped. */
    @Test
    void aWriteThatComesAfterTheEndIsRefused() throws Exception {
        NodeStore store = NodeStore.open(tmp);
        store.close();
        assertThatThrownBy(() -> store.put(NodeStore.META, new byte[] {1}, new byte[] {2}, true))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the database is closed");
        store.close();
    }

    @Test
    void rowsOfAllFamiliesAreThereAfterARestart() throws IOException {
        Path dir = tmp.resolve("a/b/data");
        try (NodeStore store = NodeStore.open(dir)) {
            put(store, NodeStore.LOCAL, "k", "local", false);
            put(store, NodeStore.LOG, "k", "log", true);
            put(store, NodeStore.META, "k", "meta", true);
            store.delete(NodeStore.META, "k".getBytes(UTF_8), true);
        }
        try (NodeStore store = NodeStore.open(dir)) {
            assertThat(get(store, NodeStore.LOCAL, "k")).isEqualTo("local");
            assertThat(get(store, NodeStore.LOG, "k")).isEqualTo("log");
            assertThat(store.get(NodeStore.META, "k".getBytes(UTF_8))).isNull();
        }
    }

    @Test
    void aDirectoryInUseIsRefusedWithItsHolder() throws IOException {
        NodeStore store = NodeStore.open(tmp);
        assertThatThrownBy(() -> NodeStore.open(tmp))
                .isInstanceOf(IOException.class)
                .hasMessage(
                        "the data directory \"%s\" is in use by process %d; each node needs a directory of its own"
                                .formatted(tmp, ProcessHandle.current().pid()));
        put(store, NodeStore.LOCAL, "still", "works", true);
        store.close();
        NodeStore.open(tmp).close();
    }

    @Test
    void aNewerLayoutIsRefusedAndLeftAlone() throws IOException {
        NodeStore.open(tmp).close();
        Files.writeString(tmp.resolve("format"), "2\n");
        List<String> before = listing(tmp);
        assertThatThrownBy(() -> NodeStore.open(tmp))
                .hasMessageContaining(
                        "says \"2\", this program reads format 1; nothing was changed");
        assertThat(listing(tmp)).isEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(strings = {"one byte changed", "cut short", "zeroed", "only the header left"})
    void aTornTailIsCut(String how) throws IOException {
        Path image = tmp.resolve("image");
        try (NodeStore store = NodeStore.open(tmp.resolve("data"))) {
            put(store, NodeStore.META, "acknowledged", "yes", true);
            put(store, NodeStore.LOCAL, "unsynced", "x".repeat(300), false);
            copy(tmp.resolve("data"), image);
        }
        Path log = newestLog(image);
        byte[] bytes = Files.readAllBytes(log);
        int at = bytes.length - 150;
        switch (how) {
            case "one byte changed" -> bytes[at] ^= 1;
            case "cut short" -> bytes = Arrays.copyOf(bytes, at);
            case "zeroed" -> Arrays.fill(bytes, at, bytes.length, (byte) 0);
            default -> bytes = Arrays.copyOf(bytes, bytes.length - 310);
        }
        Files.write(log, bytes);
        for (int start = 0; start < 2; start++) {
            try (NodeStore store = NodeStore.open(image)) {
                assertThat(get(store, NodeStore.META, "acknowledged")).isEqualTo("yes");
                assertThat(store.get(NodeStore.LOCAL, "unsynced".getBytes(UTF_8))).isNull();
                put(store, NodeStore.META, "more", "yes", true);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"one byte changed", "zeroed to the end of the block", "length changed"})
    void damageBeforeTheTailIsRefused(String how) throws IOException {
        Path image = imageOfThousandWrites();
        Path log = newestLog(image);
        byte[] bytes = Files.readAllBytes(log);
        damage(bytes, how);
        Files.write(log, bytes);
        List<String> before = listing(image.resolve("db"));
        assertThatThrownBy(() -> NodeStore.open(image))
                .isInstanceOf(IOException.class)
                .hasMessageMatching(
                        "\""
                                + log
                                + "\" is damaged at byte \\d+ of "
                                + bytes.length
                                + ", before writes that were acknowledged; restore the data directory from a copy, or move"
                                + " it away to start empty; nothing was changed");
        assertThat(listing(image.resolve("db"))).isEqualTo(before);
    }

    /**
     * Why the log is looked through before: this is what RocksDB 11.8.1 makes of it in the mode we
     * use.
     */
    @Test
    void rocksDbAloneDropsAcknowledgedWritesBehindADamagedLength() throws Exception {
        Path image = imageOfThousandWrites();
        Path log = newestLog(image);
        byte[] bytes = Files.readAllBytes(log);
        damage(bytes, "length changed");
        Files.write(log, bytes);
        List<ColumnFamilyHandle> handles = new ArrayList<>();
        try (DBOptions options =
                        new DBOptions()
                                .setWalRecoveryMode(WALRecoveryMode.TolerateCorruptedTailRecords);
                RocksDB db =
                        RocksDB.open(
                                options,
                                image.resolve("db").toString(),
                                List.of(
                                        new ColumnFamilyDescriptor(RocksDB.DEFAULT_COLUMN_FAMILY),
                                        new ColumnFamilyDescriptor(NodeStore.LOCAL.getBytes(UTF_8)),
                                        new ColumnFamilyDescriptor(NodeStore.LOG.getBytes(UTF_8)),
                                        new ColumnFamilyDescriptor(NodeStore.META.getBytes(UTF_8))),
                                handles)) {
            assertThat(db.get(handles.get(2), "key 900".getBytes(UTF_8))).isNotNull();
            assertThat(db.get(handles.get(2), "key 999".getBytes(UTF_8))).isNull();
            handles.forEach(ColumnFamilyHandle::close);
        }
    }

    @Test
    void theWriteAheadLogStaysSmall() throws IOException {
        try (NodeStore store = NodeStore.open(tmp)) {
            byte[] value = new byte[64 << 10];
            for (int i = 0; i < 2500; i++) {
                store.put(NodeStore.LOG, ("key " + i % 10).getBytes(UTF_8), value, false);
                if (i % 100 == 0) {
                    put(store, NodeStore.META, "k", "v" + i, true);
                }
            }
            assertThat(bytesBelow(tmp)).isLessThan(80L << 20);
        }
    }

    private Path imageOfThousandWrites() throws IOException {
        Path image = tmp.resolve("image");
        try (NodeStore store = NodeStore.open(tmp.resolve("data"))) {
            for (int i = 0; i < 1000; i++) {
                put(store, NodeStore.LOG, "key " + i, "v".repeat(100), i % 10 == 9);
            }
            copy(tmp.resolve("data"), image);
        }
        return image;
    }

    /**
     * In the second block, or, for a length, in the last: a length there is what RocksDB takes for
     * a torn tail.
     */
    private static void damage(byte[] bytes, String how) {
        int block = 32 * 1024;
        switch (how) {
            case "one byte changed" -> bytes[block + 5000] ^= 1;
            case "zeroed to the end of the block" ->
                    Arrays.fill(bytes, block + 8192, 2 * block, (byte) 0);
            default -> {
                int at = bytes.length / block * block + 100;
                while (bytes[at] != 'k' || bytes[at + 1] != 'e') {
                    at++;
                }
                // Length, high byte: crc (4), length (2), type (1), batch header (12), tag, family,
                // key's length.
                bytes[at - 17] = (byte) 0x7f;
            }
        }
    }

    private static void put(
            NodeStore store, String family, String key, String value, boolean sync) {
        store.put(family, key.getBytes(UTF_8), value.getBytes(UTF_8), sync);
    }

    private static String get(NodeStore store, String family, String key) {
        return new String(store.get(family, key.getBytes(UTF_8)), UTF_8);
    }

    private static Path newestLog(Path dataDir) throws IOException {
        try (var files = Files.list(dataDir.resolve("db"))) {
            return files.filter(file -> file.toString().endsWith(".log"))
                    .max(Path::compareTo)
                    .orElseThrow();
        }
    }

    private static List<String> listing(Path dir) throws IOException {
        try (var files = Files.list(dir)) {
            return files.map(file -> file + " " + file.toFile().length()).sorted().toList();
        }
    }

    /** The database deletes files meanwhile; one that has gone has no length. */
    private static long bytesBelow(Path dir) {
        File[] files = dir.toFile().listFiles();
        return files == null
                ? dir.toFile().length()
                : Arrays.stream(files).mapToLong(file -> bytesBelow(file.toPath())).sum();
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.walkFileTree(
                from,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult preVisitDirectory(
                            Path dir, BasicFileAttributes attributes) throws IOException {
                        Files.createDirectories(to.resolve(from.relativize(dir)));
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                            throws IOException {
                        Files.copy(file, to.resolve(from.relativize(file)));
                        return FileVisitResult.CONTINUE;
                    }
                });
    }
}
