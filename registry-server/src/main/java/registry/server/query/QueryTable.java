package registry.server.query;

import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;
import registry.api.ApiException;
import registry.api.PreparedQuery;
import registry.api.json.Json;
import registry.server.session.SessionTable;
import registry.server.state.Keys;
import registry.server.state.State;
import registry.server.state.TableDef;
import registry.server.state.Tx;

/** Prepared queries: their table, how a name finds one, and how a command changes them. */
public final class QueryTable {
    private static final int UUID_LENGTH = 36;

    /** Names longer than this find no template: what they make of one stays small. */
    private static final int MAX_NAME = 255;

    /** Queries that have a name, by it in any case. */
    static final TableDef.Grouping<Prepared> BY_NAME =
            new TableDef.Grouping<>(
                    row -> row.query().name().isEmpty() ? null : Keys.fold(row.query().name()));

    /** Templates by their prefix in any case, which may be empty. */
    static final TableDef.Grouping<Prepared> BY_PREFIX =
            new TableDef.Grouping<>(
                    row -> row.query().isTemplate() ? Keys.fold(row.query().name()) : null);

    /** Queries that are bound to a session, by it. */
    static final TableDef.Grouping<Prepared> BY_SESSION =
            new TableDef.Grouping<>(
                    row -> row.query().session().isEmpty() ? null : row.query().session());

    private static final String SCOPE = "prepared-queries";

    /** Queries by id. */
    public static final TableDef<Prepared> QUERIES =
            new TableDef<>(
                            "prepared-queries",
                            String::compareTo,
                            row -> row.query().id(),
                            List.of(BY_NAME, BY_PREFIX, BY_SESSION),
                            row -> Json.write(row.query()),
                            bytes -> new Prepared(Json.read(bytes, PreparedQuery.class)))
                    .carriedBy(
                            (row, here, into) ->
                                    new Prepared(
                                            row.query()
                                                    .withIndexes(
                                                            row.query().createIndex(),
                                                            into.index())),
                            SCOPE);

    private QueryTable() {}

    // Reads.

    /** Watches all queries: they have one index. */
    static List<String> watches() {
        return List.of(SCOPE);
    }

    static long index(State state) {
        return state.index(SCOPE);
    }

    static List<PreparedQuery> all(State state) {
        return state.table(QUERIES).rows().values().stream().map(Prepared::query).toList();
    }

    static @Nullable PreparedQuery get(State state, String id) {
        Prepared row = state.table(QUERIES).get(id);
        return row == null ? null : row.query();
    }

    /**
     * The query of an id, else of a name, else the template with the longest prefix of it; ready to
     * be run.
     */
    static @Nullable PreparedQuery resolve(State state, String idOrName) {
        Prepared byId = state.table(QUERIES).get(Keys.fold(idOrName));
        if (byId != null) {
            if (byId.query().isTemplate()) {
                throw ApiException.refused(
                        "prepared query templates can only be resolved up by name, not by ID");
            }
            return byId.query();
        }
        String name = Keys.fold(idOrName);
        Prepared named = only(state.table(QUERIES).group(BY_NAME, name).values());
        if (named == null && name.length() <= MAX_NAME) {
            for (int length = name.length(); length >= 0 && named == null; length--) {
                String prefix = name.substring(0, length);
                named = only(state.table(QUERIES).group(BY_PREFIX, prefix).values());
            }
        }
        return named == null ? null : named.of(idOrName);
    }

    private static @Nullable Prepared only(Collection<Prepared> rows) {
        return rows.isEmpty() ? null : rows.iterator().next();
    }

    // Changes.

    static String create(Tx tx, PreparedQuery query) {
        if (tx.get(QUERIES, query.id()) == null) {
            refuseAlias(tx, query);
            requireSession(tx, query.session());
            put(tx, query.withIndexes(tx.index(), tx.index()));
        }
        return query.id();
    }

    static String update(Tx tx, PreparedQuery query) {
        PreparedQuery before = required(tx, query.id());
        PreparedQuery unchanged = query.withIndexes(before.createIndex(), before.modifyIndex());
        if (!unchanged.equals(before)) {
            refuseAlias(tx, query);
            requireSession(tx, query.session());
            put(tx, query.withIndexes(before.createIndex(), tx.index()));
        }
        return query.id();
    }

    static String delete(Tx tx, String id) {
        required(tx, id);
        remove(tx, id);
        return id;
    }

    /** The session has ended: its queries go with it. */
    public static void sessionEnded(Tx tx, String session) {
        List.copyOf(tx.table(QUERIES).group(BY_SESSION, session).keySet())
                .forEach(id -> remove(tx, id));
    }

    private static PreparedQuery required(Tx tx, String id) {
        Prepared row = tx.get(QUERIES, id);
        if (row == null) {
            throw unknown(id);
        }
        return row.query();
    }

    static ApiException unknown(String id) {
        return ApiException.refused("Cannot modify non-existent prepared query: '" + id + "'");
    }

    /** Queries are found by id or by name: a name must be nobody else's, and nobody's id. */
    private static void refuseAlias(Tx tx, PreparedQuery query) {
        String name = Keys.fold(query.name());
        if (name.isEmpty()) {
            if (query.isTemplate() && isAnothers(tx, BY_PREFIX, name, query.id())) {
                throw ApiException.refused("a query template with an empty name already exists");
            }
            return;
        }
        if (isAnothers(tx, BY_NAME, name, query.id())) {
            throw ApiException.refused(
                    "name '" + query.name() + "' aliases an existing query name");
        }
        if (tx.get(QUERIES, name) != null) {
            throw ApiException.refused("name '" + query.name() + "' aliases an existing query ID");
        }
    }

    private static boolean isAnothers(
            Tx tx, TableDef.Grouping<Prepared> grouping, String name, String id) {
        return tx.table(QUERIES).group(grouping, name).keySet().stream()
                .anyMatch(holder -> !holder.equals(id));
    }

    private static void requireSession(Tx tx, String session) {
        if (session.isEmpty() || SessionTable.lives(tx, session)) {
            return;
        }
        if (session.length() != UUID_LENGTH) {
            throw ApiException.refused("invalid session: index error: UUID must be 36 characters");
        }
        throw ApiException.refused("invalid session \"" + session + "\"");
    }

    private static void put(Tx tx, PreparedQuery query) {
        tx.put(QUERIES, new Prepared(query));
        tx.move(SCOPE);
    }

    private static void remove(Tx tx, String id) {
        tx.delete(QUERIES, id);
        tx.move(SCOPE);
    }
}
