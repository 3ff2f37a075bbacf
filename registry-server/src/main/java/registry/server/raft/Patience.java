package registry.server.raft;

/**
 * How much longer than planned a server waits in elections. Where votes do not come in time, or the
 * server's own timers run late, machines are busy and not dead; to go on as before would be one
 * election after the other, each broken off by the next. Each that fails doubles the time of those
 * behind it; after some quiet seconds all is as planned again.
 */
final class Patience {
    private static final int MOST_DOUBLINGS = 3;
    private static final long QUIET_NANOS = 5_000_000_000L;

    /** Late by less is nothing to a timeout of 300 ms. */
    private static final long LATE_NANOS = 200_000_000;

    private int doublings;
    private long lastTrouble;

    /** An election has ended without a leader. */
    synchronized void failed(long now) {
        doublings = Math.min(MOST_DOUBLINGS, present(now) + 1);
        lastTrouble = now;
    }

    /**
     * A timer has run.
     *
     * @param late how long behind its time, in nanoseconds
     */
    synchronized void ran(long late, long now) {
        if (late > LATE_NANOS) {
            doublings = Math.max(1, present(now));
            lastTrouble = now;
        }
    }

    /** What a planned time is to be multiplied by. */
    synchronized int factor(long now) {
        return 1 << present(now);
    }

    private int present(long now) {
        return now - lastTrouble > QUIET_NANOS ? 0 : doublings;
    }
}
