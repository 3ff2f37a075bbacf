package registry.server.session;

import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import registry.api.ApiException;
import registry.api.HealthCheck;
import registry.api.Session;
import registry.api.json.Json;
import registry.server.catalog.CatalogTable;
import registry.server.state.Keys;
import registry.server.state.Row;
import registry.server.state.State;
import registry.server.state.TableDef;
import registry.server.state.Tx;

/** Sessions: their table, and how a command begins, renews and ends them. */
public final class SessionTable {
    /** Sessions by their node. */
    static final TableDef.Grouping<LiveSession> BY_NODE =
            new TableDef.Grouping<>(live -> Keys.fold(live.session().node()));

    private static final String SCOPE = "sessions";

    /** Sessions by id. */
    public static final TableDef<LiveSession> SESSIONS =
            new TableDef<>(
                            "sessions",
                            String::compareTo,
                            live -> live.session().id(),
                            List.of(BY_NODE),
                            Json::write,
                            bytes -> Json.read(bytes, LiveSession.class))
                    .carriedBy(
                            (live, here, into) ->
                                    new LiveSession(
                                            withIndexes(
                                                    live.session(),
                                                    live.session().createIndex(),
                                                    into.index()),
                                            live.graceMillis(),
                                            live.graceMillis() == 0
                                                    ? 0
                                                    : live.deadline() + into.timeShift()),
                            SCOPE);

    private SessionTable() {}

    // Reads.

    /** Watches all sessions: they have one index. */
    static List<String> watches() {
        return List.of(SCOPE);
    }

    static long index(State state) {
        return state.index(SCOPE);
    }

    static List<Session> info(State state, String id) {
        LiveSession live = state.table(SESSIONS).get(id);
        return live == null ? List.of() : List.of(live.session());
    }

    static List<Session> on(State state, String node) {
        return sessions(state.table(SESSIONS).group(BY_NODE, Keys.fold(node)).values().stream());
    }

    static List<Session> all(State state) {
        return sessions(state.table(SESSIONS).rows().values().stream());
    }

    private static List<Session> sessions(Stream<LiveSession> live) {
        return live.map(LiveSession::session).toList();
    }

    /** Ids of those whose time is up at {@code time}. */
    public static List<String> due(State state, long time) {
        return state.table(SESSIONS).rows().values().stream()
                .filter(live -> live.isDue(time))
                .map(live -> live.session().id())
                .toList();
    }

    /** The next moment at which a session's time is up. */
    public static OptionalLong nextDeadline(State state) {
        return state.table(SESSIONS).rows().values().stream()
                .filter(live -> live.graceMillis() > 0)
                .mapToLong(LiveSession::deadline)
                .min();
    }

    /** Whether a session of that id may hold locks. */
    public static boolean lives(Tx tx, String id) {
        return tx.get(SESSIONS, id) != null;
    }

    // Changes.

    static String create(Tx tx, Session wanted, long graceMillis) {
        if (tx.get(CatalogTable.NODES, Keys.fold(wanted.node())) == null) {
            throw ApiException.refused("Missing node registration");
        }
        checks(wanted).forEach(id -> requireHealthy(tx, wanted.node(), id));
        LiveSession before = tx.get(SESSIONS, wanted.id());
        if (before != null) {
            // The proposal came twice: the first one counts.
            return wanted.id();
        }
        Session session = withIndexes(wanted, tx.index(), tx.index());
        tx.put(SESSIONS, new LiveSession(session, graceMillis, 0).renewed(tx.time()));
        tx.move(SCOPE);
        return wanted.id();
    }

    private static void requireHealthy(Tx tx, String node, String id) {
        Row<HealthCheck> check =
                tx.get(CatalogTable.CHECKS, Keys.join(Keys.fold(node), Keys.fold(id)));
        if (check == null) {
            throw ApiException.refused("Missing check '" + id + "' registration");
        }
        if (check.value().status().equals(HealthCheck.CRITICAL)) {
            throw ApiException.refused("Check '" + id + "' is in critical state");
        }
    }

    private static Stream<String> checks(Session session) {
        List<Session.ServiceCheck> bound = session.serviceChecks();
        return Stream.concat(
                session.nodeChecks().stream(),
                bound == null ? Stream.empty() : bound.stream().map(Session.ServiceCheck::id));
    }

    static boolean destroy(Tx tx, String id) {
        LiveSession live = tx.get(SESSIONS, id);
        if (live != null) {
            end(tx, live);
        }
        return true;
    }

    /** Moves the deadline and nothing else: no index, nobody wakes. */
    static @Nullable Session renew(Tx tx, String id) {
        LiveSession live = tx.get(SESSIONS, id);
        if (live == null) {
            return null;
        }
        tx.put(SESSIONS, live.renewed(tx.time()));
        return live.session();
    }

    static int restart(Tx tx) {
        int restarted = 0;
        for (LiveSession live : List.copyOf(tx.table(SESSIONS).rows().values())) {
            if (live.graceMillis() > 0) {
                tx.put(SESSIONS, live.renewed(tx.time()));
                restarted++;
            }
        }
        return restarted;
    }

    /** Ends those of {@code ids} whose time is up by the command's own time. */
    static int expire(Tx tx, List<String> ids) {
        int ended = 0;
        for (String id : ids) {
            LiveSession live = tx.get(SESSIONS, id);
            if (live != null && live.isDue(tx.time())) {
                end(tx, live);
                ended++;
            }
        }
        return ended;
    }

    /** The node has gone: its sessions end. */
    public static void nodeGone(Tx tx, String node) {
        List.copyOf(tx.table(SESSIONS).group(BY_NODE, Keys.fold(node)).values())
                .forEach(live -> end(tx, live));
    }

    /** The check has failed or gone: sessions bound to it end. */
    public static void checkLost(Tx tx, HealthCheck check) {
        String id = Keys.fold(check.checkId());
        List.copyOf(tx.table(SESSIONS).group(BY_NODE, Keys.fold(check.node())).values()).stream()
                .filter(live -> checks(live.session()).anyMatch(each -> Keys.fold(each).equals(id)))
                .forEach(live -> end(tx, live));
    }

    private static void end(Tx tx, LiveSession live) {
        tx.delete(SESSIONS, live.session().id());
        tx.move(SCOPE);
    }

    private static Session withIndexes(Session s, long createIndex, long modifyIndex) {
        return new Session(
                s.id(),
                s.name(),
                s.node(),
                s.lockDelay(),
                s.behavior(),
                s.ttl(),
                s.nodeChecks(),
                s.serviceChecks(),
                createIndex,
                modifyIndex);
    }
}
