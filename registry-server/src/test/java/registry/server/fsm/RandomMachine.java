package registry.server.fsm;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.fail;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import registry.api.ApiException;
import registry.api.AutopilotConfig;
import registry.api.CatalogDeregistration;
import registry.api.CatalogRegistration;
import registry.api.Coordinate;
import registry.api.HealthCheck;
import registry.api.HealthCheckDefinition;
import registry.api.KvPair;
import registry.api.KvWrite;
import registry.api.Node;
import registry.api.NodeCoordinate;
import registry.api.NodeService;
import registry.api.PreparedQuery;
import registry.api.Session;
import registry.api.Txn;
import registry.api.TxnResult;
import registry.api.Weights;
import registry.server.catalog.CatalogEndpoint;
import registry.server.catalog.CatalogOp;
import registry.server.catalog.CatalogTable;
import registry.server.catalog.Instance;
import registry.server.catalog.Scopes;
import registry.server.coordinate.CoordinateEndpoint;
import registry.server.coordinate.CoordinateTable;
import registry.server.health.HealthEndpoint;
import registry.server.kv.KvEndpoint;
import registry.server.kv.KvOp;
import registry.server.kv.KvTable;
import registry.server.once.OnceOp;
import registry.server.once.OnceTable;
import registry.server.once.RequestId;
import registry.server.operator.AutopilotOp;
import registry.server.operator.AutopilotTable;
import registry.server.query.Prepared;
import registry.server.query.QueryEndpoint;
import registry.server.query.QueryOp;
import registry.server.query.QueryTable;
import registry.server.raft.LocalConsensus;
import registry.server.rpc.Consistency;
import registry.server.rpc.Query;
import registry.server.rpc.Question;
import registry.server.session.LiveSession;
import registry.server.session.SessionEndpoint;
import registry.server.session.SessionOp;
import registry.server.session.SessionTable;
import registry.server.session.SessionTtl;
import registry.server.snapshot.Archives;
import registry.server.snapshot.RestoreOp;
import registry.server.state.Op;
import registry.server.state.Row;
import registry.server.state.State;
import registry.server.state.StateCodec;
import registry.server.state.StateStore;
import registry.server.state.TableDef;
import registry.server.state.Tx;
import registry.server.state.Watches;
import registry.server.txn.TxnOp;

/**
 * A state machine and a {@link NaiveModel} that get the same random commands, with random time
 * between them, and are compared after each. Some questions are asked after each command, others
 * from time to time.
 */
final class RandomMachine {
    private static final List<String> NODES = List.of("n1", "N1", "n2", "n3");
    private static final List<String> NODE_IDS =
            List.of(
                    "",
                    "",
                    "11111111-2222-3333-4444-555555555501",
                    "11111111-2222-3333-4444-555555555502");
    private static final List<String> SERVICES = List.of("web", "Web", "web2", "db");
    private static final List<String> SERVICE_IDS = List.of("a", "A", "b", "c/d");
    private static final List<String> CHECK_IDS = List.of("serfHealth", "c1", "C1", "c2");
    private static final List<String> STATUSES =
            List.of("passing", "passing", "warning", "critical");
    private static final List<String> KEYS = List.of("a", "a/", "a/b", "a/c", "b");
    private static final List<String> PREFIXES = List.of("", "a", "a/", "zz");
    private static final List<String> SESSIONS =
            List.of(
                    "11111111-2222-3333-4444-555555555501",
                    "11111111-2222-3333-4444-555555555502",
                    "11111111-2222-3333-4444-555555555503",
                    "11111111-2222-3333-4444-555555555504");
    private static final List<String> QUERIES =
            List.of(
                    "21111111-2222-3333-4444-555555555501",
                    "21111111-2222-3333-4444-555555555502",
                    "21111111-2222-3333-4444-555555555503");
    private static final List<String> QUERY_NAMES =
            List.of("", "", "near", "Near", "far", QUERIES.getFirst());
    private static final List<String> CLIENTS = List.of("c1", "c2", "c3");
    private static final long TOMBSTONE_TTL = Duration.ofMinutes(15).toMillis();
    private static final int FOCUS = 4;

    private final SplittableRandom random;
    private final NaiveModel model = new NaiveModel();
    private final StateStore store = new StateStore(new Watches(this::woken));
    private final Fsm fsm;
    private final LocalConsensus consensus;
    private final LogProposer proposer;
    private final Set<Class<?>> kinds = new java.util.HashSet<>();
    private final List<Asked> questions = new ArrayList<>();
    private final Map<String, Long> scopes = new HashMap<>();

