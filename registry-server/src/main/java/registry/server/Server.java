package registry.server;

import java.time.InstantSource;
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
import registry.api.HealthCheck;
import registry.api.KvWrite;
import registry.api.NodeCoordinate;
import registry.api.PreparedQueryWrite;
import registry.api.Session;
import registry.api.Txn;
import registry.server.catalog.CatalogEndpoint;
import registry.server.coordinate.CoordinateEndpoint;
import registry.server.fsm.Fsm;
import registry.server.fsm.LogProposer;
import registry.server.health.HealthEndpoint;
import registry.server.health.UiEndpoint;
import registry.server.kv.KvEndpoint;
import registry.server.leader.CoordinateWriter;
import registry.server.leader.LeaderLoop;
import registry.server.leader.Members;
import registry.server.leader.Reconciler;
import registry.server.leader.RestoreReaper;
import registry.server.leader.SessionTimers;
import registry.server.leader.TombstoneReaper;
import registry.server.once.Once;
import registry.server.once.OnceTable;
import registry.server.operator.Autopilot;
import registry.server.operator.OperatorCalls;
import registry.server.operator.OperatorEndpoint;
import registry.server.query.QueryEndpoint;
import registry.server.raft.Applier;
import registry.server.raft.Consensus;
import registry.server.rpc.Method;
import registry.server.rpc.Proposer;
import registry.server.rpc.Queries;
import registry.server.rpc.Query;
import registry.server.rpc.Question;
import registry.server.rpc.Servers;
import registry.server.session.SessionEndpoint;
import registry.server.snapshot.RestoreOp;
import registry.server.snapshot.SnapshotCalls;
import registry.server.snapshot.SnapshotEndpoint;
import registry.server.state.StateStore;
import registry.server.state.Watches;
import registry.server.txn.TxnEndpoint;

/** One server: wires state, consensus, endpoints and the leader's duties, and answers for them. */
public final class Server implements Servers, AutoCloseable {
    /** All that may be called from other processes. */
    public static final List<Method<?, ?>> METHODS =
            List.of(
                    Method.CATALOG_REGISTER,
                    Method.CATALOG_DEREGISTER,
                    Method.KV_APPLY,
                    Method.SESSION_CREATE,
                    Method.SESSION_DESTROY,
                    Method.SESSION_RENEW,
                    Method.TXN_APPLY,
                    Method.QUERY_APPLY,
                    Method.COORDINATE_UPDATE,
                    SnapshotCalls.OPEN,
                    SnapshotCalls.READ,
                    SnapshotCalls.CLOSE,
                    SnapshotCalls.STAGE,
                    SnapshotCalls.COMMIT,
                    SnapshotCalls.DROP,
                    OperatorCalls.SERVERS,
                    OperatorCalls.REMOVE_PEER,
                    OperatorCalls.TRANSFER,
                    OperatorCalls.AUTOPILOT,
                    OperatorCalls.SET_AUTOPILOT,
                    OperatorCalls.HEALTH);

    private final StateStore store;
    private final Consensus consensus;
    private final Queries queries;
    private final LeaderLoop leader;
    private final SnapshotEndpoint snapshots;
    private final Map<String, Function<Object, Object>> writes;

