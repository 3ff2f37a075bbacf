package registry.server.raft;

import com.alipay.sofa.jraft.NodeManager;
import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.closure.ReadIndexClosure;
import com.alipay.sofa.jraft.conf.Configuration;
import com.alipay.sofa.jraft.core.NodeImpl;
import com.alipay.sofa.jraft.entity.LogEntry;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.entity.Task;
import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.option.NodeOptions;
import com.alipay.sofa.jraft.option.RaftOptions;
import com.alipay.sofa.jraft.rpc.ProtobufMsgFactory;
import com.alipay.sofa.jraft.util.ThreadPoolsFactory;
import com.alipay.sofa.jraft.util.concurrent.DefaultFixedThreadsExecutorGroupFactory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.api.ApiException;
import registry.server.ServerConfig;
import registry.server.storage.NodeStore;

/**
 * Consensus by SOFAJRaft over a node's own store. Peers are known by raft id; see {@link
 * RaftStore}.
 *
 * <p>A command's way: {@link #propose} -> the engine's proposing thread gives it index and term ->
 * its log thread writes whatever has gathered as one synced batch -> its state machine thread
 * applies it and completes the future.
 */
public final class JraftConsensus implements Consensus {
    private static final Logger LOG = LoggerFactory.getLogger(JraftConsensus.class);
    private static final String GROUP = "registry";

    /** The port says nothing: a peer is its raft id. */
    static final int NO_PORT = 1;

    private static final int MIN_ELECTION_MILLIS = 300;
    private static final int MULTIPLIED_ELECTION_MILLIS = 100;
    private static final int QUEUE = 4096;

    /**
     * For how many election timeouts the quorum must be silent before a leader gives up. Reads end
     * with the first, and whoever hears the others may be elected then; but on a busy machine
     * answers are that late, and a new election would be later still.
     */
    private static final int SILENT_TIMEOUTS = 3;

    /**
     * Messages on their way to one peer besides the one that is sent, each of half a megabyte at
     * most unless one command is larger. What comes while they are is sent together, synced
     * together and answered once: more messages would cost more and bring nothing forward sooner.
     */
    private static final int INFLIGHT_MESSAGES = 2;

    /** How far behind whoever gets a vote may be; the engine's own measure for it. */
    private static final int CAUGHT_UP_ENTRIES = 1000;

    private static final long QUEUE_BYTES = 32L << 20;
    private static final long CLOSE_SNAPSHOT_BYTES = 256 << 10;
    private static final int CLOSE_SECONDS = 30;
    private static final int CHANGE_SECONDS = 20;

    static {
        EngineSignals.keepOut();
        // The wire types, before the first message: what fails later is only logged by the engine's
        // threads.
        ProtobufMsgFactory.load();
        ThreadPoolsFactory.registerThreadPool(
                GROUP,
                new ThreadPoolExecutor(
                        0,
                        64,
                        10,
                        TimeUnit.SECONDS,
                        new SynchronousQueue<>(),
                        Thread.ofPlatform().daemon().name("raft-work-", 0).factory()));
    }

    private final ServerConfig config;
    private final RaftStore store;
    private final EngineParts parts;
    private final List<PeerId> founders;
    private final Snapshots snapshots;
    private final CommandMachine machine;
    private final PeerId self;
    private final NodeImpl node;
    private final ExecutorService snapshotThread =
            Executors.newSingleThreadExecutor(
                    Thread.ofPlatform().daemon().name("raft-snapshot").factory());
    private final AtomicInteger pending = new AtomicInteger();
    private final AtomicLong pendingBytes = new AtomicLong();
    private final LargeCommands large = new LargeCommands();
    private volatile boolean closed;

    private JraftConsensus(
            ServerConfig config,
            EngineParts parts,
            List<PeerId> founders,
            Applier applier,
            CommandMachine.Fatal fatal) {
        this.config = config;
        this.parts = parts;
        this.store = parts.store();
        this.snapshots = parts.snapshots();
        this.founders = founders;
        this.self = new PeerId(store.raftId(), NO_PORT);
        this.node = new NodeImpl(GROUP, self);
        this.machine =
                new CommandMachine(
                        applier,
                        snapshotThread,
                        config.snapshotBytes(),
                        this::askSnapshot,
                        () -> node.listPeers().size(),
                        fatal);
    }