    // What the model knows of a restore on its way.
    private String staged = "";
    private int parts;
    private long stagedAt;
    private List<byte[]> pieces = List.of();
    private byte[] archive;
    private NaiveModel saved;

    /** What the first of the pieces is of; those of another do not fit behind it. */
    private NaiveModel stagedModel;

    private long nanos;
    private long begunAt;
    private long begunNanos;
    private boolean forgetful;
    private int wakeUps;
    private int done;
    private Op last;

    /**
     * A question, its answer when it was looked at last, and whether its waiter was woken since.
     */
    private final class Asked implements Watches.Waiter {
        final Question question;
        final Query query;
        long index = -1;
        byte[] answer = {};
        boolean woken;

        Asked(Question question, Query query) {
            this.question = question;
            this.query = query;
        }

        private byte[] answerIn(State state) {
            Query.Answer now = query.answer().apply(state);
            return now.found() ? now.body() : new byte[] {'-'};
        }

        void look(State state) {
            long nowIndex = query.index().applyAsLong(state);
            if (nowIndex < index) {
                fail("index fell from %d to %d: %s", index, nowIndex, question);
            }
            byte[] now = answerIn(state);
            if (index >= 0 && !Arrays.equals(now, answer)) {
                if (nowIndex == index) {
                    fail("the answer changed, its index %d did not: %s", index, question);
                }
                if (!woken) {
                    fail("the answer changed and nobody was woken: %s", question);
                }
            }
            index = nowIndex;
            answer = now;
            woken = false;
            store.watches().register(query.watches(), this);
        }

        @Override
        public String toString() {
            return question.toString();
        }
    }

    RandomMachine(SplittableRandom random, Consumer<Tx> aftermath) {
        this.random = random;
        fsm =
                new Fsm(
                        store,
                        () -> nanos,
                        () -> {},
                        () -> {},
                        line -> {
                            throw new AssertionError(line);
                        },
                        aftermath);
        consensus = new LocalConsensus(fsm);
        proposer = new LogProposer(consensus, fsm);
        ask();
    }

    void forgetWakeUps(boolean forget) {
        forgetful = forget;
    }

    Set<Class<?>> kinds() {
        return kinds;
    }

    /** Called while a command is committed: whoever wakes now must find what woke it. */
    private void woken(Set<Watches.Waiter> waiters) {
        if (store.current().index() < model.index) {
            fail("woken before the state was there: %d < %d", store.current().index(), model.index);
        }
        wakeUps++;
        if (!forgetful || wakeUps % 50 != 0) {
            waiters.forEach(waiter -> ((Asked) waiter).woken = true);
        }
    }

    @Override
    public String toString() {
        return "command " + done + ": " + last;
    }

    void run(int commands, List<TableDef<?>> tables) throws IOException {
        List<Asked> focus = List.of();
        for (int i = 0; i < commands; i++) {
            if (i % 64 == 0) {
                focus = random.ints(FOCUS, 0, questions.size()).mapToObj(questions::get).toList();
                for (Asked asked : focus) {
                    asked.look(store.current());
                }
            }
            pass();
            command();
            done++;
            compare();
            for (Asked asked : focus) {
                asked.look(store.current());
            }
            if (i % 256 == 255) {
                questions.forEach(asked -> asked.look(store.current()));
                reload(tables);
            }
        }
    }

    /**
     * The state that another has reached, whose indexes may be far above these, takes the place.
     */
    void restoreFrom(RandomMachine other) throws IOException {
        for (int i = 0; i < 50; i++) {
            command();
        }
        archive = Archives.of(other.store.current(), Fsm.TABLES);
        saved = other.model.copy();
        if (!staged.isEmpty()) {
            drop(staged);
        }
        stage("foreign", 0, 1);
        commit("foreign", 1);
        compare();
    }

    byte[] snapshot(List<TableDef<?>> tables) throws IOException {
        var out = new ByteArrayOutputStream();
        new StateCodec(tables).write(store.current(), out);
        return out.toByteArray();
    }

    /** As after a restart, or on a server that gets its leader's state. */
    private void reload(List<TableDef<?>> tables) throws IOException {
        byte[] bytes = snapshot(tables);
        fsm.load(new ByteArrayInputStream(bytes));
        if (!Arrays.equals(snapshot(tables), bytes)) {
            fail("a snapshot of what was loaded is another");
        }
        compare();
    }

    // Time.

    private void pass() {
        int dice = random.nextInt(1000);
        long millis =
                dice < 700
                        ? random.nextInt(3)
                        : dice < 990 ? random.nextInt(4_000) : dice < 998 ? 20_000 : 960_000;
        nanos += Duration.ofMillis(millis).toNanos() + random.nextInt(1_000_000);
        if (random.nextInt(500) == 0) {
            consensus.depose();
            consensus.elect();
            begunAt = model.time;
            begunNanos = nanos;
        }
    }

