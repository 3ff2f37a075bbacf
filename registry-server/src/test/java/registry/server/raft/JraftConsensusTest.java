package registry.server.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;
import static org.awaitility.Awaitility.await;

import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.error.RaftError;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.RocksDBException;
import registry.api.ApiException;
import registry.api.ApiException.Kind;
import registry.server.storage.NodeStore;
import registry.server.storage.TornStore;

class JraftConsensusTest {
    @TempDir Path tmp;

    @Test
    void acknowledgedCommandsAreThereAfterARestart() throws IOException {
        List<Object> indexes = new ArrayList<>();
        long term;
        try (TestServer server = TestServer.open(tmp)) {
            term = server.ledger.leadingTerm();
            for (int i = 0; i < 100; i++) {
                indexes.add(server.consensus.propose(Ledger.command(i, 10)).join());
            }
            assertThat(server.ledger.events()).containsExactly("leading 1 after 0");
            assertThat(server.consensus.leaderId()).isEqualTo(server.consensus.raftId());
        }
        assertThat(indexes.stream().mapToLong(index -> (long) index).toArray())
                .isSorted()
                .doesNotHaveDuplicates();
        try (TestServer server = TestServer.open(tmp)) {
            assertThat(server.ledger.numbers()).isEqualTo(LongStream.range(0, 100).toArray());
            assertThat(server.ledger.lastIndex()).isEqualTo(indexes.getLast());
            assertThat(server.ledger.events())
                    .containsExactly("leading " + (term + 1) + " after " + indexes.getLast());
            assertThat((long) server.consensus.propose(Ledger.command(100, 10)).join())
                    .isGreaterThan((long) indexes.getLast());
        }
    }

    @Test
    void theTermIsOnDiskBeforeItLeads() throws IOException {
        long term;
        String raftId;
        try (TestServer server = TestServer.open(tmp)) {
            term = server.ledger.leadingTerm();
            raftId = server.consensus.stats().get("raft_id");
        }
        try (NodeStore store = NodeStore.open(tmp)) {
            Ballot ballot = new Ballot(store);
            assertThat(ballot.getTerm()).isEqualTo(term);
            assertThat(ballot.getVotedFor().getIp()).isEqualTo(raftId);
        }
    }

    @Test
    void aReadIndexOfTheSoleVoterIsImmediate() throws IOException {
        try (TestServer server = TestServer.open(tmp)) {
            server.consensus.propose(Ledger.command(1, 0)).join();
            assertThat(server.consensus.readIndex()).isCompleted();
            assertThat(server.consensus.stats())
                    .containsEntry("state", "Leader")
                    .containsEntry("num_peers", "0")
                    .containsEntry("term", "1");
            assertThat(server.consensus.peers())
                    .containsExactly(
                            new Consensus.Peer(server.consensus.raftId(), "", "", true, true));
        }
    }

    @Test
    void aSnapshotAndTheLogBehindItGiveTheSameState() throws IOException {
        try (TestServer server = TestServer.open(tmp, 20_000)) {
            writeWithTwoSnapshots(server);
            write(server, 1000, 1010);
        }
        try (TestServer server = TestServer.open(tmp, 20_000)) {
            assertThat(server.ledger.events().getFirst()).startsWith("load ");
            assertThat(server.ledger.numbers()).isEqualTo(LongStream.range(0, 1010).toArray());
            write(server, 1010, 1020);
            assertThat(server.ledger.numbers()).isEqualTo(LongStream.range(0, 1020).toArray());
        }
    }

    @Test
    void aDamagedNewestSnapshotIsReplacedByTheOlderAndItsLog() throws IOException {
        try (TestServer server = TestServer.open(tmp, 20_000)) {
            writeWithTwoSnapshots(server);
        }
        List<Path> snapshots = snapshots();
        flipByte(snapshots.getLast());
        for (int start = 0; start < 2; start++) {
            try (TestServer server = TestServer.open(tmp, 20_000)) {
                assertThat(server.ledger.numbers()).isEqualTo(LongStream.range(0, 1000).toArray());
            }
        }
        try (TestServer server = TestServer.open(tmp, 20_000)) {
            write(server, 1000, 2000);
            await().atMost(10, SECONDS).until(() -> !snapshots().contains(snapshots.getFirst()));
        }
        try (TestServer server = TestServer.open(tmp, 20_000)) {
            assertThat(server.ledger.numbers()).isEqualTo(LongStream.range(0, 2000).toArray());
        }
    }

