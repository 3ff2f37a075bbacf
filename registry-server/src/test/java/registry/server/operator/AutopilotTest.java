package registry.server.operator;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import registry.api.ApiException;
import registry.api.AutopilotConfig;
import registry.server.TestServer;
import registry.server.leader.Members;
import registry.server.raft.Consensus;
import registry.server.state.StateStore;
import registry.server.state.Tx;
import registry.server.state.Watches;

/** What autopilot does to voters that are silent, by a clock that the test turns. */
class AutopilotTest {
    private static final Duration DELAY = Duration.ofHours(72);

    private final Group group = new Group();
    private final TestServer.FakeMembers members = new TestServer.FakeMembers();
    private final StateStore store = new StateStore(new Watches(waiters -> {}));
    private long nanos;
    private long index;
    private final Autopilot autopilot = autopilot(AutopilotConfig.DEFAULT);

    private Autopilot autopilot(AutopilotConfig config) {
        return new Autopilot(
                store, group, members, config, DELAY, () -> nanos, InstantSource.system());
    }

    private void pass(Duration time) {
        nanos += time.toNanos();
    }

    @Test
    void aVoterIsRemovedOnlyWhenItWasDeadForTheWholeDelay() {
        group.silent.add("s3");
        autopilot.run(1);
        pass(DELAY.minusSeconds(1));
        autopilot.run(1);
        assertThat(group.removed).isEmpty();
        pass(Duration.ofSeconds(1));
        autopilot.run(1);
        assertThat(group.removed).containsExactly("s3");
    }

    @Test
    void whoAnswersInBetweenOrIsAliveInGossipBeginsAnew() {
        group.silent.add("s3");
        autopilot.run(1);
        pass(DELAY);
        group.silent.clear();
        autopilot.run(1);
        group.silent.add("s3");
        autopilot.run(1);
        assertThat(group.removed).isEmpty();
        members.put("s3", "10.0.0.3", 8300, Members.State.ALIVE, "s3");
        autopilot.run(1);
        pass(DELAY);
        autopilot.run(1);
        assertThat(group.removed).isEmpty();
    }

    @Test
    void aNewLeaderBeginsToCountAnew() {
        group.silent.add("s3");
        autopilot.run(1);
        pass(DELAY);
        autopilot.run(2);
        assertThat(group.removed).isEmpty();
    }

    @Test
    void neverBelowTheLeastQuorumAndNeverWhenTurnedOff() {
        for (AutopilotConfig config : List.of(config(true, 3), config(false, 0))) {
            var limited = autopilot(config);
            set(config);
            group.silent.add("s3");
            limited.run(1);
            pass(DELAY);
            limited.run(1);
            assertThat(group.removed).as("%s", config).isEmpty();
        }
    }

    private void set(AutopilotConfig config) {
        var tx = new Tx(store.current(), ++index, 0, List.of(AutopilotTable.CONFIG));
        AutopilotTable.write(tx, config, AutopilotOp.Verb.SET, 0);
        store.commit(tx);
    }

    private static AutopilotConfig config(boolean cleanup, long minQuorum) {
        return new AutopilotConfig(
                cleanup,
                Duration.ofMillis(200),
                250,
                minQuorum,
                Duration.ZERO,
                "",
                false,
                "",
                0,
                0);
    }

    @Test
    void casLooksAtTheIndexAndZeroMeansThatThereIsNone() {
        AutopilotConfig next = config(false, 0);
        assertThat(autopilot.config()).isEqualTo(AutopilotConfig.DEFAULT);
        assertThat(cas(next, 1)).isFalse();
        assertThat(cas(next, 0)).isTrue();
        long first = index;
        assertThat(autopilot.config()).isEqualTo(next.at(first, first));
        assertThat(cas(next, 0)).isFalse();
        assertThat(cas(next, first)).isTrue();
        assertThat(autopilot.config()).isEqualTo(next.at(first, index));
    }

    private boolean cas(AutopilotConfig config, long cas) {
        var tx = new Tx(store.current(), ++index, 0, List.of(AutopilotTable.CONFIG));
        boolean written = AutopilotTable.write(tx, config, AutopilotOp.Verb.CAS, cas);
        store.commit(tx);
        return written;
    }

    @Test
    void healthTellsHowManyMayFail() {
        for (String name : List.of("s1", "s2", "s3")) {
            members.put(name, "10.0.0.1", 8300, Members.State.ALIVE, name);
        }
        assertThat(autopilot.health().healthy()).isTrue();
        assertThat(autopilot.health().failureTolerance()).isEqualTo(1);
        group.silent.add("s2");
        assertThat(autopilot.health().healthy()).isFalse();
        assertThat(autopilot.health().failureTolerance()).isZero();
    }

    /** Three voters, of whom the first leads. */
    private static final class Group implements Consensus {
        final List<String> silent = new ArrayList<>();
        final List<String> removed = new ArrayList<>();

        @Override
        public List<Standing> standings() {
            List<Standing> standings = new ArrayList<>();
            for (Peer peer : peers()) {
                boolean answers = !silent.contains(peer.node());
                standings.add(new Standing(peer.node(), peer, answers, 10, 1, 100));
            }
            return standings;
        }

        @Override
        public List<Peer> peers() {
            List<Peer> peers = new ArrayList<>();
            for (String name : List.of("s1", "s2", "s3")) {
                if (!removed.contains(name)) {
                    peers.add(new Peer(name, name, "10.0.0.1:8300", name.equals("s1"), true));
                }
            }
            return peers;
        }

        @Override
        public void removeVoter(String raftId) {
            removed.add(raftId);
        }

        @Override
        public void transferLeadership(String id) {
            throw ApiException.refused("not here");
        }

        @Override
        public CompletableFuture<Object> propose(byte[] command) {
            throw new IllegalStateException("not here");
        }

        @Override
        public CompletableFuture<Void> readIndex() {
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public boolean isReadyLeader() {
            return true;
        }

        @Override
        public String leaderId() {
            return "s1";
        }

        @Override
        public long lastContactMillis() {
            return 0;
        }

        @Override
        public SortedMap<String, String> stats() {
            return new TreeMap<>();
        }

        @Override
        public void close() {}
    }
}