    private long now() {
        return begunAt + (nanos - begunNanos) / 1_000_000;
    }

    // Commands.

    private <T> T any(List<T> of) {
        return of.get(random.nextInt(of.size()));
    }

    private Object propose(Op op) {
        last = op;
        kinds.add(op.getClass());
        model.time = Math.max(model.time, now());
        return proposer.propose(op);
    }

    /** Whether the machine takes it, which the model foresees; its result in {@link #result}. */
    private Object result;

    private void expect(boolean taken, Op op) {
        boolean was;
        try {
            result = propose(op);
            was = true;
        } catch (ApiException e) {
            result = e;
            was = false;
            if (e.kind() == ApiException.Kind.INTERNAL) {
                fail("%s: %s", op, e.text());
            }
        }
        if (was != taken) {
            fail("%s is %s: %s", op, was ? "taken" : "refused", result);
        }
    }

    private void command() throws IOException {
        int dice = random.nextInt(100);
        if (dice < 18) {
            register();
        } else if (dice < 25) {
            deregister();
        } else if (dice < 43) {
            kv();
        } else if (dice < 50) {
            once();
        } else if (dice < 57) {
            query();
        } else if (dice < 61) {
            locate();
        } else if (dice < 62) {
            autopilot();
        } else if (dice < 78) {
            session();
        } else if (dice < 94) {
            txn();
        } else if (dice < 97) {
            restore();
        } else {
            tick();
            model.reap(TOMBSTONE_TTL);
            expect(true, new KvOp.Reap(TOMBSTONE_TTL));
        }
    }

    /** The model counts the command and its time before the machine does. */
    private void tick() {
        model.index++;
        model.time = Math.max(model.time, now());
    }

    private NodeService service() {
        return new NodeService(
                "",
                any(SERVICE_IDS),
                any(SERVICES),
                random.nextBoolean() ? List.of() : List.of("t"),
                "",
                null,
                null,
                random.nextInt(2),
                new Weights(1, 1),
                false,
                0,
                0);
    }

    private HealthCheck check(String node, String id) {
        return new HealthCheck(
                node,
                id,
                "name",
                any(STATUSES),
                "",
                "out" + random.nextInt(2),
                random.nextInt(3) == 0 ? any(SERVICE_IDS) : "",
                "",
                List.of(),
                "",
                HealthCheckDefinition.NONE,
                0,
                0);
    }

    private CatalogRegistration registration() {
        var checks = new ArrayList<HealthCheck>();
        String node = any(NODES);
        for (int i = random.nextInt(3); i > 0; i--) {
            // Twice the same check in one command would hide what was between from the model.
            checks.add(check(node, CHECK_IDS.get(i == 1 ? random.nextInt(3) : 3)));
        }
        return new CatalogRegistration(
                "dc1",
                any(NODE_IDS),
                node,
                "10.0.0." + random.nextInt(2),
                null,
                random.nextBoolean() ? null : new TreeMap<>(Map.of("k", "v")),
                random.nextInt(3) > 0 ? service() : null,
                checks,
                random.nextInt(4) == 0);
    }

    private void register() {
        CatalogRegistration registration = registration();
        model.time = Math.max(model.time, now());
        expect(
                model.catalog(() -> model.register(registration)),
                new CatalogOp.Register(registration));
    }

    private void deregister() {
        int what = random.nextInt(6);
        var target =
                new CatalogDeregistration(
                        "",
                        any(NODES),
                        what < 3 ? any(SERVICE_IDS) : "",
                        what == 3 || what == 4 ? any(CHECK_IDS) : "");
        model.time = Math.max(model.time, now());
        expect(model.catalog(() -> model.deregister(target)), new CatalogOp.Deregister(target));
    }

    private KvWrite write() {
        KvWrite.Verb verb = KvWrite.Verb.values()[random.nextInt(KvWrite.Verb.values().length)];
        if (verb == KvWrite.Verb.DELETE_TREE && random.nextInt(3) > 0) {
            verb = KvWrite.Verb.LOCK;
        }
        String key = verb == KvWrite.Verb.DELETE_TREE ? any(PREFIXES) : any(KEYS);
        NaiveModel.K now = model.kvs.get(key);
        boolean locks = verb == KvWrite.Verb.LOCK || verb == KvWrite.Verb.UNLOCK;
        String holder = now == null ? "" : now.session();
        String session =
                !locks ? null : !holder.isEmpty() && random.nextBoolean() ? holder : any(SESSIONS);
        return new KvWrite(
                verb,
                key,
                List.of("", "1", "2").get(random.nextInt(3)).getBytes(UTF_8),
                random.nextInt(2),
                now != null && random.nextBoolean() ? now.modify() : random.nextInt(3),
                session);
    }