    @Test
    void withoutAGoodSnapshotBeforeTheLogNothingStarts() throws IOException {
        try (TestServer server = TestServer.open(tmp, 20_000)) {
            writeWithTwoSnapshots(server);
            await().atMost(10, SECONDS).until(() -> firstLogIndex(server) > 1);
        }
        for (Path snapshot : snapshots()) {
            flipByte(snapshot);
        }
        assertThatThrownBy(() -> TestServer.open(tmp))
                .isInstanceOf(IOException.class)
                .hasMessageMatching(
                        "the Raft log begins at entry \\d+, and there is no good snapshot up to"
                                + " there: damaged are \\[.*\\.snapshot, .*\\.snapshot]; restore the"
                                + " data directory from a copy, .*");
    }

    @Test
    void aLostIdentityIsNotReplaced() throws IOException {
        try (TestServer server = TestServer.open(tmp)) {
            write(server, 0, 10);
        }
        try (NodeStore store = NodeStore.open(tmp)) {
            store.delete(NodeStore.META, "raft_id".getBytes(UTF_8), true);
        }
        assertThatThrownBy(() -> TestServer.open(tmp))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("there is a Raft log, but whose it is, is lost; ");
    }

    @Test
    void aMissingEntryOfTheLogIsNamedAndNothingStarts() throws IOException {
        try (TestServer server = TestServer.open(tmp)) {
            write(server, 0, 10);
        }
        try (NodeStore store = NodeStore.open(tmp)) {
            store.delete(NodeStore.LOG, ByteBuffer.allocate(8).putLong(5).array(), true);
        }
        assertThatThrownBy(() -> TestServer.open(tmp))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(
                        "entry 5 of the Raft log is damaged: it is missing, the next is 6; ");
    }

    @Test
    void manySmallWritesNeedBoundedSpace() throws IOException {
        try (TestServer server = TestServer.open(tmp, 1 << 20)) {
            write(server, 0, 40_000);
            await().atMost(10, SECONDS).until(() -> firstLogIndex(server) > 20_000);
            assertThat(bytesBelow(tmp)).isLessThan(64L << 20);
        }
        assertThat(snapshots()).hasSize(2);
    }

    @Test
    void aCloseThatIsWorthItLeavesASnapshot() throws IOException {
        try (TestServer server = TestServer.open(tmp)) {
            write(server, 0, 10);
        }
        assertThat(snapshots()).isEmpty();
        try (TestServer server = TestServer.open(tmp)) {
            write(server, 10, 5000);
        }
        assertThat(snapshots()).hasSize(1);
        try (TestServer server = TestServer.open(tmp)) {
            assertThat(server.ledger.events().getFirst())
                    .isEqualTo("load " + server.ledger.lastIndex());
            assertThat(server.ledger.numbers()).hasSize(5000);
        }
    }

    @Test
    void aFullQueueRefusesAndDrains() throws Exception {
        CountDownLatch gate = new CountDownLatch(1);
        Ledger ledger = new Ledger();
        try (NodeStore store = NodeStore.open(tmp);
                JraftConsensus consensus =
                        JraftConsensus.start(
                                store,
                                TestServer.config(tmp, TestServer.SNAPSHOT_BYTES),
                                new Slow(ledger, gate))) {
            await().atMost(10, SECONDS).until(consensus::isReadyLeader);
            List<CompletableFuture<Object>> proposals = new ArrayList<>();
            for (int i = 0; i < 6000; i++) {
                proposals.add(consensus.propose(Ledger.command(i, 0)));
            }
            List<CompletableFuture<Object>> refused =
                    proposals.stream().filter(CompletableFuture::isCompletedExceptionally).toList();
            assertThat(refused).hasSizeBetween(1000, 6000 - 4000);
            assertThat(refused)
                    .allSatisfy(future -> assertThat(kind(future)).isEqualTo(Kind.OVERLOADED));
            gate.countDown();
            proposals.stream()
                    .filter(future -> !refused.contains(future))
                    .forEach(CompletableFuture::join);
            assertThat(ledger.numbers()).hasSize(6000 - refused.size());
            consensus.propose(Ledger.command(6000, 0)).join();
        }
    }

