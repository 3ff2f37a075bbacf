package registry.server.faults;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import registry.api.KvWrite;
import registry.server.ServerConfig;
import registry.server.cluster.ClusterConsensus;
import registry.server.fsm.Fsm;
import registry.server.fsm.LogProposer;
import registry.server.kv.KvEndpoint;
import registry.server.leader.LeaderLoop;
import registry.server.leader.Members;
import registry.server.link.Hub;
import registry.server.raft.Applier;
import registry.server.raft.Consensus;
import registry.server.raft.RaftDisk;
import registry.server.rpc.Consistency;
import registry.server.rpc.Queries;
import registry.server.rpc.Question;
import registry.server.rpc.Servers;
import registry.server.state.Op;
import registry.server.state.State;
import registry.server.state.StateStore;
import registry.server.state.Watches;
import registry.server.storage.NodeStore;
import registry.server.storage.TornStore;

/**
 * A server from its start to its death: the parts that {@code Server} wires, with the key-value
 * store as its only feature, over a disk that can be torn away.
 */
final class Life implements AutoCloseable {
    private static final int FORGOTTEN_WAKE_UP = 7;

    final Path dir;
    final TornStore store;
    final StateStore state;
    final Consensus consensus;
    private final ClusterConsensus cluster;
    private final RaftDisk disk;
    private final Hub hub;
    private final Queries queries;
    private final LogProposer proposer;
    private final KvEndpoint kv;
    private final LeaderLoop leader;
    private final Planted planted;
    private final String address;
    private final AtomicInteger wakeUps = new AtomicInteger();
    private final AtomicInteger loads = new AtomicInteger();

    /** When this server came to each index. */
    private final ConcurrentSkipListMap<Long, Long> reached = new ConcurrentSkipListMap<>();

    private volatile boolean dead;

    /**
     * @param log hears of each write of a key that is applied
     */
    Life(
            Path dir,
            ServerConfig config,
            Members members,
            Planted planted,
            AppliedWrites log,
            java.util.function.IntConsumer listening)
            throws IOException {
        this.dir = dir;
        this.planted = planted;
        this.address = config.address() + ":" + config.rpcPort();
        this.store = TornStore.open(dir);
        store.mood(planted.mood());
        this.disk = RaftDisk.open(store, config);
        ExecutorService wakers = Queries.wakers();
        this.state =
                new StateStore(
                        new Watches(waiters -> {
                            if (!forgetsWakeUp()) {
                                Queries.wake(wakers, waiters);
                            }
                        }));
        var answers = Queries.cache();
        var signals = new Semaphore(0);
        var fsm =
                new Fsm(
                        state,
                        System::nanoTime,
                        signals::release,
                        answers::clear,
                        line -> store.stop(4));
        this.hub = new Hub(disk::clusterId, List.of());
        InetSocketAddress at = hub.listen(new InetSocketAddress("127.0.0.1", 0));
        listening.accept(at.getPort());
        this.cluster =
                ClusterConsensus.start(disk, config, new Observed(fsm, log), hub, members, false);
        this.consensus = cluster;
        this.proposer = new LogProposer(consensus, fsm);
        this.kv = new KvEndpoint(proposer);
        this.queries = new Queries(state, consensus, kv::get, wakers, answers);
        this.leader = new LeaderLoop(fsm::leadingTerm, signals, List.of(), queries::leadershipLost);
        leader.start();
    }

    private boolean forgetsWakeUp() {
        return planted == Planted.LOST_WAKE_UP
                && wakeUps.incrementAndGet() % FORGOTTEN_WAKE_UP == 0;
    }

    String raftId() {
        return disk.raftId();
    }

    boolean write(KvWrite write) {
        return kv.apply(write);
    }

    /** What the log makes of any command. */
    Object propose(Op op) {
        return proposer.propose(op);
    }

