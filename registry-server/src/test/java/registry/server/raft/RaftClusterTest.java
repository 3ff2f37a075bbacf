package registry.server.raft;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.RocksDBException;
import registry.api.ApiException;
import registry.server.ServerConfig;
import registry.server.link.Hub;
import registry.server.link.Service;
import registry.server.storage.TornStore;

/** Three servers in one process, over real links and real stores. */
class RaftClusterTest {
    private static final int TRIES = 10;

    @TempDir Path tmp;

    private final Map<String, InetSocketAddress> addresses = new ConcurrentHashMap<>();
    private final Map<String, Member> members = new LinkedHashMap<>();
    private int raftMultiplier = 5;

    @BeforeEach
    void found() throws IOException {
        for (String name : List.of("n1", "n2", "n3")) {
            members.put(name, new Member(name));
        }
        List<String> raftIds = members.values().stream().map(member -> member.raftId).toList();
        for (Member member : members.values()) {
            member.start(raftIds);
        }
    }

    @AfterEach
    void close() {
        members.values().forEach(Member::stop);
    }

    @Test
    void allApplyTheSameInTheSameOrder() {
        Member leader = leader();
        write(leader, 0, 2000);
        for (Member member : members.values()) {
            await().atMost(20, SECONDS).until(() -> member.ledger.numbers().length == 2000);
            assertThat(member.ledger.numbers()).isEqualTo(leader.ledger.numbers());
        }
        await().atMost(20, SECONDS)
                .untilAsserted(() -> {
                    List<Member> leaders =
                            members.values().stream()
                                    .filter(member -> member.consensus.isReadyLeader())
                                    .toList();
                    assertThat(leaders).hasSize(1);
                    assertThat(members.values())
                            .allMatch(member ->
                                    member.consensus.leaderId().equals(leaders.getFirst().raftId));
                });
    }

    @Test
    void aFollowerReadsWhatWasAcknowledgedBefore() {
        Member leader = leader();
        Member follower = others(leader).getFirst();
        for (int i = 0; i < 50; i++) {
            write(leader, i, i + 1);
            read(follower);
            assertThat(follower.ledger.numbers()).hasSizeGreaterThanOrEqualTo(i + 1);
        }
        await().atMost(20, SECONDS)
                .until(() ->
                        members.values().stream()
                                .filter(member -> !member.consensus.isLeader())
                                .map(member -> member.consensus.propose(Ledger.command(1, 1)))
                                .allMatch(CompletableFuture::isCompletedExceptionally));
    }

    @Test
    void theOthersGoOnWhenTheLeaderStopsAndItCatchesUp() throws IOException {
        Member first = leader();
        write(first, 0, 500);
        first.stop();
        Member second = leader();
        write(second, 500, 1000);
        first.open();
        first.start(List.of());
        await().atMost(20, SECONDS).until(() -> first.ledger.numbers().length == 1000);
        assertThat(first.ledger.numbers()).isEqualTo(second.ledger.numbers());
        assertThat(Arrays.stream(second.ledger.numbers()).sorted().toArray())
                .isEqualTo(LongStream.range(0, 1000).toArray());
    }

    @Test
    void whoIsTooFarBehindGetsASnapshot() throws IOException {
        Member leader = leader();
        Member behind = others(leader).getFirst();
        write(leader, 0, 100);
        behind.stop();
        for (int from = 100; from < 3100; from += 500) {
            write(leader, from, from + 500);
            int written = from;
            await().atMost(20, SECONDS)
                    .until(() ->
                            Long.parseLong(leader.consensus.stats().get("last_snapshot_index"))
                                    > written);
        }
        await().atMost(20, SECONDS)
                .until(() -> Long.parseLong(leader.consensus.stats().get("first_log_index")) > 200);
        behind.open();
        behind.start(List.of());
        await().atMost(20, SECONDS).until(() -> behind.ledger.numbers().length == 3100);
        assertThat(behind.ledger.numbers()).isEqualTo(leader.ledger.numbers());
        assertThat(behind.ledger.events()).anyMatch(event -> event.startsWith("load "));
        write(leader, 3100, 3200);
        behind.stop();
        behind.open();
        behind.start(List.of());
        await().atMost(20, SECONDS).until(() -> behind.ledger.numbers().length == 3200);
    }

    @Test
    void aLeaderThatHearsNobodyIsNoneAnyMore() {
        Member first = leader();
        write(first, 0, 100);
        first.hub.close();
        await().atMost(5, SECONDS).until(() -> !first.consensus.isReadyLeader());
        await().atMost(20, SECONDS).until(() -> !first.consensus.isLeader());
        List<Member> others = others(first);
        await().atMost(20, SECONDS)
                .until(() -> others.stream().anyMatch(member -> member.consensus.isReadyLeader()));
        CompletableFuture<Void> read = first.consensus.readIndex();
        await().atMost(20, SECONDS).until(read::isCompletedExceptionally);
    }