    /**
     * Takes part as the only voter there is. Returns before it leads.
     *
     * @throws IOException when what is on disk can't be used: says what is damaged and what to do
     */
    public static JraftConsensus start(NodeStore store, ServerConfig config, Applier applier)
            throws IOException {
        RaftDisk disk = RaftDisk.open(store, config);
        if (disk.clusterId().isEmpty()) {
            disk.bind(UUID.randomUUID().toString(), List.of(disk.raftId()));
        }
        return start(disk, config, applier, disk::halt, null);
    }

    /**
     * Takes part in the cluster that {@code disk} is bound to. Returns before a leader is known.
     *
     * @throws IOException when the engine does not start
     */
    public static JraftConsensus start(
            RaftDisk disk, ServerConfig config, Applier applier, RaftNetwork network)
            throws IOException {
        return start(disk, config, applier, disk::halt, network);
    }

    /**
     * @param network how to reach others; null for a server that has none
     */
    static JraftConsensus start(
            RaftDisk disk,
            ServerConfig config,
            Applier applier,
            CommandMachine.Fatal fatal,
            @Nullable RaftNetwork network)
            throws IOException {
        RaftLinks links = network == null ? null : new RaftLinks(disk.raftId(), network);
        EngineParts parts = new EngineParts(disk.log(), disk.ballot(), disk.snapshots(), links);
        List<PeerId> founders = new ArrayList<>();
        for (String founder : disk.founders()) {
            founders.add(new PeerId(founder, NO_PORT));
            if (links != null && !founder.equals(disk.raftId())) {
                links.meet(founder);
            }
        }
        JraftConsensus consensus = new JraftConsensus(config, parts, founders, applier, fatal);
        consensus.start();
        return consensus;
    }

    private void start() throws IOException {
        NodeManager.getInstance().addAddress(self.getEndpoint());
        RaftTimers.lookForQuorum(node.getNodeId().toString(), this::isTimeToLookForQuorum);
        if (!node.init(options())) {
            close();
            throw new IOException("the Raft engine did not start, the log says why");
        }
        RaftLinks links = parts.links();
        if (links != null) {
            links.engineRuns();
        }
    }

    private NodeOptions options() {
        NodeOptions options = new NodeOptions();
        int electionMillis = electionMillis();
        options.setElectionTimeoutMs(electionMillis);
        options.setFsm(machine);
        options.setServiceFactory(parts);
        options.setLogUri("store");
        options.setRaftMetaUri("store");
        options.setSnapshotUri("snapshots");
        options.setSnapshotIntervalSecs(0);
        options.setCatchupMargin(CAUGHT_UP_ENTRIES);
        options.setDisableCli(true);
        options.setEnableMetrics(false);
        options.setRpcConnectTimeoutMs(100);
        options.setRpcProcessorThreadPoolSize(3);
        options.setAppendEntriesExecutors(
                DefaultFixedThreadsExecutorGroupFactory.INSTANCE.newExecutorGroup(
                        2, "raft-append", 1024, true));
        // Who is a member already knows the members from its log or snapshot, whatever is said
        // here.
        options.setInitialConf(new Configuration(founders));
        RaftOptions raft = options.getRaftOptions();
        raft.setMaxElectionDelayMs(electionMillis / 2);
        raft.setElectionHeartbeatFactor(4);
        raft.setDisruptorBufferSize(QUEUE);
        raft.setApplyBatch(256);
        raft.setOpenStatistics(false);
        // In flight to one peer must fit into a link's queue.
        raft.setMaxReplicatorInflightMsgs(INFLIGHT_MESSAGES);
        return options;
    }

    private int electionMillis() {
        return Math.max(MIN_ELECTION_MILLIS, MULTIPLIED_ELECTION_MILLIS * config.raftMultiplier());
    }