    @Test
    void closingCompletesWhatIsUnderWay() throws IOException {
        List<CompletableFuture<Object>> proposals = new ArrayList<>();
        long applied;
        try (TestServer server = TestServer.open(tmp)) {
            for (int i = 0; i < 3000; i++) {
                proposals.add(server.consensus.propose(Ledger.command(i, 0)));
            }
            server.consensus.close();
            applied = server.ledger.numbers().length;
            assertThat(kind(server.consensus.propose(Ledger.command(1, 0))))
                    .isEqualTo(Kind.NO_LEADER);
            assertThat(server.consensus.isReadyLeader()).isFalse();
            assertThat(server.consensus.stats()).containsEntry("state", "Shutdown");
        }
        await().atMost(10, SECONDS)
                .until(() -> proposals.stream().allMatch(CompletableFuture::isDone));
        long acknowledged =
                proposals.stream().filter(future -> !future.isCompletedExceptionally()).count();
        // What was applied while the engine let go of it is honestly unknown to its proposer.
        assertThat(acknowledged).isLessThanOrEqualTo(applied);
        assertThat(proposals.stream().filter(CompletableFuture::isCompletedExceptionally))
                .allSatisfy(future ->
                        assertThat(kind(future))
                                .isIn(Kind.UNKNOWN, Kind.NO_LEADER, Kind.OVERLOADED));
    }

    /** Until then its state may lack what was acknowledged by its predecessor. */
    @Test
    void aLeaderIsReadyWhenItHasAppliedWhatItTookOver() throws Exception {
        try (TestServer server = TestServer.open(tmp)) {
            write(server, 0, 100);
        }
        CountDownLatch gate = new CountDownLatch(1);
        Ledger ledger = new Ledger();
        try (NodeStore store = NodeStore.open(tmp);
                JraftConsensus consensus =
                        JraftConsensus.start(
                                store,
                                TestServer.config(tmp, TestServer.SNAPSHOT_BYTES),
                                new Slow(ledger, gate))) {
            await().atMost(10, SECONDS).until(consensus::isLeader);
            CompletableFuture<Void> read = consensus.readIndex();
            try {
                assertThat(consensus.isReadyLeader()).isFalse();
                assertThat(read.isDone() && !read.isCompletedExceptionally()).isFalse();
            } finally {
                gate.countDown();
            }
            await().atMost(10, SECONDS).until(consensus::isReadyLeader);
            consensus.readIndex().join();
            assertThat(ledger.numbers()).hasSize(100);
        }
    }

    @Test
    void whatCannotBeWrittenIsNotAcknowledgedAndTheServerStops() throws Exception {
        Ledger ledger = new Ledger();
        try (TornStore store = TornStore.open(tmp);
                JraftConsensus consensus =
                        JraftConsensus.start(
                                TestServer.disk(store, tmp),
                                TestServer.config(tmp, TestServer.SNAPSHOT_BYTES),
                                ledger,
                                (why, cause) -> {},
                                null)) {
            await().atMost(10, SECONDS).until(consensus::isReadyLeader);
            consensus.propose(Ledger.command(1, 0)).join();
            store.mood((row, sync) -> {
                throw new RocksDBException("no space left");
            });
            CompletableFuture<Object> lost = consensus.propose(Ledger.command(2, 0));
            await().atMost(10, SECONDS).until(() -> store.stopped() == 3);
            assertThat(lost.isDone() && !lost.isCompletedExceptionally()).isFalse();
            assertThat(ledger.numbers()).containsExactly(1);
        }
    }

    @Test
    void aCommandThatCantBeAppliedStopsTheServer() throws IOException {
        AtomicReference<String> stopped = new AtomicReference<>();
        Applier broken =
                new Slow(new Ledger(), new CountDownLatch(0)) {
                    @Override
                    public Object apply(long index, byte[] command) {
                        if (ByteBuffer.wrap(command).getLong() == 2) {
                            throw new IllegalStateException("version 9");
                        }
                        return super.apply(index, command);
                    }
                };
        try (NodeStore store = NodeStore.open(tmp);
                JraftConsensus consensus =
                        JraftConsensus.start(
                                TestServer.disk(store, tmp),
                                TestServer.config(tmp, TestServer.SNAPSHOT_BYTES),
                                broken,
                                (why, cause) ->
                                        stopped.compareAndSet(
                                                null, why + ": " + cause.getMessage()),
                                null)) {
            await().atMost(10, SECONDS).until(consensus::isReadyLeader);
            Object index = consensus.propose(Ledger.command(1, 0)).join();
            assertThat(kind(consensus.propose(Ledger.command(2, 0)))).isEqualTo(Kind.UNKNOWN);
            assertThat(stopped.get())
                    .isEqualTo("command " + ((long) index + 1) + " can't be applied: version 9");
        }
    }

