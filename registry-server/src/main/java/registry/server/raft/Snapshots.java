package registry.server.raft;

import com.alipay.sofa.jraft.entity.RaftOutter.SnapshotMeta;
import com.alipay.sofa.jraft.option.SnapshotCopierOptions;
import com.alipay.sofa.jraft.storage.SnapshotStorage;
import com.alipay.sofa.jraft.storage.SnapshotThrottle;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotCopier;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotReader;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotWriter;
import com.google.protobuf.Message;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.server.storage.DataDirectory;

/**
 * The two newest snapshots, as files {@code INDEX-TERM.snapshot}. When the newest turns out to be
 * damaged, the older one and the log behind it, which is kept for that, give the same state.
 */
final class Snapshots implements SnapshotStorage {
    private static final Logger LOG = LoggerFactory.getLogger(Snapshots.class);
    private static final String SUFFIX = ".snapshot";

    /** A good snapshot: where it is and what it holds. */
    record Saved(Path file, SnapshotMeta meta, long bytes) {
        long index() {
            return meta.getLastIncludedIndex();
        }
    }

    private final Path dir;
    private final RaftStore store;
    private volatile @Nullable Saved newest;

    private Snapshots(Path dir, RaftStore store) {
        this.dir = dir;
        this.store = store;
    }

    /**
     * Opens the directory and looks for the newest good snapshot.
     *
     * @throws IOException when the log does not reach back to it: what lies between them is lost
     */
    static Snapshots open(Path dir, RaftStore store) throws IOException {
        DataDirectory.createDurably(dir);
        Snapshots snapshots = new Snapshots(dir, store);
        List<Path> damaged = new ArrayList<>();
        for (Path file : snapshots.files()) {
            Saved saved = snapshots.read(file, damaged);
            if (saved == null) {
                continue;
            }
            if (snapshots.newest == null) {
                snapshots.newest = saved;
            }
            store.keepFrom(saved.index() + 1);
        }
        snapshots.checkReaches(damaged);
        return snapshots;
    }

    private @Nullable Saved read(Path file, List<Path> damaged) throws IOException {
        try {
            SnapshotMeta meta = SnapshotFile.verify(file);
            return new Saved(file, meta, Files.size(file));
        } catch (IOException e) {
            LOG.error(
                    "a snapshot is damaged and not used: file={} error=\"{}\"",
                    file,
                    e.getMessage());
            damaged.add(file);
            return null;
        }
    }

    private void checkReaches(List<Path> damaged) throws IOException {
        Saved saved = newest;
        if (store.isNew() && (saved != null || !damaged.isEmpty())) {
            throw new IOException(
                    "there are snapshots in \"%s\", but the Raft log is lost; %s"
                            .formatted(dir, RaftStore.WHAT_TO_DO));
        }
        long reached = saved == null ? 0 : saved.index();
        if (store.getFirstLogIndex() > reached + 1) {
            throw new IOException(
                    "the Raft log begins at entry %d, and there is no good snapshot up to there%s; %s"
                            .formatted(
                                    store.getFirstLogIndex(),
                                    damaged.isEmpty()
                                            ? " in \"" + dir + "\""
                                            : ": damaged are " + damaged,
                                    RaftStore.WHAT_TO_DO));
        }
    }

    /** Newest first. */
    private List<Path> files() throws IOException {
        List<Path> files = new ArrayList<>();
        try (var listed = Files.newDirectoryStream(dir, "*" + SUFFIX)) {
            listed.forEach(files::add);
        }
        files.sort(Comparator.comparing((Path file) -> file.getFileName().toString()).reversed());
        return files;
    }

    /** The newest good snapshot; null before the first. */
    @Nullable Saved newest() {
        return newest;
    }

    @Override
    public boolean init(@Nullable Void options) {
        return true;
    }

    @Override
    public void shutdown() {}

    @Override
    public boolean setFilterBeforeCopyRemote() {
        return false;
    }

    @Override
    public void setSnapshotThrottle(SnapshotThrottle throttle) {}

    @Override
    public Writer create() {
        return new Writer();
    }

    @Override
    public @Nullable Reader open() {
        Saved saved = newest;
        return saved == null ? null : new Reader(saved);
    }

