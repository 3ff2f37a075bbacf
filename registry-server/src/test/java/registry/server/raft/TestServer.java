package registry.server.raft;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import registry.server.ServerConfig;
import registry.server.storage.NodeStore;

/** A node store with a single voter on it. */
final class TestServer implements AutoCloseable {
    static final long SNAPSHOT_BYTES = 16 << 20;

    final Ledger ledger;
    final JraftConsensus consensus;
    private final NodeStore store;

    private TestServer(NodeStore store, JraftConsensus consensus, Ledger ledger) {
        this.store = store;
        this.consensus = consensus;
        this.ledger = ledger;
    }

    /** Returns when it leads. */
    static TestServer open(Path dir) throws IOException {
        return open(dir, SNAPSHOT_BYTES);
    }

    static TestServer open(Path dir, long snapshotBytes) throws IOException {
        return open(dir, snapshotBytes, store -> {});
    }

    /**
     * @param before done to the store before Raft begins
     */
    static TestServer open(Path dir, long snapshotBytes, Consumer<NodeStore> before)
            throws IOException {
        Ledger ledger = new Ledger();
        NodeStore store = NodeStore.open(dir);
        before.accept(store);
        try {
            JraftConsensus consensus =
                    JraftConsensus.start(store, config(dir, snapshotBytes), ledger);
            TestServer server = new TestServer(store, consensus, ledger);
            await().pollInterval(Duration.ofMillis(1))
                    .atMost(30, SECONDS)
                    .until(consensus::isReadyLeader);
            return server;
        } catch (IOException | RuntimeException e) {
            store.close();
            throw e;
        }
    }

    /** A disk that founds a cluster of one. */
    static RaftDisk disk(NodeStore store, Path dir) throws IOException {
        RaftDisk disk = RaftDisk.open(store, config(dir, SNAPSHOT_BYTES));
        disk.bind("c1", List.of(disk.raftId()));
        return disk;
    }

    static ServerConfig config(Path dir, long snapshotBytes) {
        return config(dir, snapshotBytes, 5);
    }

    static ServerConfig config(Path dir, long snapshotBytes, int raftMultiplier) {
        return new ServerConfig(
                dir,
                "dc1",
                "agent-one",
                "7f1bb9cb-5cd8-4e46-a2e9-3b5a1cbb3a55",
                "127.0.0.1",
                8300,
                1,
                raftMultiplier,
                snapshotBytes,
                Duration.ofMinutes(15));
    }

    @Override
    public void close() {
        consensus.close();
        store.close();
    }
}
