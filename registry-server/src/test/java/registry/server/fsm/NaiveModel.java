package registry.server.fsm;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import registry.api.CatalogDeregistration;
import registry.api.CatalogRegistration;
import registry.api.HealthCheck;
import registry.api.KvWrite;
import registry.api.NodeService;

/**
 * The catalogue and the key-value store as anybody would write them down: maps, copied before each
 * command. Indexes are found by comparing the rows before with the rows after and looking each
 * difference up in the table of consul-api 5.6.
 */
final class NaiveModel {
    record N(
            String name,
            String id,
            String address,
            Map<String, String> meta,
            long create,
            long modify) {
        boolean same(N o) {
            return name.equals(o.name)
                    && id.equals(o.id)
                    && address.equals(o.address)
                    && Objects.equals(meta, o.meta);
        }
    }

    record S(
            String node,
            String id,
            String name,
            int port,
            List<String> tags,
            long create,
            long modify) {
        boolean same(S o) {
            return id.equals(o.id) && name.equals(o.name) && port == o.port && tags.equals(o.tags);
        }
    }

    record C(
            String node,
            String nodeSpelling,
            String id,
            String status,
            String output,
            String service,
            String serviceName,
            List<String> tags,
            long create,
            long modify) {
        boolean same(C o) {
            return id.equals(o.id)
                    && nodeSpelling.equals(o.nodeSpelling)
                    && status.equals(o.status)
                    && output.equals(o.output)
                    && service.equals(o.service)
                    && serviceName.equals(o.serviceName)
                    && tags.equals(o.tags);
        }
    }

    record K(
            String key,
            String value,
            long flags,
            String session,
            long locks,
            long create,
            long modify) {}

    record Grave(String key, long index, long time) {}

    /** A session; {@code checks} are ids. */
    record L(
            String id,
            String node,
            List<String> checks,
            boolean deletes,
            long delayMillis,
            long grace,
            long deadline,
            long create,
            long modify) {
        L withDeadline(long at) {
            return new L(id, node, checks, deletes, delayMillis, grace, at, create, modify);
        }
    }

    /** A prepared query: what tells one from another. */
    record Q(
            String id,
            String name,
            String session,
            boolean template,
            String service,
            long create,
            long modify) {
        boolean same(Q o) {
            return name.equals(o.name)
                    && session.equals(o.session)
                    && template == o.template
                    && service.equals(o.service);
        }

        Q at(long created, long modified) {
            return new Q(id, name, session, template, service, created, modified);
        }
    }

    /** Where a node is, whose name was spelled so. */
    record Place(String spelling, double at) {}

    /** Autopilot's configuration. */
    record A(boolean cleanup, long create, long modify) {}

    /** What one client was answered, by number and part of its writes. */
    record Client(long oldest, long time, Map<List<Long>, Object> done) {}

    static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    TreeMap<String, N> nodes = new TreeMap<>();
    TreeMap<List<String>, S> services = new TreeMap<>(NaiveModel::compare);
    TreeMap<List<String>, C> checks = new TreeMap<>(NaiveModel::compare);
    TreeMap<String, K> kvs = new TreeMap<>();
    List<Grave> graves = new ArrayList<>();
    TreeMap<String, L> sessions = new TreeMap<>();
    TreeMap<String, Long> delays = new TreeMap<>();
    TreeMap<String, Q> queries = new TreeMap<>();
    Map<List<String>, Place> places = new HashMap<>();
    @Nullable A autopilot;

    /** Of this cluster alone: no restore touches it. */
    Map<String, Client> clients = new TreeMap<>();

    Map<String, Long> perService = new TreeMap<>();
    long index;
    long nodesIndex;
    long servicesIndex;
    long checksIndex;
    long extinction;
    long kvIndex;
    long reaped;
    long sessionsIndex;
    long queriesIndex;
    long placesIndex;
    long time;

    /** A renamed node's services go before it comes back, perhaps with one of the same name. */
    private boolean renameLostAName;