    private void kv() {
        KvWrite write = write();
        model.time = Math.max(model.time, now());
        boolean taken = true;
        Object expected = null;
        try {
            expected = model.kv(write);
        } catch (NaiveModel.Refused e) {
            taken = false;
        }
        expect(taken, new KvOp.Write(write));
        if (taken && !Objects.equals(result, expected)) {
            fail("%s is %s", write, result);
        }
    }

    /** Writes of clients that send some again, late, or in another order. */
    private void once() {
        String client = any(CLIENTS);
        NaiveModel.Client known = model.clients.get(client);
        long number = Math.max(1, (known == null ? 1 : known.oldest()) - 1 + random.nextInt(5));
        long oldest = Math.max(1, number - random.nextInt(4));
        int part = random.nextInt(2);
        KvWrite write = write();
        tick();
        var op = new OnceOp(new RequestId(client, number, oldest), part, new KvOp.Write(write));
        if (model.isTooLate(client, number)) {
            expect(false, op);
            return;
        }
        Object expected = model.answered(client, number, part);
        boolean taken = true;
        if (expected == null) {
            try {
                expected = model.kvStep(write);
                model.answer(client, number, oldest, part, expected);
            } catch (NaiveModel.Refused e) {
                taken = false;
            }
        }
        expect(taken, op);
        if (taken && !Objects.equals(result, expected)) {
            fail("%s is %s", op, result);
        }
    }

    private void query() {
        tick();
        var q =
                new NaiveModel.Q(
                        any(QUERIES),
                        any(QUERY_NAMES),
                        random.nextInt(3) == 0 ? any(SESSIONS) : "",
                        random.nextInt(3) == 0,
                        any(SERVICES),
                        0,
                        0);
        var query =
                new PreparedQuery(
                        q.id(),
                        q.name(),
                        q.session(),
                        "",
                        q.template()
                                ? new PreparedQuery.Template(
                                        PreparedQuery.Template.NAME_PREFIX_MATCH, "", false)
                                : null,
                        new PreparedQuery.ServiceQuery(
                                q.service(), null, false, null, "", null, null, null, false),
                        null,
                        0,
                        0);
        switch (random.nextInt(5)) {
            case 0, 1 -> expect(model.createQuery(q), new QueryOp.Create(query));
            case 2, 3 -> expect(model.updateQuery(q), new QueryOp.Update(query));
            default -> expect(model.deleteQuery(q.id()), new QueryOp.Delete(q.id()));
        }
    }

    private void locate() {
        tick();
        var coordinates = new ArrayList<NodeCoordinate>();
        int placed = 0;
        for (int i = 1 + random.nextInt(3); i > 0; i--) {
            String node = any(NODES);
            String segment = random.nextInt(4) == 0 ? "alpha" : "";
            double at = random.nextInt(3);
            coordinates.add(
                    new NodeCoordinate(node, segment, new Coordinate(List.of(at), 1.5, 0, 0.01)));
            placed += model.place(node, segment, at) ? 1 : 0;
        }
        expect(true, new CatalogOp.Locate(coordinates));
        same(result, placed, "nodes placed");
    }

    private void autopilot() {
        tick();
        boolean cleanup = random.nextBoolean();
        Long expected =
                switch (random.nextInt(4)) {
                    case 0, 1 -> null;
                    case 2 -> 0L;
                    default -> model.autopilot == null ? 7L : model.autopilot.modify();
                };
        AutopilotConfig d = AutopilotConfig.DEFAULT;
        var config =
                new AutopilotConfig(
                        cleanup,
                        d.lastContactThreshold(),
                        d.maxTrailingLogs(),
                        d.minQuorum(),
                        d.serverStabilizationTime(),
                        "",
                        false,
                        "",
                        0,
                        0);
        boolean written = model.configure(cleanup, expected);
        expect(
                true,
                new AutopilotOp.Write(
                        config,
                        expected == null ? AutopilotOp.Verb.SET : AutopilotOp.Verb.CAS,
                        expected == null ? 0 : expected));
        same(result, written, "written");
    }

