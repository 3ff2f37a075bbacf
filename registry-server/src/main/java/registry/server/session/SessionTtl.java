package registry.server.session;

import java.time.Duration;

/**
 * How long sessions with a TTL live.
 *
 * @param min the shortest TTL that is taken, not below a second
 * @param factor a session ends when so many times its TTL have passed since its last renewal; with
 *     1 as soon as the TTL says
 */
public record SessionTtl(Duration min, int factor) {
    /** As in Consul, whose clients renew when a TTL is over and count on as much again. */
    public static final SessionTtl CONSULS = new SessionTtl(Duration.ofSeconds(10), 2);
}