    private static int compare(List<String> a, List<String> b) {
        int first = a.get(0).compareTo(b.get(0));
        return first != 0 ? first : a.get(1).compareTo(b.get(1));
    }

    static String fold(String s) {
        return s.toLowerCase(Locale.ROOT);
    }

    /** False when the command is refused. */
    boolean catalog(Runnable change) {
        index++;
        return catalogStep(change);
    }

    /** Like {@link #catalog} as a part of a command. */
    boolean catalogStep(Runnable change) {
        var n = new TreeMap<>(nodes);
        var s = new TreeMap<>(services);
        var c = new TreeMap<>(checks);
        renameLostAName = false;
        try {
            change.run();
        } catch (Refused e) {
            nodes = n;
            services = s;
            checks = c;
            return false;
        }
        compareNodes(n);
        compareServices(s);
        if (renameLostAName) {
            extinction = index;
        }
        compareChecks(c);
        if (places.keySet().removeIf(key -> !nodes.containsKey(key.getFirst()))) {
            placesIndex = index;
        }
        endSessions();
        return true;
    }

    /** Whoever lacks its node or a check, or has one that is critical, has ended. */
    private void endSessions() {
        for (L l : List.copyOf(sessions.values())) {
            boolean ends =
                    !nodes.containsKey(l.node)
                            || l.checks.stream()
                                    .map(id -> checks.get(List.of(l.node, fold(id))))
                                    .anyMatch(c -> c == null || c.status.equals("critical"));
            if (ends) {
                end(l);
            }
        }
    }

    private void end(L l) {
        sessions.remove(l.id);
        sessionsIndex = index;
        if (queries.values().removeIf(q -> q.session.equals(l.id))) {
            queriesIndex = index;
        }
        for (K k : List.copyOf(kvs.values())) {
            if (!k.session.equals(l.id)) {
                continue;
            }
            kvIndex = index;
            if (l.delayMillis > 0) {
                delays.put(k.key, time + l.delayMillis);
            }
            if (l.deletes) {
                kvs.remove(k.key);
                bury(k.key);
            } else {
                kvs.put(k.key, new K(k.key, k.value, k.flags, "", k.locks, k.create, index));
            }
        }
    }

    /** False when it is refused. */
    boolean create(L wanted) {
        boolean healthy =
                nodes.containsKey(wanted.node)
                        && wanted.checks.stream()
                                .map(id -> checks.get(List.of(wanted.node, fold(id))))
                                .allMatch(c -> c != null && !c.status.equals("critical"));
        if (healthy && !sessions.containsKey(wanted.id)) {
            sessions.put(
                    wanted.id,
                    new L(
                            wanted.id,
                            wanted.node,
                            wanted.checks,
                            wanted.deletes,
                            wanted.delayMillis,
                            wanted.grace,
                            wanted.grace == 0 ? 0 : time + wanted.grace,
                            index,
                            index));
            sessionsIndex = index;
        }
        return healthy;
    }

    void destroy(String id) {
        if (sessions.containsKey(id)) {
            end(sessions.get(id));
        }
    }

    /** False when there is none. */
    boolean renew(String id) {
        L l = sessions.get(id);
        if (l != null && l.grace > 0) {
            sessions.put(id, l.withDeadline(time + l.grace));
        }
        return l != null;
    }

    void restart() {
        List.copyOf(sessions.keySet()).forEach(this::renew);
    }

    void expire(List<String> ids) {
        for (String id : ids) {
            L l = sessions.get(id);
            if (l != null && l.grace > 0 && l.deadline <= time) {
                end(l);
            }
        }
    }

    boolean isDelayed(String key) {
        return delays.getOrDefault(key, 0L) > time;
    }

    private boolean lock(KvWrite w, String value, K was) {
        if (!sessions.containsKey(w.session())) {
            throw new Refused();
        }
        if (was != null && !was.session.isEmpty()) {
            return was.session.equals(w.session()) && put(w, value, was, was.session, was.locks);
        }
        if (isDelayed(w.key())) {
            return false;
        }
        delays.remove(w.key());
        return put(w, value, was, w.session(), was == null ? 1 : was.locks + 1);
    }

