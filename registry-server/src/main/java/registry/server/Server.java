package registry.server;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import registry.api.ApiException;
import registry.api.CatalogDeregistration;
import registry.api.CatalogRegistration;
import registry.api.KvWrite;
import registry.server.catalog.CatalogEndpoint;
import registry.server.fsm.Fsm;
import registry.server.fsm.LogProposer;
import registry.server.health.HealthEndpoint;
import registry.server.health.UiEndpoint;
import registry.server.kv.KvEndpoint;
import registry.server.leader.LeaderLoop;
import registry.server.leader.Members;
import registry.server.leader.Reconciler;
import registry.server.leader.RestoreReaper;
import registry.server.leader.TombstoneReaper;
import registry.server.raft.Applier;
import registry.server.raft.Consensus;
import registry.server.rpc.Method;
import registry.server.rpc.Proposer;
import registry.server.rpc.Queries;
import registry.server.rpc.Query;
import registry.server.rpc.Question;
import registry.server.rpc.Servers;
import registry.server.snapshot.RestoreOp;
import registry.server.snapshot.SnapshotCalls;
import registry.server.snapshot.SnapshotEndpoint;
import registry.server.state.StateStore;
import registry.server.state.Watches;

/** One server: wires state, consensus, endpoints and the leader's duties, and answers for them. */
public final class Server implements Servers, AutoCloseable {
    private final Consensus consensus;
    private final Queries queries;
    private final LeaderLoop leader;
    private final SnapshotEndpoint snapshots;
    private final Map<String, Function<Object, Object>> writes;

    /**
     * @param consensus makes and starts the consensus over what the server applies
     * @param members gossip; its changes are looked at by the leader
     * @param nanoTime the monotonic clock
     * @param halt stops the process at once, with a line that says why
     */
    public Server(
            ServerConfig config,
            Function<Applier, Consensus> consensus,
            Members members,
            LongSupplier nanoTime,
            Consumer<String> halt) {
        ExecutorService wakers = Queries.wakers();
        var store = new StateStore(new Watches(waiters -> Queries.wake(wakers, waiters)));
        var answers = Queries.cache();
        var signals = new Semaphore(0);
        var fsm = new Fsm(store, nanoTime, signals::release, answers::clear, halt);
        this.consensus = consensus.apply(fsm);
        Proposer proposer = new LogProposer(this.consensus, fsm);
        var catalog = new CatalogEndpoint(proposer, config.datacenter());
        var kv = new KvEndpoint(proposer);
        this.snapshots =
                new SnapshotEndpoint(
                        proposer,
                        store,
                        this.consensus,
                        Fsm.TABLES,
                        config.dataDir(),
                        config.datacenter(),
                        config.nodeName());
        this.writes =
                new HashMap<>(
                        Map.of(
                                Method.CATALOG_REGISTER.name(),
                                request -> catalog.register((CatalogRegistration) request),
                                Method.CATALOG_DEREGISTER.name(),
                                request -> catalog.deregister((CatalogDeregistration) request),
                                Method.KV_APPLY.name(),
                                request -> kv.apply((KvWrite) request)));
        writes.putAll(snapshotCalls(snapshots));
        var reads = new HashMap<>(reads(catalog, new HealthEndpoint(), kv));
        reads.putAll(UiEndpoint.reads());
        this.queries =
                new Queries(
                        store,
                        this.consensus,
                        question -> understood(reads, question),
                        wakers,
                        answers);
        this.leader =
                new LeaderLoop(
                        fsm::leadingTerm,
                        signals,
                        List.of(
                                new Reconciler(
                                        store, catalog, members, config.nodeName(), nanoTime),
                                new TombstoneReaper(
                                        store, proposer, fsm::time, config.tombstoneTtl()),
                                new RestoreReaper(store, proposer, fsm::time)),
                        queries::leadershipLost);
        members.onChange(signals::release);
        leader.start();
    }

    private static Map<String, Function<Object, Object>> snapshotCalls(SnapshotEndpoint snapshots) {
        return Map.of(
                SnapshotCalls.OPEN.name(),
                request -> snapshots.open((SnapshotCalls.Open) request),
                SnapshotCalls.READ.name(),
                request -> snapshots.read((SnapshotCalls.Read) request),
                SnapshotCalls.CLOSE.name(),
                request -> snapshots.close((SnapshotCalls.Close) request),
                SnapshotCalls.STAGE.name(),
                request -> snapshots.propose((RestoreOp) request),
                SnapshotCalls.COMMIT.name(),
                request -> snapshots.propose((RestoreOp) request),
                SnapshotCalls.DROP.name(),
                request -> snapshots.propose((RestoreOp) request));
    }

    private static Map<String, Function<Question, Query>> reads(
            CatalogEndpoint catalog, HealthEndpoint health, KvEndpoint kv) {
        return Map.of(
                Question.CATALOG_NODES, catalog::nodes,
                Question.CATALOG_SERVICES, catalog::services,
                Question.CATALOG_SERVICE_NODES, catalog::service,
                Question.CATALOG_NODE, catalog::node,
                Question.CATALOG_NODE_SERVICES, catalog::nodeServices,
                Question.HEALTH_NODE, health::node,
                Question.HEALTH_CHECKS, health::serviceChecks,
                Question.HEALTH_STATE, health::state,
                Question.HEALTH_SERVICE, health::service,
                Question.KV_GET, kv::get);
    }

    private static Query understood(
            Map<String, Function<Question, Query>> reads, Question question) {
        Function<Question, Query> read = reads.get(question.method());
        if (read == null) {
            throw ApiException.badRequest("rpc: can't find method " + question.method());
        }
        return read.apply(question);
    }

    @Override
    public <Q, A> A call(Method<Q, A> method, Q request) {
        Function<Object, Object> write = writes.get(method.name());
        if (write == null) {
            throw ApiException.badRequest("rpc: can't find method " + method.name());
        }
        return method.answer().cast(write.apply(request));
    }

    @Override
    public Held ask(Question question, Listener listener) {
        return queries.ask(question, listener);
    }

    @Override
    public String leader() {
        String id = consensus.leaderId();
        return consensus.peers().stream()
                .filter(peer -> !id.isEmpty() && peer.id().equals(id))
                .map(Consensus.Peer::address)
                .findFirst()
                .orElse("");
    }

    @Override
    public List<String> peers() {
        return consensus.peers().stream()
                .filter(Consensus.Peer::voter)
                .map(Consensus.Peer::address)
                .toList();
    }

    /** True when writes and default reads are served here. */
    public boolean isReadyLeader() {
        return consensus.isReadyLeader();
    }

    /** All members of the consensus. */
    public List<Consensus.Peer> voters() {
        return consensus.peers();
    }

    /** Figures for {@code registry info}. */
    public SortedMap<String, String> stats() {
        return new TreeMap<>(consensus.stats());
    }

    /** Stops cleanly; held questions are answered with an error. */
    @Override
    public void close() {
        leader.close();
        snapshots.close();
        consensus.close();
        queries.close();
    }
}
