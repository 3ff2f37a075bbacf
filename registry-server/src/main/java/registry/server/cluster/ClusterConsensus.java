package registry.server.cluster;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.api.ApiException;
import registry.server.ServerConfig;
import registry.server.cluster.Founding.Step;
import registry.server.cluster.ServerFacts.Promise;
import registry.server.leader.Members;
import registry.server.leader.Members.State;
import registry.server.link.Hub;
import registry.server.link.Service;
import registry.server.raft.Applier;
import registry.server.raft.Consensus;
import registry.server.raft.JraftConsensus;
import registry.server.raft.MemberChange;
import registry.server.raft.RaftDisk;
import registry.server.raft.RaftNetwork;

/**
 * Consensus among the servers that gossip knows. It finds or founds the cluster first ({@link
 * Founding}); until then there is no leader. As the leader it takes newcomers in and lets leavers
 * go ({@link Voters}). One thread, {@code cluster}, does all of this; it wakes when a member has
 * changed, and each second.
 */
public final class ClusterConsensus implements Consensus {
    private static final Logger log = LoggerFactory.getLogger(ClusterConsensus.class);
    private static final long PERIOD_MILLIS = 1_000;
    private static final long RETRY_MILLIS = 100;
    private static final long SAY_AGAIN_SECONDS = 10;
    private static final long SEEK_SECONDS = 5;
    private static final long LEAVE_SECONDS = 5;

    private final ServerConfig config;
    private final String address;
    private final RaftDisk disk;
    private final Applier applier;
    private final Hub hub;
    private final Members members;
    private final boolean seeks;
    private final long opened = System.nanoTime();
    private final Semaphore changed = new Semaphore(0);
    private final Thread thread;

    /** Members by raft id, those too that gossip has forgotten. */
    private final Map<String, Members.Peer> seen = new ConcurrentHashMap<>();

    /** Where the others were, as the disk knows it. */
    private volatile SortedMap<String, InetSocketAddress> kept;

    private volatile @Nullable JraftConsensus raft;
    private volatile boolean closed;
    private String said = "";
    private long saidAt;

    private ClusterConsensus(
            RaftDisk disk,
            ServerConfig config,
            Applier applier,
            Hub hub,
            Members members,
            boolean seeks) {
        this.disk = disk;
        this.config = config;
        this.address = hostPort(config.address(), config.rpcPort());
        this.applier = new Waking(applier);
        this.hub = hub;
        this.members = members;
        this.seeks = seeks;
        this.kept = disk.addresses();
        this.thread = Thread.ofPlatform().daemon().name("cluster").unstarted(this::loop);
    }

    /**
     * Starts to look for the cluster. A server that needs nobody for it takes part before this
     * returns.
     *
     * @param hub serves Raft from when this server takes part; the caller opens its port
     * @param seeks true when others are to be looked for, even by a server that expects none
     * @throws IOException when what is on disk can't be used: says what is damaged and what to do
     */
    public static ClusterConsensus start(
            RaftDisk disk,
            ServerConfig config,
            Applier applier,
            Hub hub,
            Members members,
            boolean seeks)
            throws IOException {
        var cluster = new ClusterConsensus(disk, config, applier, hub, members, seeks);
        if (!disk.clusterId().isEmpty() && (disk.hasHistory() || disk.founders().isEmpty())) {
            cluster.takePart();
        } else {
            cluster.found();
        }
        cluster.publish();
        members.onChange(cluster.changed::release);
        cluster.thread.start();
        return cluster;
    }

    /** Id of the cluster this server takes part in; empty text before. */
    public static Supplier<String> clusterId(RaftDisk disk) {
        return disk::clusterId;
    }