    /** All that can be replaced by a snapshot, or taken back. */
    NaiveModel copy() {
        var copy = new NaiveModel();
        copy.take(this);
        return copy;
    }

    void take(NaiveModel other) {
        nodes = new TreeMap<>(other.nodes);
        services = new TreeMap<>(other.services);
        checks = new TreeMap<>(other.checks);
        kvs = new TreeMap<>(other.kvs);
        graves = new ArrayList<>(other.graves);
        sessions = new TreeMap<>(other.sessions);
        delays = new TreeMap<>(other.delays);
        queries = new TreeMap<>(other.queries);
        places = new HashMap<>(other.places);
        autopilot = other.autopilot;
        clients = new TreeMap<>(other.clients);
        perService = new TreeMap<>(other.perService);
        index = other.index;
        nodesIndex = other.nodesIndex;
        servicesIndex = other.servicesIndex;
        checksIndex = other.checksIndex;
        extinction = other.extinction;
        kvIndex = other.kvIndex;
        reaped = other.reaped;
        sessionsIndex = other.sessionsIndex;
        queriesIndex = other.queriesIndex;
        placesIndex = other.placesIndex;
        time = other.time;
    }

    /** What was saved comes back with an index above those of both. */
    void restore(NaiveModel saved) {
        long shift = time - saved.time;
        var here = copy();
        long at = Math.max(here.index, saved.index + 1);
        take(saved);
        index = at;
        time = here.time;
        clients = here.clients;
        queriesIndex = placesIndex = at;
        queries.replaceAll((k, q) -> q.at(q.create, at));
        autopilot = saved.autopilot == null ? null : new A(saved.autopilot.cleanup, at, at);
        nodesIndex = servicesIndex = checksIndex = extinction = at;
        kvIndex = reaped = sessionsIndex = at;
        perService.replaceAll((name, was) -> at);
        nodes.replaceAll((k, n) -> new N(n.name, n.id, n.address, n.meta, n.create, at));
        services.replaceAll((k, s) -> new S(s.node, s.id, s.name, s.port, s.tags, s.create, at));
        checks.replaceAll((k, c) ->
                new C(
                        c.node,
                        c.nodeSpelling,
                        c.id,
                        c.status,
                        c.output,
                        c.service,
                        c.serviceName,
                        c.tags,
                        c.create,
                        at));
        kvs.replaceAll((k, pair) -> {
            K now = here.kvs.get(k);
            long locks = pair.locks;
            if (now != null && now.locks >= locks) {
                boolean same = pair.session.equals(now.session) && now.locks == locks;
                locks = now.locks + (pair.session.isEmpty() || same ? 0 : 1);
            }
            return new K(pair.key, pair.value, pair.flags, pair.session, locks, pair.create, at);
        });
        graves.replaceAll(g -> new Grave(g.key, at, g.time + shift));
        delays.replaceAll(
                (k, until) -> Math.max(until + shift, here.delays.getOrDefault(k, Long.MIN_VALUE)));
        sessions.replaceAll((k, l) ->
                new L(
                        l.id,
                        l.node,
                        l.checks,
                        l.deletes,
                        l.delayMillis,
                        l.grace,
                        l.grace == 0 ? 0 : l.deadline + shift,
                        l.create,
                        at));
    }

    /** False when it is refused. */
    boolean createQuery(Q q) {
        if (!queries.containsKey(q.id)) {
            if (isAlias(q) || !mayBind(q)) {
                return false;
            }
            queries.put(q.id, q.at(index, index));
            queriesIndex = index;
        }
        return true;
    }

    /** False when it is refused. */
    boolean updateQuery(Q q) {
        Q was = queries.get(q.id);
        if (was == null) {
            return false;
        }
        if (!was.same(q)) {
            if (isAlias(q) || !mayBind(q)) {
                return false;
            }
            queries.put(q.id, q.at(was.create, index));
            queriesIndex = index;
        }
        return true;
    }

