package registry.server.snapshot;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.api.ApiException;
import registry.server.raft.Consensus;
import registry.server.rpc.Proposer;
import registry.server.state.State;
import registry.server.state.StateStore;
import registry.server.state.TableDef;

/**
 * Saves and restores for users. A save keeps a reference to the state, so that writes go on, and
 * writes the archive to a file beside the database while it is already read from there.
 */
public final class SnapshotEndpoint implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(SnapshotEndpoint.class);
    private static final long READ_INDEX_SECONDS = 10;
    private static final long IDLE_NANOS = TimeUnit.MINUTES.toNanos(2);
    private static final int MOST_AT_ONCE = 8;

    private final Proposer proposer;
    private final StateStore store;
    private final Consensus consensus;
    private final List<TableDef<?>> tables;
    private final Path directory;
    private final String datacenter;
    private final String node;
    private final Predicate<String> hasEnded;
    private final Map<String, Spool> spools = new ConcurrentHashMap<>();

    /**
     * @param tables all there are
     * @param dataDir where there is room for an archive
     * @param hasEnded whether gossip says of an agent of this datacenter that it is no more
     */
    public SnapshotEndpoint(
            Proposer proposer,
            StateStore store,
            Consensus consensus,
            List<TableDef<?>> tables,
            Path dataDir,
            String datacenter,
            String node,
            Predicate<String> hasEnded) {
        this.proposer = proposer;
        this.store = store;
        this.consensus = consensus;
        this.tables = tables;
        this.directory = dataDir.resolve("snapshots-under-way");
        this.datacenter = datacenter;
        this.node = node;
        this.hasEnded = hasEnded;
    }

    /** Begins a snapshot of all that was acknowledged before, or of what this server knows. */
    public SnapshotCalls.Opened open(SnapshotCalls.Open request) {
        if (!request.stale()) {
            if (!consensus.isReadyLeader()) {
                throw ApiException.noLeader();
            }
            awaitAllAcknowledged();
        }
        State state = store.current();
        closeIdle();
        if (spools.size() >= MOST_AT_ONCE) {
            throw new ApiException(
                    ApiException.Kind.OVERLOADED, "too many snapshots are being saved");
        }
        String id = UUID.randomUUID().toString();
        long term = Long.parseLong(consensus.stats().getOrDefault("term", "0"));
        var info =
                new ArchiveInfo(
                        term + "-" + state.index() + "-" + System.currentTimeMillis(),
                        state.index(),
                        term,
                        SnapshotArchive.VERSION,
                        datacenter,
                        node);
        try {
            prepareDirectory();
            spools.put(
                    id,
                    Spool.start(
                            directory.resolve(id),
                            out -> SnapshotArchive.write(info, state, tables, out)));
        } catch (IOException e) {
            throw failed(e);
        }
        return new SnapshotCalls.Opened(
                id,
                Math.max(1, state.index()),
                !consensus.leaderId().isEmpty(),
                request.stale() ? consensus.lastContactMillis() : 0);
    }

    private void awaitAllAcknowledged() {
        try {
            consensus.readIndex().get(READ_INDEX_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof ApiException known
                    ? known
                    : new ApiException(ApiException.Kind.INTERNAL, e.toString(), e);
        } catch (TimeoutException e) {
            throw ApiException.noLeader();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ApiException(ApiException.Kind.INTERNAL, "interrupted", e);
        }
    }

    /** What a process that was killed has left there goes with the first snapshot of the next. */
    private synchronized void prepareDirectory() throws IOException {
        Files.createDirectories(directory);
        if (spools.isEmpty()) {
            try (DirectoryStream<Path> left = Files.newDirectoryStream(directory)) {
                for (Path file : left) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    /** The next bytes. */
    public SnapshotCalls.Piece read(SnapshotCalls.Read request) {
        Spool spool = spools.get(request.id());
        if (spool == null) {
            throw ApiException.refused("failed to save: nobody asked for it any more");
        }
        try {
            return spool.read(request.offset(), SnapshotCalls.PIECE_BYTES);
        } catch (IOException e) {
            throw failed(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ApiException(ApiException.Kind.INTERNAL, "interrupted", e);
        }
    }

    private static ApiException failed(IOException e) {
        return new ApiException(ApiException.Kind.INTERNAL, "failed to save: " + e.getMessage(), e);
    }

    /** True when it was open. */
    public boolean close(SnapshotCalls.Close request) {
        Spool spool = spools.remove(request.id());
        if (spool != null) {
            spool.close();
        }
        return spool != null;
    }

    private void closeIdle() {
        spools.forEach((id, spool) -> {
            if (spool.isIdle(IDLE_NANOS)) {
                close(new SnapshotCalls.Close(id));
            }
        });
    }

    /**
     * Takes a step of a restore to the log; its first makes room where another one has no owner.
     */
    public Boolean propose(RestoreOp step) {
        if (step instanceof RestoreOp.Stage stage && stage.part() == 0) {
            String other = RestoreTable.underWay(store.current());
            if (other != null && isOrphan(other, stage.restore())) {
                proposer.propose(new RestoreOp.Drop(other));
                log.info("a restore whose agent has ended was given up: id={}", other);
            }
        }
        return (Boolean) proposer.propose(step);
    }

    /** Of an agent that has ended; if it hasn't after all, its restore fails and nothing else. */
    private boolean isOrphan(String restore, String next) {
        RestoreId id = RestoreId.parse(restore).orElse(null);
        if (id == null) {
            return false;
        }
        return RestoreId.parse(next).filter(id::isEarlierRunOf).isPresent()
                || (id.datacenter().equals(datacenter) && hasEnded.test(id.node()));
    }

    @Override
    public void close() {
        for (String id : List.copyOf(spools.keySet())) {
            try {
                close(new SnapshotCalls.Close(id));
            } catch (UncheckedIOException e) {
                // The file goes with the next snapshot.
            }
        }
    }
}