    /**
     * The engine gives up on a new voter that can't catch up soon, and whoever waits for its vote
     * waits long: it learns first.
     */
    @Test
    void aNewcomerIsReadyForItsVoteWhenItHasCaughtUp() throws Exception {
        Member leader = leader();
        for (int from = 0; from < 3000; from += 500) {
            write(leader, from, from + 500);
        }
        await().atMost(20, SECONDS)
                .until(() -> Long.parseLong(leader.consensus.stats().get("first_log_index")) > 500);
        Member newcomer = new Member("n4");
        members.put("n4", newcomer);
        CountDownLatch gate = new CountDownLatch(1);
        newcomer.ledger.beforeLoad(() -> pass(gate));
        newcomer.start(List.of());
        change(newcomer.raftId, false);
        await().atMost(20, SECONDS)
                .until(() ->
                        leader().consensus.standings().stream()
                                .anyMatch(standing ->
                                        standing.raftId().equals(newcomer.raftId)
                                                && standing.answers()));
        try {
            assertThat(leader().consensus.readyLearners()).isEmpty();
        } finally {
            gate.countDown();
        }
        await().atMost(20, SECONDS)
                .until(() -> leader().consensus.readyLearners().contains(newcomer.raftId));
        change(newcomer.raftId, true);
        await().atMost(20, SECONDS)
                .until(() -> leader().consensus.aliveVoters().contains(newcomer.raftId));
        await().atMost(20, SECONDS).until(() -> newcomer.ledger.numbers().length == 3000);
    }

    /** By whoever leads, all of it again when another leads before it is done. */
    private void change(String raftId, boolean voter) {
        await().atMost(60, SECONDS)
                .until(() -> {
                    JraftConsensus by = leader().consensus;
                    try {
                        if (!voter) {
                            by.change(new MemberChange.AddLearner(raftId));
                            return true;
                        }
                        if (has(by, raftId, false)) {
                            by.change(new MemberChange.RemoveLearner(raftId));
                        }
                        by.change(new MemberChange.AddVoter(raftId));
                        return true;
                    } catch (ApiException maybeDone) {
                        return has(by, raftId, voter);
                    }
                });
    }

    private static boolean has(JraftConsensus group, String raftId, boolean voter) {
        return group.peers().stream()
                .anyMatch(peer -> peer.id().equals(raftId) && peer.voter() == voter);
    }