    private void loop() {
        try {
            while (!closed) {
                boolean again = false;
                try {
                    again = raft == null ? found() : take();
                } catch (ApiException e) {
                    log.warn("members not changed: error=\"{}\"", e.text());
                } catch (IOException | RuntimeException e) {
                    log.error("looking after the cluster failed", e);
                }
                if (changed.tryAcquire(
                        again ? RETRY_MILLIS : PERIOD_MILLIS, TimeUnit.MILLISECONDS)) {
                    changed.drainPermits();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private ServerFacts facts() {
        List<String> founders = disk.founders();
        return new ServerFacts(
                disk.raftId(),
                raft == null ? "" : disk.clusterId(),
                config.bootstrapExpect(),
                founders.isEmpty() ? Promise.NONE : new Promise(disk.clusterId(), founders));
    }

    private void publish() {
        members.publish(facts().toMap());
    }

    /** True when there may be more to do at once. */
    private boolean found() throws IOException {
        List<ServerFacts> others =
                candidates().stream()
                        .filter(candidate -> candidate.member().state() == State.ALIVE)
                        .map(Voters.Candidate::facts)
                        .filter(facts -> !facts.raftId().equals(disk.raftId()))
                        .toList();
        boolean mayFoundAlone = !seeks || isPatienceOver(others);
        Step step =
                Founding.next(facts(), others, mayFoundAlone, () -> UUID.randomUUID().toString());
        switch (step) {
            case Step.Wait wait -> say(wait.why(), false);
            case Step.Stuck stuck -> say(stuck.why(), true);
            case Step.Give give -> {
                log.info(
                        "founding a cluster: cluster_id={} founders={}",
                        give.promise().clusterId(),
                        give.promise().founders());
                disk.bind(give.promise().clusterId(), give.promise().founders());
                publish();
                return give.promise().founders().size() > 1 || found();
            }
            case Step.TakePart part -> {
                takePart();
                publish();
            }
            case Step.Join join -> {
                log.info("joining a cluster: cluster_id={}", join.clusterId());
                disk.bind(join.clusterId(), List.of());
                takePart();
                publish();
            }
        }
        return false;
    }

    /** Of several that all look for a cluster, one gives up first. */
    private boolean isPatienceOver(List<ServerFacts> others) {
        boolean isFirst =
                others.stream()
                        .filter(other -> other.expect() == 1)
                        .allMatch(other -> disk.raftId().compareTo(other.raftId()) < 0);
        return isFirst && System.nanoTime() - opened > TimeUnit.SECONDS.toNanos(SEEK_SECONDS);
    }

    private void say(String why, boolean isTrouble) {
        long now = System.nanoTime();
        if (why.equals(said) && now - saidAt < TimeUnit.SECONDS.toNanos(SAY_AGAIN_SECONDS)) {
            return;
        }
        said = why;
        saidAt = now;
        if (isTrouble) {
            log.error("no cluster: reason=\"{}\"", why);
        } else {
            log.info("no cluster yet: reason=\"{}\"", why);
        }
    }

    private void takePart() throws IOException {
        JraftConsensus started = JraftConsensus.start(disk, config, applier, new Network());
        raft = started;
        meetAll(started);
        if (closed) {
            started.close();
        }
    }

    /** How Raft reaches the servers: by what gossip says of them, or said last. */
    private final class Network implements RaftNetwork {
        @Override
        public Hub hub(Service service) {
            hub.serve(service);
            return hub;
        }

        @Override
        public @Nullable InetSocketAddress address(String raftId) {
            Members.Peer member = bySeenRaftId(raftId);
            return member == null
                    ? kept.get(raftId)
                    : new InetSocketAddress(member.address(), member.rpcPort());
        }
    }

    /** A new leader has members to look after at once. */
    private final class Waking implements Applier {
        private final Applier applier;

        Waking(Applier applier) {
            this.applier = applier;
        }

        @Override
        public Object apply(long index, byte[] command) {
            return applier.apply(index, command);
        }

        @Override
        public Snapshot snapshot() {
            return applier.snapshot();
        }

        @Override
        public void load(InputStream in) throws IOException {
            applier.load(in);
        }

        @Override
        public void leading(long term) {
            applier.leading(term);
            log.info("cluster leadership acquired: term={}", term);
            changed.release();
        }

        @Override
        public void following() {
            applier.following();
            log.info("cluster leadership lost");
            changed.release();
        }
    }

    private Members.@Nullable Peer bySeenRaftId(String raftId) {
        candidates();
        return seen.get(raftId);
    }

    private List<Voters.Candidate> candidates() {
        List<Voters.Candidate> candidates = new ArrayList<>();
        for (Members.Peer member : members.all()) {
            Optional<ServerFacts> facts = ServerFacts.of(member);
            if (facts.isPresent()) {
                candidates.add(new Voters.Candidate(member, facts.get()));
                seen.merge(facts.get().raftId(), member, ClusterConsensus::better);
            }
        }
        return candidates;
    }

    /** The same server under a new name is still known under its old one, as failed. */
    private static Members.Peer better(Members.Peer known, Members.Peer said) {
        return known.state() == State.ALIVE
                        && said.state() != State.ALIVE
                        && !known.id().equals(said.id())
                ? known
                : said;
    }

    /** True when there may be more to do at once. */
    private boolean take() {
        JraftConsensus taking = raft;
        if (taking == null) {
            return false;
        }
        warnOfOthers();
        meetAll(taking);
        return taking.isLeader() && (!taking.isReadyLeader() || lead(taking));
    }

    /** Keeps links to all members and to whoever may become one, and remembers where they are. */
    private void meetAll(JraftConsensus taking) {
        Set<String> wanted = new HashSet<>();
        SortedMap<String, InetSocketAddress> known = new TreeMap<>();
        List<Voters.Candidate> candidates = candidates();
        for (Peer peer : taking.peers()) {
            wanted.add(peer.id());
            Members.Peer member = seen.get(peer.id());
            InetSocketAddress at =
                    member == null
                            ? kept.get(peer.id())
                            : new InetSocketAddress(member.address(), member.rpcPort());
            if (at != null && !at.isUnresolved()) {
                known.put(peer.id(), at);
            }
        }
        for (Voters.Candidate candidate : candidates) {
            if (candidate.member().state() == State.ALIVE
                    && candidate.facts().clusterId().equals(disk.clusterId())) {
                wanted.add(candidate.facts().raftId());
            }
        }
        taking.meetOnly(wanted);
        known.remove(disk.raftId());
        if (!known.equals(kept)) {
            kept = known;
            disk.keep(known);
        }
    }

    /** True when a member was changed: there may be another to change. */
    private boolean lead(JraftConsensus leading) {
        Optional<MemberChange> change =
                group(leading).next(candidates(), disk.clusterId(), JraftConsensus::isOf);
        if (change.isEmpty()) {
            return false;
        }
        if (change.get() instanceof MemberChange.AddVoter promoted) {
            leading.change(new MemberChange.RemoveLearner(promoted.raftId()));
        }
        leading.change(change.get());
        log.info("member changed: change={}", change.get());
        return true;
    }

    private Voters group(JraftConsensus leading) {
        return new Voters(
                disk.raftId(),
                ids(leading, true),
                leading.aliveVoters(),
                ids(leading, false),
                leading.readyLearners());
    }

    /** Two clusters that meet in one gossip pool stay apart, and say so. */
    private void warnOfOthers() {
        for (Voters.Candidate candidate : candidates()) {
            String theirs = candidate.facts().clusterId();
            if (candidate.member().state() == State.ALIVE
                    && !theirs.isEmpty()
                    && !theirs.equals(disk.clusterId())) {
                say(
                        "server %s belongs to another cluster, %s; ours is %s: they stay apart"
                                .formatted(candidate.member().name(), theirs, disk.clusterId()),
                        true);
            }
        }
    }

    private static Set<String> ids(JraftConsensus of, boolean voters) {
        return of.peers().stream()
                .filter(peer -> peer.voter() == voters)
                .map(Peer::id)
                .collect(Collectors.toSet());
    }

    /**
     * Makes ready for this server to leave for good: hands leadership to another voter, if this
     * server leads. Returns when another leads, or after some seconds.
     */
    public void handOver() {
        JraftConsensus leading = raft;
        if (leading == null || ids(leading, true).size() < 2) {
            return;
        }
        await(() -> {
            if (leading.isLeader()) {
                // Refused while a member is being changed, or when the other is behind: then again.
                transferToSome(leading);
            }
            return anotherLeads(leading);
        });
    }

    /** While it hands over, this server is no leader any more and names itself as such. */
    private boolean anotherLeads(JraftConsensus here) {
        String leader = here.leaderId();
        return !here.isLeader() && !leader.isEmpty() && !leader.equals(disk.raftId());
    }

    private void transferToSome(JraftConsensus leading) {
        Set<String> others = new TreeSet<>(leading.aliveVoters());
        others.remove(disk.raftId());
        others.removeIf(other -> {
            Members.Peer member = bySeenRaftId(other);
            return member != null && member.state() != State.ALIVE;
        });
        for (String other : others) {
            if (leading.transferTo(other)) {
                return;
            }
        }
    }

    /** Waits, after gossip was told that this server leaves, until it is a voter no more. */
    public void awaitRelease() {
        JraftConsensus leaving = raft;
        if (leaving == null) {
            return;
        }
        await(() -> {
            Set<String> voters = ids(leaving, true);
            return !voters.contains(disk.raftId()) || voters.size() == 1;
        });
    }

    private static void await(Supplier<Boolean> done) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LEAVE_SECONDS);
        try {
            while (!done.get() && System.nanoTime() - deadline < 0) {
                TimeUnit.MILLISECONDS.sleep(10);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public CompletableFuture<Object> propose(byte[] command) {
        JraftConsensus now = raft;
        return now == null
                ? CompletableFuture.failedFuture(ApiException.noLeader())
                : now.propose(command);
    }

    @Override
    public CompletableFuture<Void> readIndex() {
        JraftConsensus now = raft;
        return now == null
                ? CompletableFuture.failedFuture(ApiException.noLeader())
                : now.readIndex();
    }

    @Override
    public boolean isReadyLeader() {
        JraftConsensus now = raft;
        return now != null && now.isReadyLeader();
    }

    @Override
    public String leaderId() {
        JraftConsensus now = raft;
        return now == null ? "" : nodeId(now.leaderId());
    }

    /** Asked with every call: on the leader itself it costs nothing. */
    @Override
    public String leaderAddress() {
        JraftConsensus now = raft;
        String leader = now == null ? "" : now.leaderId();
        if (leader.isEmpty()) {
            return "";
        }
        return leader.equals(disk.raftId())
                ? address
                : named(new Peer(leader, "", "", true, true)).address();
    }

    private String nodeId(String raftId) {
        if (raftId.equals(disk.raftId())) {
            return config.nodeId();
        }
        Members.Peer member = bySeenRaftId(raftId);
        return member == null ? raftId : member.id();
    }

    @Override
    public long lastContactMillis() {
        JraftConsensus now = raft;
        return now == null ? 0 : now.lastContactMillis();
    }

    @Override
    public List<Peer> peers() {
        JraftConsensus now = raft;
        return now == null ? List.of() : now.peers().stream().map(this::named).toList();
    }

    private Peer named(Peer peer) {
        if (peer.id().equals(disk.raftId())) {
            return new Peer(
                    config.nodeId(), config.nodeName(), address, peer.leader(), peer.voter());
        }
        Members.Peer member = bySeenRaftId(peer.id());
        if (member == null) {
            InetSocketAddress last = kept.get(peer.id());
            String address = last == null ? "" : hostPort(last.getHostString(), last.getPort());
            return new Peer(peer.id(), "", address, peer.leader(), peer.voter());
        }
        return new Peer(
                member.id(),
                member.name(),
                hostPort(member.address(), member.rpcPort()),
                peer.leader(),
                peer.voter());
    }

    private static String hostPort(String host, int port) {
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }

    @Override
    public List<Standing> standings() {
        JraftConsensus now = raft;
        return now == null
                ? List.of()
                : now.standings().stream()
                        .map(standing ->
                                new Standing(
                                        standing.raftId(),
                                        named(standing.peer()),
                                        standing.answers(),
                                        standing.lastContactMillis(),
                                        standing.lastTerm(),
                                        standing.lastIndex()))
                        .toList();
    }

    @Override
    public void removeVoter(String raftId) {
        JraftConsensus leading = leading();
        if (!group(leading).canDoWithout(raftId)) {
            throw ApiException.refused(
                    "the remaining servers that answer are no quorum without it");
        }
        leading.change(new MemberChange.RemoveVoter(raftId));
    }

    @Override
    public void transferLeadership(String id) {
        JraftConsensus leading = leading();
        if (id.equals(config.nodeId()) || id.equals(disk.raftId())) {
            throw ApiException.refused("server \"%s\" leads already".formatted(id));
        }
        String to = "";
        for (Peer peer : leading.peers()) {
            if (peer.voter() && (peer.id().equals(id) || named(peer).id().equals(id))) {
                to = peer.id();
            }
        }
        if (to.isEmpty() && !id.isEmpty()) {
            throw ApiException.refused("no voter has the id \"%s\"".formatted(id));
        }
        if (leading.aliveVoters().size() < 2) {
            throw ApiException.refused("no other voter answers");
        }
        leading.transferLeadership(to);
        await(() -> anotherLeads(leading));
        if (!anotherLeads(leading)) {
            throw ApiException.refused("the other server did not take over in time");
        }
    }

    private JraftConsensus leading() {
        JraftConsensus now = raft;
        if (now == null || !now.isLeader()) {
            throw ApiException.noLeader();
        }
        return now;
    }

    @Override
    public SortedMap<String, String> stats() {
        JraftConsensus now = raft;
        return now == null
                ? new TreeMap<>(Map.of("raft_id", disk.raftId(), "state", "Follower"))
                : now.stats();
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        JraftConsensus now = raft;
        if (now != null) {
            now.close();
        }
    }
}
