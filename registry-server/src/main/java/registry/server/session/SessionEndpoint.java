package registry.server.session;

import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import registry.api.ApiException;
import registry.api.Session;
import registry.api.json.GoDuration;
import registry.api.json.Json;
import registry.server.rpc.Body;
import registry.server.rpc.Proposer;
import registry.server.rpc.Query;
import registry.server.rpc.Question;
import registry.server.state.State;

/** Creates, renews and ends sessions, and tells of them. Source: consul-api 3.8, 5.4 */
public final class SessionEndpoint {
    private static final int UUID_LENGTH = 36;
    private static final Duration MAX_TTL = Duration.ofHours(24);

    private final Proposer proposer;
    private final SessionTtl limits;

    public SessionEndpoint(Proposer proposer, SessionTtl limits) {
        this.proposer = proposer;
        this.limits = limits;
    }

    /** Begins a session under an id of our own; the answer is that id. */
    public String create(Session wanted) {
        if (wanted.node().isEmpty()) {
            throw ApiException.refused("Must provide Node");
        }
        String behavior = wanted.behavior().isEmpty() ? Session.RELEASE : wanted.behavior();
        if (!behavior.equals(Session.RELEASE) && !behavior.equals(Session.DELETE)) {
            throw ApiException.refused("Invalid Behavior setting '" + behavior + "'");
        }
        var session =
                new Session(
                        UUID.randomUUID().toString(),
                        wanted.name(),
                        wanted.node(),
                        wanted.lockDelay(),
                        behavior,
                        wanted.ttl(),
                        wanted.nodeChecks(),
                        wanted.serviceChecks(),
                        0,
                        0);
        long grace = ttl(wanted.ttl()).toMillis() * limits.factor();
        return (String) proposer.propose(new SessionOp.Create(session, grace));
    }

    private Duration ttl(String text) {
        if (text.isEmpty()) {
            return Duration.ZERO;
        }
        Duration ttl;
        try {
            ttl = GoDuration.parse(text);
        } catch (IllegalArgumentException e) {
            throw new ApiException(
                    ApiException.Kind.REFUSED,
                    "Session TTL '%s' invalid: time: invalid duration \"%s\"".formatted(text, text),
                    e);
        }
        if (!ttl.isZero() && (ttl.compareTo(limits.min()) < 0 || ttl.compareTo(MAX_TTL) > 0)) {
            throw ApiException.refused(
                    "Invalid Session TTL '%d', must be between [%s=%s]"
                            .formatted(
                                    ttl.toNanos(),
                                    GoDuration.format(limits.min()),
                                    GoDuration.format(MAX_TTL)));
        }
        return ttl;
    }

    /** Ends a session; true for an unknown one too. */
    public Boolean destroy(String id) {
        return (Boolean) proposer.propose(new SessionOp.Destroy(wellFormed(id)));
    }

    /** Gives a session its full time again. */
    public Session renew(String id) {
        return (Session) proposer.propose(new SessionOp.Renew(wellFormed(id)));
    }

    /** The session of an id, as a list of one or none. */
    public Query info(Question question) {
        String id = wellFormed(question.name());
        return query(question, state -> SessionTable.info(state, id));
    }

    /** The sessions of a node. */
    public Query node(Question question) {
        return query(question, state -> SessionTable.on(state, question.name()));
    }

    /** All sessions. */
    public Query list(Question question) {
        return query(question, SessionTable::all);
    }

    private static Query query(Question question, Function<State, List<Session>> sessions) {
        return Query.of(
                SessionTable.watches(),
                SessionTable::index,
                state -> Query.Answer.found(Body.of(question, Json.write(sessions.apply(state)))));
    }

    private static String wellFormed(String id) {
        if (id.length() != UUID_LENGTH) {
            throw ApiException.refused(
                    "failed session lookup: index error: UUID must be 36 characters");
        }
        return id;
    }
}