    @Override
    public CompletableFuture<Object> propose(byte[] command) {
        if (closed || !node.isLeader(false)) {
            return CompletableFuture.failedFuture(ApiException.noLeader());
        }
        int bytes = command.length;
        if (bytes > RaftLinks.MAX_COMMAND_BYTES) {
            // In the log it would be tried on the others for ever.
            return CompletableFuture.failedFuture(Proposal.tooLarge(bytes));
        }
        if (pending.incrementAndGet() > QUEUE || pendingBytes.addAndGet(bytes) > QUEUE_BYTES) {
            ended(bytes);
            return CompletableFuture.failedFuture(Proposal.overloaded());
        }
        Proposal proposal = new Proposal(bytes, this::left);
        large.enter(bytes, () -> apply(command, proposal));
        return proposal;
    }

    private void apply(byte[] command, Proposal proposal) {
        try {
            node.apply(new Task(ByteBuffer.wrap(command), proposal));
        } catch (IllegalStateException shutDown) {
            proposal.run(new Status(RaftError.ENODESHUTDOWN, "stopped"));
        }
    }

    private void left(int bytes) {
        ended(bytes);
        large.left(bytes);
    }

    private void ended(int bytes) {
        pending.decrementAndGet();
        pendingBytes.addAndGet(-bytes);
    }

    @Override
    public CompletableFuture<Void> readIndex() {
        if (isReadyLeader() && machine.isSoleVoter()) {
            // Whatever was acknowledged was applied here, and nobody else can lead.
            return CompletableFuture.completedFuture(null);
        }
        CompletableFuture<Void> read = new CompletableFuture<>();
        try {
            node.readIndex(
                    new byte[0],
                    new ReadIndexClosure() {
                        @Override
                        public void run(Status status, long index, byte[] context) {
                            if (status.isOk()) {
                                read.complete(null);
                            } else {
                                read.completeExceptionally(ApiException.noLeader());
                            }
                        }
                    });
        } catch (IllegalStateException shutDown) {
            read.completeExceptionally(ApiException.noLeader());
        }
        return read;
    }

    @Override
    public boolean isReadyLeader() {
        return machine.leadingTerm() > 0
                && node.isLeader(false)
                && (machine.isSoleVoter() || hearsQuorum());
    }

    /** By the engine's own monotonic record of answered heartbeats. */
    private boolean hearsQuorum() {
        try {
            return node.listAlivePeers().size() > node.listPeers().size() / 2;
        } catch (IllegalStateException noLongerLeader) {
            return false;
        }
    }

    /** The engine's own look ends in giving up when the last answer is as old as a timeout. */
    private boolean isTimeToLookForQuorum() {
        int electionMillis = electionMillis();
        return hearsQuorumWithin(electionMillis / 2)
                || !hearsQuorumWithin(SILENT_TIMEOUTS * electionMillis);
    }

    private boolean hearsQuorumWithin(int millis) {
        RaftLinks links = parts.links();
        try {
            List<PeerId> voters = node.listPeers();
            long heard =
                    voters.stream()
                            .filter(voter ->
                                    voter.equals(self)
                                            || links != null
                                                    && links.millisSinceHeard(voter.getIp())
                                                            <= millis)
                            .count();
            return heard > voters.size() / 2;
        } catch (IllegalStateException noLongerLeader) {
            return false;
        }
    }

    /** Raft id of the leader as far as this server knows; empty text while there is none. */
    @Override
    public String leaderId() {
        PeerId leader = node.getLeaderId();
        return leader == null || leader.isEmpty() ? "" : leader.getIp();
    }

    @Override
    public long lastContactMillis() {
        RaftLinks links = parts.links();
        return links == null || node.isLeader(false) ? 0 : links.millisSinceLeader();
    }

    /** By raft id; where they are is for others to know. */
    @Override
    public List<Peer> peers() {
        String leader = leaderId();
        Configuration now = node.getCurrentConf();
        List<Peer> peers = new ArrayList<>();
        if (now != null) {
            for (PeerId voter : now.getPeers()) {
                String id = voter.getIp();
                peers.add(new Peer(id, "", "", id.equals(leader), true));
            }
            for (PeerId learner : now.getLearners()) {
                peers.add(new Peer(learner.getIp(), "", "", false, false));
            }
        }
        return peers;
    }