    /** After which this server's own state may be read as if it were the only one. */
    CompletableFuture<Void> readIndex() {
        return planted == Planted.NO_READ_INDEX
                ? CompletableFuture.completedFuture(null)
                : consensus.readIndex();
    }

    Servers.Held ask(Question question, Servers.Listener listener) {
        return queries.ask(question, listener);
    }

    /** When this server's state first held what happened at {@code index}; null when not yet. */
    @Nullable Long reachedAt(long index) {
        var entry = reached.ceilingEntry(index);
        return entry == null ? null : entry.getValue();
    }

    boolean isReadyLeader() {
        return consensus.isReadyLeader();
    }

    /** As this server, and not only as the node that it is on. */
    boolean votes() {
        return consensus.peers().stream()
                .anyMatch(peer -> peer.voter() && peer.address().equals(address));
    }

    void handOver() {
        cluster.handOver();
    }

    /** How many snapshots of others it has taken over. */
    int installed() {
        return loads.get();
    }

    /** The term and vote on disk, as text after the term; read before anybody has written. */
    static void readBallot(Path dir, BallotReader reader) throws IOException {
        try (NodeStore store = NodeStore.open(dir)) {
            byte[] row = store.get(NodeStore.META, "ballot".getBytes(StandardCharsets.UTF_8));
            if (row == null) {
                reader.read(0, "");
                return;
            }
            ByteBuffer in = ByteBuffer.wrap(row);
            long term = in.getLong();
            String peer = StandardCharsets.UTF_8.decode(in).toString();
            int colon = peer.indexOf(':');
            reader.read(term, colon < 0 ? "" : peer.substring(0, colon));
        }
    }

    /** Takes what is on disk. */
    interface BallotReader {
        void read(long term, String votedFor);
    }

    /** From now on nothing that it answers counts. */
    void die() {
        dead = true;
    }

    boolean isDead() {
        return dead;
    }

    /** Lets go of everything, dead or alive. */
    @Override
    public void close() {
        dead = true;
        leader.close();
        cluster.close();
        queries.close();
        hub.close();
        store.close();
    }

    /** The state machine, with somebody who takes notes, and with what is planted there. */
    private final class Observed implements Applier {
        private final Applier fsm;
        private final AppliedWrites log;
        private final AtomicLong started = new AtomicLong();

        Observed(Applier fsm, AppliedWrites log) {
            this.fsm = fsm;
            this.log = log;
        }

        @Override
        public Object apply(long index, byte[] command) {
            Object result = fsm.apply(index, command);
            long now = System.nanoTime();
            log.applied(state.current().index(), command, result, now);
            reached.put(state.current().index(), now);
            started.set(1);
            if (reached.size() > 20_000) {
                reached.pollFirstEntry();
            }
            return result;
        }

        @Override
        public Snapshot snapshot() {
            return fsm.snapshot();
        }

        @Override
        public void load(InputStream in) throws IOException {
            State before = state.current();
            if (before.index() == 0) {
                // Its own, at its start.
                fsm.load(in);
                return;
            }
            Answer then = answerNow();
            fsm.load(in);
            reached.put(state.current().index(), System.nanoTime());
            loads.incrementAndGet();
            if (planted == Planted.STALE_INDEX) {
                State after = state.current();
                state.replace(
                        new State(
                                after.base(),
                                after.index(),
                                after.time(),
                                after.tables(),
                                before.indexes()));
            }
            log.installed(then, answerNow());
        }

        /** What somebody hears who asks between two commands. */
        private Answer answerNow() {
            try {
                return Answer.of(Life.this, Answer.ALL, Consistency.STALE, 0, Duration.ZERO);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void leading(long term) {
            fsm.leading(term);
        }

        @Override
        public void following() {
            fsm.following();
        }
    }

    /** Waits for what a read may wait for. */
    static void await(CompletableFuture<Void> verified, Duration limit) throws Exception {
        verified.get(limit.toMillis(), TimeUnit.MILLISECONDS);
    }
}
