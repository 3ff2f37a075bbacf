package registry.server.session;

import registry.api.Session;

/**
 * A session and until when it lives.
 *
 * @param graceMillis from a renewal until it ends; 0 when it has no TTL
 * @param deadline when it ends unless it is renewed, as {@link registry.server.state.State#time}; 0
 *     when it has no TTL
 */
public record LiveSession(Session session, long graceMillis, long deadline) {
    boolean isDue(long time) {
        return graceMillis > 0 && deadline <= time;
    }

    LiveSession renewed(long time) {
        return graceMillis == 0 ? this : new LiveSession(session, graceMillis, time + graceMillis);
    }
}