    @Override
    public List<Standing> standings() {
        if (!node.isLeader(false)) {
            return List.of();
        }
        Set<String> answering = new HashSet<>(aliveVoters());
        answering.addAll(aliveLearners());
        List<Standing> standings = new ArrayList<>();
        for (Peer peer : peers()) {
            standings.add(standing(peer, answering.contains(peer.id())));
        }
        return standings;
    }

    private Standing standing(Peer peer, boolean answers) {
        RaftLinks links = parts.links();
        boolean isSelf = peer.id().equals(raftId());
        long index =
                isSelf || links == null ? store.getLastLogIndex() : links.lastIndexOf(peer.id());
        long contact = isSelf || links == null ? 0 : links.millisSinceHeard(peer.id());
        return new Standing(peer.id(), peer, isSelf || answers, contact, termOf(index), index);
    }

    /** Whatever the log no longer holds is in a snapshot, and older than all it holds. */
    private long termOf(long index) {
        Snapshots.Saved newest = snapshots.newest();
        if (newest != null && newest.index() == index) {
            return newest.meta().getLastIncludedTerm();
        }
        LogEntry entry = store.getEntry(index);
        return entry == null ? 0 : entry.getId().getTerm();
    }

    @Override
    public void removeVoter(String raftId) {
        change(new MemberChange.RemoveVoter(raftId));
    }

    @Override
    public void transferLeadership(String id) {
        Status status =
                node.transferLeadershipTo(id.isEmpty() ? PeerId.ANY_PEER : new PeerId(id, NO_PORT));
        if (!status.isOk()) {
            throw ApiException.refused(status.getErrorMsg());
        }
    }

    /** This server's own raft id. */
    public String raftId() {
        return store.raftId();
    }

    /** True when a raft id was made on the node of that name. */
    public static boolean isOf(String raftId, String nodeName) {
        return RaftStore.isOf(raftId, nodeName);
    }

    /** True while this server leads. */
    public boolean isLeader() {
        return node.isLeader(false);
    }

    /** Raft ids of the voters that the leader has heard within an election timeout. */
    public Set<String> aliveVoters() {
        try {
            return ids(node.listAlivePeers());
        } catch (IllegalStateException noLongerLeader) {
            return Set.of();
        }
    }

    /** Raft ids of the learners that answer the leader. */
    private Set<String> aliveLearners() {
        try {
            return ids(node.listAliveLearners());
        } catch (IllegalStateException noLongerLeader) {
            return Set.of();
        }
    }

    /**
     * Raft ids of the learners that answer and have nearly all of the log. The engine gives up on a
     * new voter that needs longer than an election timeout to catch up, as by a large snapshot.
     */
    public Set<String> readyLearners() {
        RaftLinks links = parts.links();
        Set<String> ready = aliveLearners();
        if (links == null) {
            return ready;
        }
        long enough = store.getLastLogIndex() - CAUGHT_UP_ENTRIES;
        return ready.stream()
                .filter(id -> {
                    long reached = links.lastIndexOf(id);
                    return reached > 0 && reached >= enough;
                })
                .collect(Collectors.toSet());
    }

    private static Set<String> ids(List<PeerId> peers) {
        return peers.stream().map(PeerId::getIp).collect(Collectors.toSet());
    }

    /**
     * Changes one member, as the leader, and waits for the group to know.
     *
     * @throws ApiException INTERNAL with the engine's reason
     */
    public synchronized void change(MemberChange change) {
        PeerId peer = new PeerId(change.raftId(), NO_PORT);
        CompletableFuture<Status> done = new CompletableFuture<>();
        try {
            switch (change) {
                case MemberChange.AddLearner add -> node.addLearners(List.of(peer), done::complete);
                case MemberChange.RemoveLearner remove ->
                        node.removeLearners(List.of(peer), done::complete);
                case MemberChange.AddVoter add -> node.addPeer(peer, done::complete);
                case MemberChange.RemoveVoter remove -> node.removePeer(peer, done::complete);
            }
        } catch (IllegalArgumentException | IllegalStateException e) {
            throw new ApiException(ApiException.Kind.INTERNAL, change + ": " + e.getMessage(), e);
        }
        Status status =
                done.completeOnTimeout(
                                new Status(RaftError.ETIMEDOUT, "not done in time"),
                                CHANGE_SECONDS,
                                TimeUnit.SECONDS)
                        .join();
        if (!status.isOk()) {
            throw new ApiException(
                    ApiException.Kind.INTERNAL, change + ": " + status.getErrorMsg());
        }
    }