    /** False when it is refused. */
    boolean deleteQuery(String id) {
        boolean was = queries.remove(id) != null;
        if (was) {
            queriesIndex = index;
        }
        return was;
    }

    private boolean isAlias(Q q) {
        return queries.values().stream()
                        .filter(other -> !other.id.equals(q.id))
                        .anyMatch(other ->
                                q.name.isEmpty()
                                        ? q.template && other.template && other.name.isEmpty()
                                        : fold(other.name).equals(fold(q.name)))
                || queries.containsKey(fold(q.name));
    }

    private boolean mayBind(Q q) {
        return q.session.isEmpty() || sessions.containsKey(q.session);
    }

    /** False when the node is not there. */
    boolean place(String node, String segment, double at) {
        if (!nodes.containsKey(fold(node))) {
            return false;
        }
        var place = new Place(node, at);
        if (!place.equals(places.put(List.of(fold(node), segment), place))) {
            placesIndex = index;
        }
        return true;
    }

    /** False when the condition does not hold; {@code expected} is null for none. */
    boolean configure(boolean cleanup, @Nullable Long expected) {
        A was = autopilot;
        if (expected != null && expected != (was == null ? 0 : was.modify)) {
            return false;
        }
        autopilot = new A(cleanup, was == null ? index : was.create, index);
        return true;
    }

    /** Null when it was not answered before. */
    @Nullable Object answered(String client, long number, long part) {
        Client known = clients.get(client);
        return known == null ? null : known.done.get(List.of(number, part));
    }

    boolean isTooLate(String client, long number) {
        Client known = clients.get(client);
        return known != null && number < known.oldest;
    }

    void answer(String client, long number, long oldest, long part, Object result) {
        if (!clients.containsKey(client)) {
            clients.values().removeIf(other -> other.time + 24 * 60 * 60 * 1000L < time);
        }
        Client known = clients.get(client);
        long from = Math.max(known == null ? 0 : known.oldest, oldest);
        var done = new HashMap<List<Long>, Object>();
        if (known != null) {
            done.putAll(known.done);
            done.keySet().removeIf(key -> key.getFirst() < from);
        }
        done.put(List.of(number, part), result);
        clients.put(client, new Client(from, time, done));
    }

    private void compareNodes(TreeMap<String, N> before) {
        for (String key : union(before, nodes)) {
            N was = before.get(key);
            N is = nodes.get(key);
            if (is == null || was == null || !is.same(was)) {
                nodesIndex = index;
                touchAllOn(key);
            }
        }
    }

    private void compareServices(TreeMap<List<String>, S> before) {
        for (List<String> key : union(before, services)) {
            S was = before.get(key);
            S is = services.get(key);
            if (is == null) {
                servicesIndex = index;
                checksIndex = index;
                lose(was.name);
            } else if (was == null || !is.same(was)) {
                servicesIndex = index;
                touch(is.name);
                if (was != null && !fold(was.name).equals(fold(is.name))) {
                    lose(was.name);
                }
            }
        }
    }

    private void compareChecks(TreeMap<List<String>, C> before) {
        for (List<String> key : union(before, checks)) {
            C was = before.get(key);
            C is = checks.get(key);
            if (is != null && was != null && is.same(was)) {
                continue;
            }
            checksIndex = index;
            for (C c : was == null ? List.of(is) : is == null ? List.of(was) : List.of(was, is)) {
                if (c.service.isEmpty()) {
                    touchAllOn(c.node);
                } else if (services.values().stream()
                        .anyMatch(s -> fold(s.name).equals(fold(c.serviceName)))) {
                    touch(c.serviceName);
                }
            }
            if (is == null && was.service.isEmpty()) {
                servicesIndex = index;
            }
        }
    }