    private void session() {
        tick();
        String id = any(SESSIONS);
        switch (random.nextInt(12)) {
            case 0, 1, 2, 3, 4, 5 -> create(id);
            case 6 -> {
                model.destroy(id);
                expect(true, new SessionOp.Destroy(id));
            }
            case 7, 8 -> expect(model.renew(id), new SessionOp.Renew(id));
            case 9, 10 -> {
                List<String> ids = SESSIONS.subList(random.nextInt(2), 2 + random.nextInt(3));
                model.expire(ids);
                expect(true, new SessionOp.Expire(ids));
            }
            default -> {
                if (random.nextInt(5) > 0) {
                    create(id);
                    return;
                }
                model.restart();
                expect(true, new SessionOp.Restart(done));
            }
        }
    }

    private void create(String id) {
        String node = any(List.of("n1", "n2", "n3"));
        List<String> checks =
                random.nextInt(3) == 0
                        ? List.of()
                        : random.nextBoolean() ? List.of(any(CHECK_IDS)) : List.of("c1", "c2");
        boolean deletes = random.nextInt(3) == 0;
        long delay = List.of(0L, 1L, 15_000L, 90_000L).get(random.nextInt(4));
        long grace = List.of(0L, 500L, 20_000L).get(random.nextInt(3));
        List<Session.ServiceCheck> ofServices =
                checks.size() == 2 ? List.of(new Session.ServiceCheck("c2", "")) : null;
        var session =
                new Session(
                        id,
                        "",
                        node,
                        delay * 1_000_000 - (delay == 1 ? 1 : 0),
                        deletes ? Session.DELETE : Session.RELEASE,
                        "",
                        checks.isEmpty() ? List.of() : List.of(checks.getFirst()),
                        ofServices,
                        0,
                        0);
        var wanted =
                new NaiveModel.L(
                        id, node, checks, deletes, Math.min(delay, 60_000), grace, 0, 0, 0);
        expect(model.create(wanted), new SessionOp.Create(session, grace));
    }

    // Transactions.

    private void txn() {
        tick();
        var ops = new ArrayList<Txn.Op>();
        var before = model.copy();
        boolean fails = false;
        for (int i = 1 + random.nextInt(5); i > 0; i--) {
            fails |= !step(ops);
        }
        if (fails) {
            long index = model.index;
            long time = model.time;
            model.take(before);
            model.index = index;
            model.time = time;
        }
        expect(true, new TxnOp.Apply(new Txn(ops)));
        if (fails != (((TxnResult) result).errors() != null)) {
            fail("a transaction that %s: %s", fails ? "can't be done" : "can be done", result);
        }
    }

    /** Adds a step; whether it can be done. */
    private boolean step(List<Txn.Op> ops) {
        switch (random.nextInt(8)) {
            case 0 -> {
                return node(ops);
            }
            case 1 -> {
                return instance(ops);
            }
            case 2 -> {
                return ofCheck(ops);
            }
            case 3 -> {
                return read(ops);
            }
            default -> {
                KvWrite w = write();
                String verb =
                        switch (w.verb()) {
                            case SET -> "set";
                            case CAS -> "cas";
                            case LOCK -> "lock";
                            case UNLOCK -> "unlock";
                            case DELETE -> "delete";
                            case DELETE_CAS -> "delete-cas";
                            case DELETE_TREE -> "delete-tree";
                        };
                String session = w.session() == null ? "" : w.session();
                ops.add(
                        new Txn.Op(
                                new Txn.Kv(verb, w.key(), w.value(), w.flags(), w.index(), session),
                                null,
                                null,
                                null));
                try {
                    return model.kvStep(w);
                } catch (NaiveModel.Refused e) {
                    return false;
                }
            }
        }
    }

    private boolean read(List<Txn.Op> ops) {
        String key = any(KEYS);
        String verb = any(List.of("get", "check-not-exists", "get-tree"));
        ops.add(new Txn.Op(new Txn.Kv(verb, key, null, 0, 0, ""), null, null, null));
        return verb.equals("get-tree") || verb.equals("get") == model.kvs.containsKey(key);
    }

    private boolean node(List<Txn.Op> ops) {
        String verb = any(List.of("set", "set", "cas", "delete", "delete-cas"));
        String name = any(NODES);
        NaiveModel.N now = model.nodes.get(NaiveModel.fold(name));
        boolean hits = now != null && random.nextBoolean();
        long index = hits ? now.modify() : 0;
        var node = new Node("", name, "10.0.0." + random.nextInt(2), "dc1", null, null, 0, index);
        ops.add(new Txn.Op(null, new Txn.OfNode(verb, node), null, null));
        if (!holds(verb, index, now == null ? 0 : now.modify())) {
            return false;
        }
        return model.catalogStep(() -> {
            if (verb.startsWith("delete")) {
                model.deregister(new CatalogDeregistration("", name, "", ""));
            } else {
                model.register(
                        new CatalogRegistration(
                                "dc1",
                                "",
                                name,
                                node.address(),
                                null,
                                null,
                                null,
                                List.of(),
                                false));
            }
        });
    }

