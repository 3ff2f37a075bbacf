package registry.server.query;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import registry.api.ApiException;
import registry.api.PreparedQuery;
import registry.api.PreparedQueryWrite;
import registry.api.json.GoDuration;
import registry.api.json.Json;
import registry.server.health.HealthTable;
import registry.server.rpc.Body;
import registry.server.rpc.Proposer;
import registry.server.rpc.Query;
import registry.server.rpc.Question;
import registry.server.state.Keys;
import registry.server.state.State;
import registry.server.state.StateStore;

/** Keeps prepared queries, shows them and runs them. Source: consul-api 3.10 */
public final class QueryEndpoint {
    private static final int UUID_LENGTH = 36;
    private static final String BAD_ID =
            "failed prepared query lookup: index error: UUID must be 36 characters";
    private static final String INVALID = "Invalid prepared query: ";
    private static final String HIDDEN = "<hidden>";
    private static final byte[] TRUE = {'t', 'r', 'u', 'e'};
    private static final byte[] FALSE = {'f', 'a', 'l', 's', 'e'};
    private static final byte[] ZERO = {'0'};

    private final Proposer proposer;
    private final StateStore store;
    private final String datacenter;

    public QueryEndpoint(Proposer proposer, StateStore store, String datacenter) {
        this.proposer = proposer;
        this.store = store;
        this.datacenter = datacenter;
    }

    /** Creates, updates or deletes; the answer is the query's id. */
    public String apply(PreparedQueryWrite write) {
        PreparedQuery query = write.query();
        if (write.verb() == PreparedQueryWrite.Verb.CREATE) {
            if (!query.id().isEmpty()) {
                throw ApiException.refused("ID must be empty when creating a new prepared query");
            }
            check(query);
            return propose(new QueryOp.Create(query.withId(UUID.randomUUID().toString())));
        }
        String id = Keys.fold(query.id());
        if (id.length() != UUID_LENGTH) {
            throw ApiException.refused("Prepared Query lookup failed: " + BAD_ID);
        }
        // The log has the last word; but what is not there is said before what is wrong with it.
        if (QueryTable.get(store.current(), id) == null) {
            throw QueryTable.unknown(id);
        }
        if (write.verb() == PreparedQueryWrite.Verb.DELETE) {
            return propose(new QueryOp.Delete(id));
        }
        check(query);
        return propose(new QueryOp.Update(query.withId(id)));
    }

    private String propose(QueryOp op) {
        return (String) proposer.propose(op);
    }

    private static void check(PreparedQuery query) {
        if (query.name().isEmpty() && query.session().isEmpty() && !query.isTemplate()) {
            throw ApiException.refused(INVALID + "Must be bound to a session");
        }
        if (query.token().equals(HIDDEN)) {
            throw ApiException.refused(
                    INVALID
                            + "Bad Token '%s', it looks like a query definition with a redacted token was submitted"
                                    .formatted(HIDDEN));
        }
        if (query.service().service().isEmpty()) {
            throw ApiException.refused(INVALID + "Must provide a Service name to query");
        }
        int nearest = query.service().failover().nearestN();
        if (nearest < 0) {
            throw ApiException.refused(INVALID + "Bad NearestN '" + nearest + "', must be >= 0");
        }
        checkTtl(query.dns().ttl());
        if (query.isTemplate()) {
            Template.compile(query);
        }
    }

    private static void checkTtl(String text) {
        if (text.isEmpty()) {
            return;
        }
        Duration ttl;
        try {
            ttl = GoDuration.parse(text);
        } catch (IllegalArgumentException e) {
            throw new ApiException(
                    ApiException.Kind.REFUSED,
                    INVALID
                            + "Bad DNS TTL '%s': time: invalid duration \"%s\""
                                    .formatted(text, text),
                    e);
        }
        if (ttl.isNegative()) {
            throw ApiException.refused(
                    INVALID + "DNS TTL '%d', must be >=0".formatted(ttl.toNanos()));
        }
    }

    /** {@code /v1/query}: all queries by id. */
    public Query list(Question question) {
        return Query.of(
                QueryTable.watches(),
                QueryTable::index,
                state -> Query.Answer.found(Body.of(question, Json.write(QueryTable.all(state)))));
    }

    /** {@code /v1/query/ID}: a list of one. */
    public Query get(Question question) {
        String id = Keys.fold(question.name());
        if (id.length() != UUID_LENGTH) {
            throw ApiException.refused(BAD_ID);
        }
        return Query.of(
                QueryTable.watches(),
                QueryTable::index,
                state -> {
                    PreparedQuery query = found(QueryTable.get(state, id));
                    return Query.Answer.found(Body.of(question, Json.write(List.of(query))));
                });
    }

    /**
     * {@code /v1/query/ID-OR-NAME/execute}: the instances it finds now. Never held, and never the
     * same twice: their order is drawn anew.
     */
    public Query execute(Question question) {
        return now(state -> executed(question, state));
    }

    private Query.Answer executed(Question question, State state) {
        PreparedQuery query = found(QueryTable.resolve(state, question.name()));
        var body = new Body().open('{');
        body.name("Service").value(Json.write(query.service().service()));
        body.name("Nodes").open('[');
        for (HealthTable.Entry entry : Execution.run(state, query.service(), question)) {
            entry.writeTo(body);
        }
        body.close(']').name("DNS").value(Json.write(query.dns()));
        body.name("Datacenter").value(Json.write(datacenter));
        return meta(body.name("Failovers").value(ZERO), question);
    }

    /** {@code /v1/query/ID-OR-NAME/explain}: the query that would be run. */
    public Query explain(Question question) {
        return now(state -> {
            PreparedQuery query = found(QueryTable.resolve(state, question.name()));
            var body = new Body().open('{').name("Query").value(Json.write(query));
            return meta(body, question);
        });
    }

    private static Query now(Function<State, Query.Answer> answer) {
        return new Query(List.of(), state -> 1, answer, false);
    }

    /** Ends an answer with what Consul says in it of the answer itself. */
    private static Query.Answer meta(Body body, Question question) {
        String consistency =
                switch (question.consistency()) {
                    case DEFAULT -> "leader";
                    case CONSISTENT -> "consistent";
                    case STALE -> "stale";
                };
        body.name("Index").value(ZERO).name("LastContact").value(ZERO);
        body.name("KnownLeader").value(TRUE);
        body.name("ConsistencyLevel").value(text(consistency));
        return body.name("NotModified").value(FALSE).close('}').answer(question);
    }

    private static byte[] text(String word) {
        return ('"' + word + '"').getBytes(StandardCharsets.US_ASCII);
    }

    private static PreparedQuery found(@Nullable PreparedQuery query) {
        if (query == null) {
            throw ApiException.notFound("Query not found");
        }
        return query;
    }
}
