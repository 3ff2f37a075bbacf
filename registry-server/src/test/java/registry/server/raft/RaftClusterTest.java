package registry.server.raft;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
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
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import registry.server.link.Hub;
import registry.server.link.Service;
import registry.server.storage.NodeStore;

/** Three servers in one process, over real links and real stores. */
class RaftClusterTest {
    @TempDir Path tmp;

    private final Map<String, InetSocketAddress> addresses = new ConcurrentHashMap<>();
    private final Map<String, Member> members = new LinkedHashMap<>();

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
            await().atMost(10, SECONDS).until(() -> member.ledger.numbers().length == 2000);
            assertThat(member.ledger.numbers()).isEqualTo(leader.ledger.numbers());
            assertThat(member.consensus.isReadyLeader()).isEqualTo(member == leader);
        }
        assertThat(members.values().stream().map(member -> member.consensus.leaderId()).distinct())
                .containsExactly(leader.raftId);
    }

    @Test
    void aFollowerReadsWhatWasAcknowledgedBefore() {
        Member leader = leader();
        Member follower = others(leader).getFirst();
        for (int i = 0; i < 50; i++) {
            leader.consensus.propose(Ledger.command(i, 10)).join();
            follower.consensus.readIndex().orTimeout(5, SECONDS).join();
            assertThat(follower.ledger.numbers()).hasSizeGreaterThanOrEqualTo(i + 1);
        }
        assertThat(follower.consensus.propose(Ledger.command(1, 1))).isCompletedExceptionally();
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
            await().atMost(10, SECONDS)
                    .until(() ->
                            Long.parseLong(leader.consensus.stats().get("last_snapshot_index"))
                                    > written);
        }
        await().atMost(10, SECONDS)
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
        List<Member> others = others(first);
        await().atMost(10, SECONDS)
                .until(() -> others.stream().anyMatch(member -> member.consensus.isReadyLeader()));
        CompletableFuture<Void> read = first.consensus.readIndex();
        await().atMost(10, SECONDS).until(read::isCompletedExceptionally);
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

    private static void write(Member leader, int from, int to) {
        List<CompletableFuture<Object>> proposals = new ArrayList<>();
        for (int i = from; i < to; i++) {
            proposals.add(leader.consensus.propose(Ledger.command(i, 100)));
        }
        proposals.forEach(proposal -> proposal.orTimeout(20, SECONDS).join());
    }

    private final class Member implements RaftNetwork {
        private final Path dir;
        private final String raftId;
        private NodeStore store;
        private Hub hub;
        private JraftConsensus consensus;
        private Ledger ledger;
        private volatile boolean running;

        Member(String name) throws IOException {
            dir = tmp.resolve(name);
            open();
            RaftStore raft = RaftStore.open(store, name);
            raft.name("c1", List.of());
            raftId = raft.raftId();
        }

        void open() throws IOException {
            store = NodeStore.open(dir);
        }

        void start(List<String> founders) throws IOException {
            ledger = new Ledger();
            RaftDisk disk = RaftDisk.open(store, TestServer.config(dir, 40_000));
            if (!founders.isEmpty()) {
                disk.bind("c1", founders);
            }
            consensus =
                    JraftConsensus.start(
                            disk,
                            TestServer.config(dir, 40_000),
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
                consensus.close();
                hub.close();
                store.close();
            }
        }
    }
}