    private static boolean holds(String verb, long expected, long found) {
        return switch (verb) {
            case "cas" -> expected == found;
            case "delete-cas" -> found != 0 && expected == found;
            default -> true;
        };
    }

    private boolean instance(List<Txn.Op> ops) {
        String verb = any(List.of("set", "set", "cas", "delete", "delete-cas"));
        String name = any(NODES);
        String key = NaiveModel.fold(name);
        NodeService s = service();
        NaiveModel.S now = model.services.get(List.of(key, NaiveModel.fold(s.id())));
        long index = now != null && random.nextBoolean() ? now.modify() : 0;
        var service =
                new NodeService(
                        "",
                        s.id(),
                        s.service(),
                        s.tags(),
                        "",
                        null,
                        null,
                        s.port(),
                        s.weights(),
                        false,
                        0,
                        index);
        ops.add(new Txn.Op(null, null, new Txn.OfService(verb, name, service), null));
        if (!holds(verb, index, now == null ? 0 : now.modify())) {
            return false;
        }
        boolean deletes = verb.startsWith("delete");
        if (!deletes && !model.nodes.containsKey(key)) {
            return false;
        }
        return model.catalogStep(() -> {
            if (deletes) {
                model.deregister(new CatalogDeregistration("", name, s.id(), ""));
            } else {
                model.register(withNode(name, service, List.of()));
            }
        });
    }

    private static CatalogRegistration withNode(
            String node, NodeService service, List<HealthCheck> checks) {
        return new CatalogRegistration("", "", node, "", null, null, service, checks, true);
    }

    private boolean ofCheck(List<Txn.Op> ops) {
        String verb = any(List.of("set", "set", "cas", "delete", "delete-cas"));
        String name = any(NODES);
        String key = NaiveModel.fold(name);
        HealthCheck c = check(name, any(CHECK_IDS));
        NaiveModel.C now = model.checks.get(List.of(key, NaiveModel.fold(c.checkId())));
        long index = now != null && random.nextBoolean() ? now.modify() : 0;
        var check =
                new HealthCheck(
                        name,
                        c.checkId(),
                        c.name(),
                        c.status(),
                        "",
                        c.output(),
                        c.serviceId(),
                        "",
                        List.of(),
                        "",
                        HealthCheckDefinition.NONE,
                        0,
                        index);
        ops.add(new Txn.Op(null, null, null, new Txn.OfCheck(verb, check)));
        if (!holds(verb, index, now == null ? 0 : now.modify())) {
            return false;
        }
        boolean deletes = verb.startsWith("delete");
        if (!deletes && !model.nodes.containsKey(key)) {
            return false;
        }
        return model.catalogStep(() -> {
            if (deletes) {
                model.deregister(new CatalogDeregistration("", name, "", c.checkId()));
            } else {
                model.register(withNode(name, null, List.of(check)));
            }
        });
    }

    // Restores.

    private void restore() throws IOException {
        if (archive == null || random.nextInt(10) == 0) {
            archive = Archives.of(store.current(), Fsm.TABLES);
            saved = model.copy();
        }
        String id = any(List.of("r1", "r2"));
        switch (random.nextInt(8)) {
            case 0 -> drop(id);
            case 1 -> commit(id, 1 + random.nextInt(2));
            case 2, 3, 4 -> stage(id, random.nextInt(3), 2);
            default -> {
                if (!staged.isEmpty()) {
                    drop(staged);
                }
                int of = 1 + random.nextInt(3);
                for (int part = 0; part < of; part++) {
                    stage(id, part, of);
                    if (random.nextInt(4) == 0) {
                        kv();
                    }
                }
                commit(id, of);
            }
        }
    }

    private void stage(String id, int part, int of) {
        if (part == 0) {
            pieces = new ArrayList<>();
            int size = (archive.length + of - 1) / of;
            for (int from = 0; from < archive.length; from += size) {
                pieces.add(
                        Arrays.copyOfRange(archive, from, Math.min(archive.length, from + size)));
            }
        }
        tick();
        boolean other = !staged.isEmpty() && !staged.equals(id);
        boolean room = !other || stagedAt + 60_000 <= model.time;
        int next = other ? 0 : parts;
        // A part too far is refused, and with it that room was made for it.
        boolean taken = room && part <= next;
        if (taken && part == next) {
            staged = id;
            parts = next + 1;
            stagedModel = part == 0 ? saved : stagedModel;
            stagedAt = model.time;
        } else if (taken && other) {
            staged = "";
            parts = 0;
        }
        byte[] piece = part < pieces.size() ? pieces.get(part) : new byte[0];
        expect(taken, new RestoreOp.Stage(id, part, piece));
    }