    private static void pass(CountDownLatch gate) {
        try {
            gate.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The engine throws at some of these and answers others; nobody waits for either. */
    @Test
    void aChangeOfMembersThatCannotBeIsRefusedAtOnce() {
        Member leader = leader();
        Member follower = others(leader).getFirst();
        long begin = System.nanoTime();
        for (MemberChange change :
                List.of(
                        new MemberChange.AddVoter(follower.raftId),
                        new MemberChange.AddLearner(follower.raftId),
                        new MemberChange.RemoveVoter("nobody"))) {
            assertThatThrownBy(() -> leader.consensus.change(change))
                    .isInstanceOf(ApiException.class)
                    .hasMessageStartingWith(change.toString());
        }
        assertThatThrownBy(() ->
                        follower.consensus.change(new MemberChange.RemoveVoter(leader.raftId)))
                .isInstanceOf(ApiException.class)
                .hasMessageContaining("Not leader");
        assertThat(System.nanoTime() - begin).isLessThan(SECONDS.toNanos(5));
        write(leader, 0, 10);
    }

    /** The engine itself would only log that it could not remember its vote, and give it. */
    @Test
    void whoCannotRememberItsVoteStopsAndGivesNone() {
        Member leader = leader();
        write(leader, 0, 10);
        Member full = others(leader).getFirst();
        Member good = others(leader).getLast();
        full.store.mood((row, sync) -> {
            if ("ballot".equals(row)) {
                throw new RocksDBException("no space left");
            }
            return sync;
        });
        leader.stop();
        await().atMost(20, SECONDS).until(() -> full.store.stopped() == 3);
        await().during(2, SECONDS)
                .atMost(5, SECONDS)
                .until(() -> !good.consensus.isLeader() && !full.consensus.isLeader());
    }

    @Test
    void aFollowerThatCannotWriteStopsAndTheOthersGoOn() {
        Member leader = leader();
        Member full = others(leader).getFirst();
        full.store.mood((row, sync) -> {
            throw new RocksDBException("no space left");
        });
        write(leader, 0, 100);
        await().atMost(20, SECONDS).until(() -> full.store.stopped() == 3);
        write(leader, 100, 200);
        assertThat(full.ledger.numbers()).isEmpty();
    }

    /**
     * Heartbeats wait for no disk: a write that takes three times as long as a leader does without
     * followers topples nobody. It did if a link's questions were answered one after the other.
     */
    @Test
    void aSlowDiskIsNoDeadServer() throws IOException {
        raftMultiplier = 15;
        for (Member member : members.values()) {
            member.stop();
            member.open();
            member.start(List.of());
        }
        Member leader = leader();
        write(leader, 0, 1);
        long term = leader.ledger.leadingTerm();
        for (Member other : others(leader)) {
            await().atMost(10, SECONDS).until(() -> other.ledger.numbers().length == 1);
            var once = new AtomicBoolean();
            other.store.mood((row, sync) -> {
                if (once.compareAndSet(false, true)) {
                    LockSupport.parkNanos(SECONDS.toNanos(5));
                }
                return sync;
            });
        }
        List<CompletableFuture<Object>> proposals = new ArrayList<>();
        for (int i = 1; i < 30; i++) {
            proposals.add(leader.consensus.propose(Ledger.command(i, 400_000)));
        }
        proposals.forEach(proposal -> proposal.orTimeout(30, SECONDS).join());
        assertThat(leader.ledger.leadingTerm()).isEqualTo(term);
    }

    /** What is under way to one peer is bounded by messages, and a link by bytes. */
    @Test
    void manyLargeCommandsGetThrough() {
        Member leader = leader();
        write(leader, 0, 16, (2 << 20) - 1024);
        for (Member member : members.values()) {
            await().atMost(20, SECONDS).until(() -> member.ledger.numbers().length == 16);
        }
        write(leader, 16, 17, RaftLinks.MAX_COMMAND_BYTES - Long.BYTES);
        assertThat(leader.consensus.propose(Ledger.command(17, RaftLinks.MAX_COMMAND_BYTES)))
                .isCompletedExceptionally();
        for (Member member : members.values()) {
            await().atMost(20, SECONDS).until(() -> member.ledger.numbers().length == 17);
        }
    }

    private Member leader() {
        return await().atMost(20, SECONDS)
                .until(
                        () ->
                                members.values().stream()
                                        .filter(member ->
                                                member.running && member.consensus.isReadyLeader())
                                        .findFirst()
                                        .orElse(null),
                        found -> found != null);
    }

    private List<Member> others(Member member) {
        return members.values().stream().filter(other -> other != member).toList();
    }

    private void write(Member leader, int from, int to) {
        write(leader, from, to, 100);
    }

    /**
     * Writes numbers in order, each once: through {@code leader}, or through whoever leads next.
     * Where there is little CPU a leader may be silent for too long.
     */
    private void write(Member leader, int from, int to, int ballast) {
        Member through = leader;
        List<Integer> missing = IntStream.range(from, to).boxed().toList();
        for (int tries = 0; tries < TRIES; tries++) {
            Member now = through;
            List<CompletableFuture<Object>> proposals =
                    missing.stream()
                            .map(number -> now.consensus.propose(Ledger.command(number, ballast)))
                            .toList();
            if (proposals.stream().allMatch(RaftClusterTest::isAcknowledged)) {
                return;
            }
            // It has applied what was begun by others before: what it lacks never will be.
            through = leader();
            long[] written = through.ledger.numbers();
            missing =
                    missing.stream()
                            .filter(number -> LongStream.of(written).noneMatch(n -> n == number))
                            .toList();
        }
        throw new AssertionError("no leader stays: " + missing + " were not written");
    }

    private static boolean isAcknowledged(CompletableFuture<Object> proposal) {
        try {
            proposal.orTimeout(30, SECONDS).join();
            return true;
        } catch (CompletionException e) {
            if (e.getCause() instanceof ApiException refused
                    && (refused.kind() == ApiException.Kind.NO_LEADER
                            || refused.kind() == ApiException.Kind.UNKNOWN)) {
                return false;
            }
            throw e;
        }
    }

    private static void read(Member of) {
        await().atMost(20, SECONDS)
                .until(() ->
                        of.consensus
                                .readIndex()
                                .handle((done, refused) -> refused == null)
                                .get(10, SECONDS));
    }

    private final class Member implements RaftNetwork {
        private final Path dir;
        private final String raftId;
        private TornStore store;
        private Hub hub;
        private JraftConsensus consensus;
        private Ledger ledger = new Ledger();
        private volatile boolean running;

        Member(String name) throws IOException {
            dir = tmp.resolve(name);
            open();
            RaftStore raft = RaftStore.open(store, name);
            raft.name("c1", List.of());
            raftId = raft.raftId();
        }

        void open() throws IOException {
            store = TornStore.open(dir);
        }

        void start(List<String> founders) throws IOException {
            ServerConfig config = TestServer.config(dir, 40_000, raftMultiplier);
            RaftDisk disk = RaftDisk.open(store, config);
            if (!founders.isEmpty()) {
                disk.bind("c1", founders);
            }
            consensus =
                    JraftConsensus.start(
                            disk,
                            config,
                            ledger,
                            (why, cause) -> {
                                throw new AssertionError(why, cause);
                            },
                            this);
            running = true;
        }

        @Override
        public Hub hub(Service raft) {
            hub = new Hub(() -> "c1", List.of(raft));
            try {
                addresses.put(raftId, hub.listen(new InetSocketAddress("127.0.0.1", 0)));
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
            return hub;
        }

        @Override
        public @Nullable InetSocketAddress address(String id) {
            return addresses.get(id);
        }

        void stop() {
            if (running) {
                running = false;
                ledger = new Ledger();
                consensus.close();
                hub.close();
                store.close();
            }
        }
    }
}