    private static <X> TreeSet<X> union(TreeMap<X, ?> a, TreeMap<X, ?> b) {
        var all = new TreeSet<X>(a.comparator());
        all.addAll(a.keySet());
        all.addAll(b.keySet());
        return all;
    }

    private void touch(String name) {
        perService.put(fold(name), index);
    }

    private void touchAllOn(String node) {
        services.values().stream().filter(s -> s.node.equals(node)).forEach(s -> touch(s.name));
    }

    private void lose(String name) {
        if (services.values().stream().anyMatch(s -> fold(s.name).equals(fold(name)))) {
            touch(name);
        } else {
            perService.remove(fold(name));
            extinction = index;
        }
    }

    long serviceIndex(String name) {
        return perService.getOrDefault(fold(name), extinction);
    }

    void register(CatalogRegistration r) {
        String key = fold(r.node());
        N named = nodes.get(key);
        if (named == null || !r.skipNodeUpdate()) {
            N holder =
                    r.id().isEmpty()
                            ? null
                            : nodes.values().stream()
                                    .filter(n -> n.id.equals(r.id()))
                                    .findFirst()
                                    .orElse(null);
            if (!r.id().isEmpty() && named != null && !named.id.equals(r.id())) {
                C serf = checks.get(List.of(key, "serfhealth"));
                boolean healthy = serf != null && !serf.status.equals("critical");
                if (healthy && (!named.id.isEmpty() || holder != null)) {
                    throw new Refused();
                }
            }
            if (holder != null && !fold(holder.name).equals(key)) {
                var names = services.values().stream().map(x -> fold(x.name)).toList();
                removeNode(fold(holder.name));
                renameLostAName =
                        !services.values().stream()
                                .map(x -> fold(x.name))
                                .toList()
                                .containsAll(names);
            }
            N base = holder != null ? holder : named;
            var is =
                    new N(
                            r.node(),
                            r.id(),
                            r.address(),
                            r.nodeMeta(),
                            base == null ? index : base.create,
                            index);
            if (named == null || !is.same(named)) {
                nodes.put(key, is);
                if (named != null && !named.name.equals(r.node())) {
                    checks.replaceAll((k, c) ->
                            !c.node.equals(key)
                                    ? c
                                    : new C(
                                            c.node,
                                            r.node(),
                                            c.id,
                                            c.status,
                                            c.output,
                                            c.service,
                                            c.serviceName,
                                            c.tags,
                                            c.create,
                                            index));
                }
            }
        }
        if (r.service() != null) {
            service(key, r.service());
        }
        for (HealthCheck c : r.checks()) {
            check(key, c);
        }
    }

    private void service(String node, NodeService s) {
        var key = List.of(node, fold(s.id()));
        S was = services.get(key);
        var is =
                new S(
                        node,
                        s.id(),
                        s.service(),
                        s.port(),
                        s.tags(),
                        was == null ? index : was.create,
                        index);
        if (was != null && is.same(was)) {
            return;
        }
        services.put(key, is);
        if (was != null && !fold(was.name).equals(fold(is.name))) {
            checks.replaceAll((k, c) ->
                    !c.node.equals(node)
                                    || !fold(c.service).equals(fold(is.id))
                                    || c.service.isEmpty()
                            ? c
                            : new C(
                                    c.node,
                                    c.nodeSpelling,
                                    c.id,
                                    c.status,
                                    c.output,
                                    is.id,
                                    is.name,
                                    is.tags,
                                    c.create,
                                    index));
        }
    }

    private void check(String node, HealthCheck h) {
        S bound = h.serviceId().isEmpty() ? null : services.get(List.of(node, fold(h.serviceId())));
        if (!h.serviceId().isEmpty() && bound == null) {
            throw new Refused();
        }
        var key = List.of(node, fold(h.checkId()));
        C was = checks.get(key);
        var is =
                new C(
                        node,
                        nodes.get(node).name,
                        h.checkId(),
                        h.status().isEmpty() ? "critical" : h.status(),
                        h.output(),
                        bound == null ? "" : bound.id,
                        bound == null ? "" : bound.name,
                        bound == null ? List.of() : bound.tags,
                        was == null ? index : was.create,
                        index);
        if (was == null || !is.same(was)) {
            checks.put(key, is);
        }
    }