    private void commit(String id, int of) {
        tick();
        boolean complete = id.equals(staged) && parts == of;
        // Pieces that are no archive together are refused and stay.
        var op = new RestoreOp.Commit(id, of);
        boolean taken;
        try {
            result = propose(op);
            taken = true;
        } catch (ApiException e) {
            if (e.kind() == ApiException.Kind.INTERNAL) {
                fail("%s: %s", op, e.text());
            }
            taken = false;
        }
        if (taken && !complete) {
            fail("%s is taken with %d parts of %s", op, parts, staged);
        }
        if (taken) {
            staged = "";
            parts = 0;
            model.restore(stagedModel);
            scopes.clear();
        }
    }

    private void drop(String id) {
        tick();
        if (id.equals(staged)) {
            staged = "";
            parts = 0;
        }
        expect(true, new RestoreOp.Drop(id));
    }

    // Comparisons.

    private static void same(Object actual, Object expected, String what) {
        if (!Objects.equals(actual, expected)) {
            fail("%s: %s, expected %s", what, actual, expected);
        }
    }

    private void compare() {
        State state = store.current();
        same(state.index(), model.index, "index");
        same(state.time(), model.time, "time");
        same(state.index(Scopes.NODES), model.nodesIndex, "index of nodes");
        same(state.index(Scopes.SERVICES), model.servicesIndex, "index of services");
        same(state.index(Scopes.CHECKS), model.checksIndex, "index of checks");
        same(state.index(Scopes.EXTINCTION), model.extinction, "index of extinction");
        same(state.index("sessions"), model.sessionsIndex, "index of sessions");
        same(state.index("tombstones-reaped"), model.reaped, "index of reaped tombstones");
        same(
                Math.max(state.index("kvs"), state.index("tombstones")),
                model.kvIndex,
                "index of the store");
        var services = new TreeSet<String>();
        state.indexes()
                .forEach((scope, index) -> {
                    Long before = scopes.put(scope, index);
                    if (before != null && index < before) {
                        fail("the index of %s fell from %d to %d", scope, before, index);
                    }
                    if (scope.startsWith("service/")) {
                        services.add(scope);
                        same(
                                index,
                                model.perService.get(
                                        scope.substring("service/".length(), scope.length() - 1)),
                                scope);
                    }
                });
        same(
                services.size(),
                model.perService.size(),
                "services with an index " + services + model.perService);
        compareCatalog(state);
        compareKeys(state);
        compareOthers(state);
    }

    private void compareOthers(State state) {
        same(state.index("prepared-queries"), model.queriesIndex, "index of queries");
        same(state.index("coordinates"), model.placesIndex, "index of coordinates");
        var queries = state.table(QueryTable.QUERIES).rows().values();
        same(queries.size(), model.queries.size(), "queries");
        for (Prepared row : queries) {
            PreparedQuery q = row.query();
            same(
                    new NaiveModel.Q(
                            q.id(),
                            q.name(),
                            q.session(),
                            q.isTemplate(),
                            q.service().service(),
                            q.createIndex(),
                            q.modifyIndex()),
                    model.queries.get(q.id()),
                    "query");
        }
        var places = state.table(CoordinateTable.COORDINATES).rows().values();
        same(places.size(), model.places.size(), "coordinates");
        for (NodeCoordinate row : places) {
            same(
                    new NaiveModel.Place(row.node(), row.coord().vec().getFirst()),
                    model.places.get(List.of(NaiveModel.fold(row.node()), row.segment())),
                    "coordinate");
        }
        var configs = state.table(AutopilotTable.CONFIG).rows().values();
        same(configs.size(), model.autopilot == null ? 0 : 1, "configurations of autopilot");
        for (AutopilotConfig config : configs) {
            same(
                    new NaiveModel.A(
                            config.cleanupDeadServers(),
                            config.createIndex(),
                            config.modifyIndex()),
                    model.autopilot,
                    "autopilot");
        }
        same(
                new TreeSet<>(state.table(OnceTable.CLIENTS).rows().keySet()),
                new TreeSet<>(model.clients.keySet()),
                "clients");
    }