    /** Keeps links to these, and to nobody else. */
    public void meetOnly(Set<String> raftIds) {
        RaftLinks links = parts.links();
        if (links != null) {
            links.meetOnly(raftIds);
        }
    }

    /**
     * Asks another voter to lead; the caller sees by {@link #leaderId} whether it does.
     *
     * @return false when the engine refuses
     */
    public boolean transferTo(String raftId) {
        return node.transferLeadershipTo(new PeerId(raftId, NO_PORT)).isOk();
    }

    @Override
    public SortedMap<String, String> stats() {
        SortedMap<String, String> stats = new TreeMap<>();
        stats.put("applied_index", String.valueOf(appliedIndex()));
        stats.put("commit_index", String.valueOf(committedIndex()));
        stats.put("fsm_pending", String.valueOf(pending.get()));
        stats.put("last_contact", lastContactMillis() + "ms");
        stats.put("last_log_index", String.valueOf(store.getLastLogIndex()));
        stats.put("first_log_index", String.valueOf(store.getFirstLogIndex()));
        stats.put("last_snapshot_index", String.valueOf(snapshotIndex()));
        stats.put("num_peers", String.valueOf(peers().size() - 1));
        stats.put("raft_id", store.raftId());
        stats.put("cluster_id", store.clusterId());
        stats.put("state", state());
        stats.put("term", String.valueOf(parts.ballot().getTerm()));
        return stats;
    }

    private String state() {
        return switch (node.getNodeState()) {
            case STATE_LEADER, STATE_TRANSFERRING -> "Leader";
            case STATE_CANDIDATE -> "Candidate";
            case STATE_FOLLOWER -> "Follower";
            default -> "Shutdown";
        };
    }

    private long appliedIndex() {
        try {
            return node.getLastAppliedLogIndex();
        } catch (IllegalStateException stopped) {
            return machine.appliedIndex();
        }
    }

    private long committedIndex() {
        try {
            return node.getLastCommittedIndex();
        } catch (IllegalStateException stopped) {
            return machine.appliedIndex();
        }
    }

    private long snapshotIndex() {
        Snapshots.Saved newest = snapshots.newest();
        return newest == null ? 0 : newest.index();
    }

    /** From the state machine's thread, which must not wait for a place in its own queue. */
    private void askSnapshot() {
        snapshotThread.execute(() -> {
            awaitEngineKnowsWhatWasApplied();
            takeSnapshot();
        });
    }

    /** Else the engine would find that nothing has happened since the last snapshot. */
    private void awaitEngineKnowsWhatWasApplied() {
        long asked = machine.appliedIndex();
        while (appliedIndex() < asked) {
            LockSupport.parkNanos(100_000);
        }
    }

    /**
     * Not when nothing was applied since the last: the engine would then give the log free up to
     * it.
     */
    private CompletableFuture<@Nullable Void> takeSnapshot() {
        CompletableFuture<@Nullable Void> taken = new CompletableFuture<>();
        if (appliedIndex() <= snapshotIndex()) {
            machine.snapshotEnded(false);
            taken.complete(null);
            return taken;
        }
        node.snapshot(status -> {
            if (!status.isOk() && !closed) {
                LOG.warn("no snapshot was taken: status=\"{}\"", status);
            }
            machine.snapshotEnded(status.isOk());
            taken.complete(null);
        });
        return taken;
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (node.getNodeState().isActive()
                && machine.bytesSinceSnapshot() >= CLOSE_SNAPSHOT_BYTES) {
            takeSnapshot().completeOnTimeout(null, CLOSE_SECONDS, TimeUnit.SECONDS).join();
        }
        RaftLinks links = parts.links();
        if (links != null) {
            links.engineEnds();
        }
        node.shutdown();
        try {
            node.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        NodeManager.getInstance().removeAddress(self.getEndpoint());
        RaftTimers.forget(node.getNodeId().toString());
        if (links != null) {
            links.close();
        }
        snapshotThread.close();
    }
}