    /** Wakes the leader's duties. */
    private final Semaphore signals = new Semaphore(0);

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
        this.store = new StateStore(new Watches(waiters -> Queries.wake(wakers, waiters)));
        var answers = Queries.cache();
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
                        config.nodeName(),
                        node -> hasEnded(members, node));
        this.writes =
                new HashMap<>(
                        Map.of(
                                Method.CATALOG_REGISTER.name(),
                                request -> catalog.register((CatalogRegistration) request),
                                Method.CATALOG_DEREGISTER.name(),
                                request -> deregister(catalog, (CatalogDeregistration) request),
                                Method.KV_APPLY.name(),
                                request -> kv.apply((KvWrite) request)));
        writes.putAll(snapshotCalls(snapshots));
        var autopilot =
                new Autopilot(
                        store,
                        this.consensus,
                        members,
                        config.autopilot(),
                        config.deadServerDelay(),
                        nanoTime,
                        InstantSource.system());
        writes.putAll(new OperatorEndpoint(proposer, this.consensus, members, autopilot).calls());
        var prepared = new QueryEndpoint(proposer, store, config.datacenter());
        writes.put(
                Method.QUERY_APPLY.name(), request -> prepared.apply((PreparedQueryWrite) request));
        var coordinates = new CoordinateEndpoint(store);
        writes.put(
                Method.COORDINATE_UPDATE.name(),
                request -> coordinates.update((NodeCoordinate) request));
        var sessions = new SessionEndpoint(proposer, config.sessionTtl());
        writes.putAll(sessionCalls(sessions));
        var txns = new TxnEndpoint(proposer, config.datacenter());
        writes.put(Method.TXN_APPLY.name(), request -> txns.apply((Txn) request));
        Map<String, Function<Question, Query>> reads =
                new HashMap<>(reads(catalog, new HealthEndpoint(), kv));
        reads.putAll(queryReads(prepared));
        reads.put(Question.COORDINATE_NODES, coordinates::nodes);
        reads.put(Question.COORDINATE_NODE, coordinates::node);
        reads.put(Question.COORDINATE_DATACENTERS, catalog::serverCoordinates);
        reads.putAll(sessionReads(sessions));
        reads.put(Question.TXN_READ, txns::read);
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
                                new SessionTimers(store, proposer, fsm::time),
                                new CoordinateWriter(coordinates, proposer),
                                new RestoreReaper(store, proposer, fsm::time),
                                autopilot),
                        queries::leadershipLost);
        members.onChange(signals::release);
        leader.start();
    }

    private static boolean hasEnded(Members members, String node) {
        return members.all().stream()
                .filter(peer -> peer.name().equals(node))
                .anyMatch(peer ->
                        peer.state() == Members.State.FAILED || peer.state() == Members.State.LEFT);
    }

    /** What belongs to a member comes back at once, if it is one. */
    private Boolean deregister(CatalogEndpoint catalog, CatalogDeregistration target) {
        Boolean done = catalog.deregister(target);
        boolean ofMember =
                target.checkId().isEmpty() || target.checkId().equals(HealthCheck.SERF_HEALTH);
        if (target.serviceId().isEmpty() && ofMember) {
            signals.release();
        }
        return done;
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

    private static Map<String, Function<Question, Query>> queryReads(QueryEndpoint prepared) {
        return Map.of(
                Question.QUERY_LIST, prepared::list,
                Question.QUERY_GET, prepared::get,
                Question.QUERY_EXECUTE, prepared::execute,
                Question.QUERY_EXPLAIN, prepared::explain);
    }

    private static Map<String, Function<Object, Object>> sessionCalls(SessionEndpoint sessions) {
        return Map.of(
                Method.SESSION_CREATE.name(),
                request -> sessions.create((Session) request),
                Method.SESSION_DESTROY.name(),
                request -> sessions.destroy((String) request),
                Method.SESSION_RENEW.name(),
                request -> sessions.renew((String) request));
    }

    private static Map<String, Function<Question, Query>> sessionReads(SessionEndpoint sessions) {
        return Map.of(
                Question.SESSION_INFO, sessions::info,
                Question.SESSION_NODE, sessions::node,
                Question.SESSION_LIST, sessions::list);
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
        try {
            return method.answer().cast(write.apply(request));
        } catch (ApiException e) {
            // What the first time has made may be why the second is refused.
            throw OnceTable.isApplied(store.current(), Once.id()) ? OnceTable.answerLost() : e;
        }
    }

    @Override
    public Held ask(Question question, Listener listener) {
        return queries.ask(question, listener);
    }

    @Override
    public String leader() {
        return consensus.leaderAddress();
    }

    @Override
    public List<String> peers() {
        return consensus.peers().stream()
                .filter(Consensus.Peer::voter)
                .map(Consensus.Peer::address)
                .filter(address -> !address.isEmpty())
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