    private void compareCatalog(State state) {
        var nodes = state.table(CatalogTable.NODES).rows();
        same(nodes.size(), model.nodes.size(), "nodes");
        nodes.forEach((key, row) -> {
            Node n = row.value();
            same(
                    new NaiveModel.N(
                            n.node(),
                            n.id(),
                            n.address(),
                            n.meta(),
                            n.createIndex(),
                            n.modifyIndex()),
                    model.nodes.get(key),
                    "node");
        });
        var instances = state.table(CatalogTable.INSTANCES).rows();
        same(instances.size(), model.services.size(), "instances");
        for (Instance instance : instances.values()) {
            NodeService s = instance.service();
            same(
                    new NaiveModel.S(
                            instance.node(),
                            s.id(),
                            s.service(),
                            s.port(),
                            s.tags(),
                            s.createIndex(),
                            s.modifyIndex()),
                    model.services.get(List.of(instance.node(), NaiveModel.fold(s.id()))),
                    "instance");
        }
        var checks = state.table(CatalogTable.CHECKS).rows();
        same(checks.size(), model.checks.size(), "checks");
        for (Row<HealthCheck> row : checks.values()) {
            HealthCheck c = row.value();
            String node = NaiveModel.fold(c.node());
            same(
                    new NaiveModel.C(
                            node,
                            c.node(),
                            c.checkId(),
                            c.status(),
                            c.output(),
                            c.serviceId(),
                            c.serviceName(),
                            c.serviceTags(),
                            c.createIndex(),
                            c.modifyIndex()),
                    model.checks.get(List.of(node, NaiveModel.fold(c.checkId()))),
                    "check");
        }
    }

    private void compareKeys(State state) {
        var pairs = state.table(KvTable.PAIRS).rows();
        same(pairs.size(), model.kvs.size(), "pairs");
        for (KvPair k : pairs.values()) {
            same(
                    new NaiveModel.K(
                            k.key(),
                            k.value() == null ? "" : new String(k.value(), UTF_8),
                            k.flags(),
                            k.session() == null ? "" : k.session(),
                            k.lockIndex(),
                            k.createIndex(),
                            k.modifyIndex()),
                    model.kvs.get(k.key()),
                    "pair");
            if (k.session() != null
                    && state.table(SessionTable.SESSIONS).get(k.session()) == null) {
                fail("%s is held by a session that has ended", k);
            }
        }
        same(
                new TreeSet<>(state.table(KvTable.DELAYS).rows().keySet()),
                new TreeSet<>(model.delays.keySet()),
                "lock-delays");
        same(state.table(KvTable.TOMBSTONES).rows().size(), model.graves.size(), "tombstones");
        var sessions = state.table(SessionTable.SESSIONS).rows();
        same(sessions.size(), model.sessions.size(), "sessions");
        for (LiveSession live : sessions.values()) {
            NaiveModel.L expected = model.sessions.get(live.session().id());
            if (expected == null) {
                fail("%s lives", live);
            }
            same(live.deadline(), expected.deadline(), "deadline");
            same(live.graceMillis(), expected.grace(), "grace");
            same(live.session().node(), expected.node(), "node of a session");
            same(live.session().createIndex(), expected.create(), "CreateIndex of a session");
            same(live.session().modifyIndex(), expected.modify(), "ModifyIndex of a session");
        }
    }

    // Questions.

    private void ask() {
        var catalog = new CatalogEndpoint(proposer, "dc1");
        var health = new HealthEndpoint();
        var kv = new KvEndpoint(proposer);
        var sessions = new SessionEndpoint(proposer, SessionTtl.CONSULS);
        add("", catalog::nodes);
        add("", catalog::services);
        add("", sessions::list);
        add("", new QueryEndpoint(proposer, store, "dc1")::list);
        add("", new CoordinateEndpoint(store)::nodes);
        for (String name : List.of("web", "web2", "db", "nobody")) {
            add(name, catalog::service);
            add(name, health::service);
            add(name, health::serviceChecks);
        }
        for (String node : List.of("n1", "n2", "n3")) {
            add(node, catalog::node);
            add(node, catalog::nodeServices);
            add(node, health::node);
            add(node, sessions::node);
        }
        for (String status : List.of("any", "critical")) {
            add(status, health::state);
        }
        for (String key : KEYS) {
            add(key, kv::get);
        }
        for (String prefix : PREFIXES) {
            add(prefix, kv::get, "recurse");
            add(prefix, kv::get, "keys");
        }
    }

    private interface Endpoint {
        Query of(Question question);
    }

    private void add(String name, Endpoint endpoint, String... flags) {
        var params = new TreeMap<String, List<String>>();
        for (String flag : flags) {
            params.put(flag, List.of(""));
        }
        var question = new Question("", name, params, Consistency.DEFAULT, 0, Duration.ZERO);
        questions.add(new Asked(question, endpoint.of(question)));
    }
}