    @Override
    public @Nullable SnapshotReader copyFrom(String uri, SnapshotCopierOptions options) {
        throw new UnsupportedOperationException("only in steps");
    }

    @Override
    public SnapshotCopier startToCopyFrom(String uri, SnapshotCopierOptions options) {
        SnapshotFetch fetch =
                new SnapshotFetch(
                        uri, options.getRaftClientService(), dir.resolve("fetching"), this::take);
        fetch.start();
        return fetch;
    }

    private Reader take(Path fetched) throws IOException {
        SnapshotMeta meta = SnapshotFile.verify(fetched);
        return new Reader(keep(fetched, meta, Files.size(fetched)));
    }

    private Saved keep(Path written, SnapshotMeta meta, long bytes) throws IOException {
        Path file =
                dir.resolve(
                        "%020d-%020d%s"
                                .formatted(
                                        meta.getLastIncludedIndex(),
                                        meta.getLastIncludedTerm(),
                                        SUFFIX));
        Files.move(written, file, StandardCopyOption.ATOMIC_MOVE);
        DataDirectory.syncDirectory(dir);
        Saved older = newest;
        Saved saved = new Saved(file, meta, bytes);
        newest = saved;
        store.keepFrom((older == null ? 0 : older.index()) + 1);
        prune(older);
        return saved;
    }

    /** Goes by what is known to be good: a damaged file does not count as one of two. */
    private void prune(@Nullable Saved older) throws IOException {
        Saved newer = newest;
        for (Path file : files()) {
            boolean good =
                    newer != null && file.equals(newer.file())
                            || older != null && file.equals(older.file());
            if (!good) {
                Files.deleteIfExists(file);
            }
        }
    }

    /** Takes one snapshot. */
    final class Writer extends SnapshotWriter {
        private final Path file = dir.resolve("writing");
        private long bytes;

        /** Writes and syncs the state; it counts from {@link #close} on. Returns its length. */
        long write(Applier.Snapshot state) throws IOException {
            bytes = SnapshotFile.write(file, getCurrentMeta(), state);
            return bytes;
        }

        @Override
        public boolean init(@Nullable Void options) {
            return true;
        }

        @Override
        public void shutdown() {}

        @Override
        public boolean saveMeta(SnapshotMeta meta) {
            return meta.equals(getCurrentMeta());
        }

        @Override
        public boolean addFile(String name, @Nullable Message meta) {
            return true;
        }

        @Override
        public boolean removeFile(String name) {
            return true;
        }

        @Override
        public void close() throws IOException {
            close(false);
        }

        @Override
        public void close(boolean keepDataOnError) throws IOException {
            if (isOk() && bytes > 0) {
                keep(file, getCurrentMeta(), bytes);
            } else {
                Files.deleteIfExists(file);
            }
        }

        @Override
        public String getPath() {
            return file.toString();
        }

        @Override
        public Set<String> listFiles() {
            return Set.of();
        }

        @Override
        public @Nullable Message getFileMeta(String name) {
            return null;
        }
    }

    /** Reads one snapshot. */
    final class Reader extends SnapshotReader {
        private final Saved saved;
        private @Nullable SnapshotOffer offer;

        private Reader(Saved saved) {
            this.saved = saved;
        }

        InputStream state() throws IOException {
            return SnapshotFile.openState(saved.file());
        }

        @Override
        public SnapshotMeta load() {
            return saved.meta();
        }

        @Override
        public String generateURIForCopy() {
            try {
                SnapshotOffer opened = new SnapshotOffer(saved.file());
                offer = opened;
                return SnapshotFetch.uri(store.raftId(), opened.id());
            } catch (IOException e) {
                LOG.error(
                        "a snapshot can't be offered: file={} error=\"{}\"",
                        saved.file(),
                        e.toString());
                return "";
            }
        }

        @Override
        public boolean init(@Nullable Void options) {
            return true;
        }

        @Override
        public void shutdown() {}

        @Override
        public void close() {
            SnapshotOffer opened = offer;
            if (opened != null) {
                opened.close();
            }
        }

        @Override
        public String getPath() {
            return saved.file().toString();
        }

        @Override
        public Set<String> listFiles() {
            return Set.of();
        }

        @Override
        public @Nullable Message getFileMeta(String name) {
            return null;
        }
    }
}
