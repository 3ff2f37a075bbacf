package registry.server.session;

import java.util.List;
import registry.api.ApiException;
import registry.api.Session;
import registry.server.state.Op;
import registry.server.state.Tx;

/** What changes sessions. What they held is let go by the state machine in the same command. */
public sealed interface SessionOp extends Op {
    /**
     * Begins a session; its result is the id.
     *
     * @param graceMillis how long it lives without a renewal; 0 for ever
     */
    record Create(Session session, long graceMillis) implements SessionOp {
        @Override
        public String apply(Tx tx) {
            return SessionTable.create(tx, session, graceMillis);
        }
    }

    /** Ends a session; an unknown one has ended already. */
    record Destroy(String id) implements SessionOp {
        @Override
        public Boolean apply(Tx tx) {
            return SessionTable.destroy(tx, id);
        }
    }

    /** Gives a session its full time again; its result is the session. */
    record Renew(String id) implements SessionOp {
        @Override
        public Session apply(Tx tx) {
            Session session = SessionTable.renew(tx, id);
            if (session == null) {
                throw ApiException.notFound("Session id '" + id + "' not found");
            }
            return session;
        }
    }

    /** Ends those sessions whose time is up; its result is how many did end. */
    record Expire(List<String> ids) implements SessionOp {
        @Override
        public Integer apply(Tx tx) {
            return SessionTable.expire(tx, ids);
        }
    }

    /**
     * Gives every session its full time again: a new leader doesn't know which renewals could not
     * reach the old one. Its result is how many have a time.
     */
    record Restart(long term) implements SessionOp {
        @Override
        public Integer apply(Tx tx) {
            return SessionTable.restart(tx);
        }
    }
}