    void deregister(CatalogDeregistration d) {
        String node = fold(d.node());
        if (!d.serviceId().isEmpty()) {
            if (services.remove(List.of(node, fold(d.serviceId()))) != null) {
                checks.values()
                        .removeIf(c ->
                                c.node.equals(node) && fold(c.service).equals(fold(d.serviceId())));
            }
        } else if (!d.checkId().isEmpty()) {
            checks.remove(List.of(node, fold(d.checkId())));
        } else {
            removeNode(node);
        }
    }

    private void removeNode(String node) {
        nodes.remove(node);
        services.values().removeIf(s -> s.node.equals(node));
        checks.values().removeIf(c -> c.node.equals(node));
    }

    boolean kv(KvWrite w) {
        index++;
        return kvStep(w);
    }

    /** Like {@link #kv} as a part of a command. */
    boolean kvStep(KvWrite w) {
        String value = new String(w.value(), java.nio.charset.StandardCharsets.UTF_8);
        K was = kvs.get(w.key());
        return switch (w.verb()) {
            case SET -> set(w, value, was);
            case CAS -> {
                boolean matches =
                        w.index() == 0 ? was == null : was != null && was.modify == w.index();
                yield matches && set(w, value, was);
            }
            case DELETE -> {
                if (was != null) {
                    bury(w.key());
                    kvs.remove(w.key());
                }
                yield true;
            }
            case DELETE_CAS -> {
                if (was == null) {
                    yield true;
                }
                if (was.modify != w.index()) {
                    yield false;
                }
                bury(w.key());
                kvs.remove(w.key());
                yield true;
            }
            case DELETE_TREE -> {
                if (kvs.keySet().removeIf(k -> k.startsWith(w.key()))) {
                    bury(w.key());
                }
                yield true;
            }
            case LOCK -> lock(w, value, was);
            case UNLOCK ->
                    was != null
                            && !was.session.isEmpty()
                            && was.session.equals(w.session())
                            && put(w, value, was, "", was.locks);
        };
    }

    private boolean set(KvWrite w, String value, K was) {
        return put(w, value, was, was == null ? "" : was.session, was == null ? 0 : was.locks);
    }

    private boolean put(KvWrite w, String value, K was, String session, long locks) {
        if (was == null
                || !was.value.equals(value)
                || was.flags != w.flags()
                || !was.session.equals(session)
                || was.locks != locks) {
            kvs.put(
                    w.key(),
                    new K(
                            w.key(),
                            value,
                            w.flags(),
                            session,
                            locks,
                            was == null ? index : was.create,
                            index));
            kvIndex = index;
        }
        return true;
    }

    private void bury(String key) {
        graves.removeIf(g -> g.key.equals(key));
        graves.add(new Grave(key, index, time));
        kvIndex = index;
    }

    /** Forgets what was buried long enough ago. */
    void reap(long ttlMillis) {
        graves.removeIf(g -> {
            boolean old = g.time + ttlMillis <= time;
            reaped = old ? Math.max(reaped, g.index) : reaped;
            return old;
        });
        delays.values().removeIf(until -> until <= time);
    }

    void reapAll() {
        index++;
        graves.forEach(g -> reaped = Math.max(reaped, g.index));
        graves.clear();
    }

    long treeIndex(String prefix) {
        var below = kvs.values().stream().filter(k -> k.key.startsWith(prefix)).toList();
        if (prefix.isEmpty() || below.isEmpty()) {
            return kvIndex;
        }
        long last = reaped;
        for (K k : below) {
            last = Math.max(last, k.modify);
        }
        for (Grave g : graves) {
            last = g.key.startsWith(prefix) ? Math.max(last, g.index) : last;
        }
        return last;
    }
}