    @Test
    void aWipedServerIsAnotherOne() throws IOException {
        String first;
        try (TestServer server = TestServer.open(tmp.resolve("a"))) {
            first = server.consensus.stats().get("raft_id");
        }
        try (TestServer server = TestServer.open(tmp.resolve("b"))) {
            assertThat(server.consensus.stats().get("raft_id")).isNotEqualTo(first).hasSize(32);
        }
        try (TestServer server = TestServer.open(tmp.resolve("a"))) {
            assertThat(server.consensus.stats()).containsEntry("raft_id", first);
        }
    }

    @Test
    void onlyWhatNeverEnteredTheLogIsToldAsSuch() {
        assertThat(Proposal.refusal(new Status(RaftError.EPERM, "Is not leader.")).kind())
                .isEqualTo(Kind.NO_LEADER);
        assertThat(Proposal.refusal(new Status(RaftError.EPERM, "Leader stepped down")).kind())
                .isEqualTo(Kind.UNKNOWN);
        assertThat(
                        Proposal.refusal(new Status(RaftError.EBUSY, "Node x log manager is busy."))
                                .kind())
                .isEqualTo(Kind.OVERLOADED);
        assertThat(Proposal.refusal(new Status(RaftError.EIO, "Corrupted LogStorage")).kind())
                .isEqualTo(Kind.UNKNOWN);
    }

    /** Applies nothing until the gate opens. */
    private static class Slow implements Applier {
        private final Ledger ledger;
        private final CountDownLatch gate;

        Slow(Ledger ledger, CountDownLatch gate) {
            this.ledger = ledger;
            this.gate = gate;
        }

        @Override
        public Object apply(long index, byte[] command) {
            try {
                gate.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            return ledger.apply(index, command);
        }

        @Override
        public Snapshot snapshot() {
            return ledger.snapshot();
        }

        @Override
        public void load(java.io.InputStream in) throws IOException {
            ledger.load(in);
        }

        @Override
        public void leading(long term) {
            ledger.leading(term);
        }

        @Override
        public void following() {
            ledger.following();
        }
    }

    private static void write(TestServer server, int from, int to) {
        List<CompletableFuture<Object>> proposals = new ArrayList<>();
        for (int i = from; i < to; i++) {
            proposals.add(server.consensus.propose(Ledger.command(i, 100)));
            if (proposals.size() == 1000 || i == to - 1) {
                proposals.forEach(CompletableFuture::join);
                proposals.clear();
            }
        }
    }

    private static Kind kind(CompletableFuture<?> future) {
        try {
            future.join();
            throw new AssertionError("acknowledged");
        } catch (CompletionException e) {
            return assertThat(e.getCause()).asInstanceOf(type(ApiException.class)).actual().kind();
        }
    }

    private void writeWithTwoSnapshots(TestServer server) {
        write(server, 0, 500);
        await().atMost(10, SECONDS).until(() -> !snapshots().isEmpty());
        write(server, 500, 1000);
        await().atMost(10, SECONDS).until(() -> snapshots().size() == 2);
    }

    /** Oldest first. */
    private List<Path> snapshots() throws IOException {
        try (var files = Files.list(tmp.resolve("snapshots"))) {
            return files.filter(file -> file.toString().endsWith(".snapshot")).sorted().toList();
        }
    }

    private static long firstLogIndex(TestServer server) {
        return Long.parseLong(server.consensus.stats().get("first_log_index"));
    }

    private static void flipByte(Path file) throws IOException {
        try (var access = new RandomAccessFile(file.toFile(), "rw")) {
            access.seek(access.length() / 2);
            int old = access.read();
            access.seek(access.length() / 2);
            access.write(old ^ 1);
        }
    }

    private static long bytesBelow(Path dir) throws IOException {
        try (var files = Files.walk(dir)) {
            return files.filter(Files::isRegularFile)
                    .mapToLong(file -> file.toFile().length())
                    .sum();
        }
    }
}
