package registry.agent.check;

import java.time.Duration;

/**
 * Waits to hear from someone, and says so when he has been silent for too long. A sign of life
 * costs a memory write: the timer looks at the deadline when it is due and goes on waiting when
 * that has moved.
 */
public final class TtlCheck implements CheckScheduler.Job {
    /** How the output of a check begins that was silent for too long. */
    public static final String SILENT = "TTL expired";

    private final Duration ttl;
    private final Timers timers;
    private final Runnable expired;
    private long deadline;
    private Timers.Timer timer;
    private boolean armed;
    private boolean stopped;

    /**
     * @param expired called on the timer thread after each silence, once; must not block
     */
    public TtlCheck(Duration ttl, Timers timers, Runnable expired) {
        this.ttl = ttl;
        this.timers = timers;
        this.expired = expired;
        this.timer = () -> {};
    }

    /** The text of a check that was silent, after its last output. */
    public static CheckResult silent(String lastOutput) {
        return CheckResult.critical(
                lastOutput.isEmpty()
                        ? SILENT
                        : SILENT + " (last output before timeout follows): " + lastOutput);
    }

    /** A sign of life: the time starts anew. */
    public synchronized void heard() {
        deadline = timers.nanos() + ttl.toNanos();
        if (!armed && !stopped) {
            arm(ttl);
        }
    }

    public synchronized boolean isExpired() {
        return timers.nanos() - deadline >= 0;
    }

    public Duration ttl() {
        return ttl;
    }

    private void arm(Duration delay) {
        armed = true;
        timer = timers.after(delay, this::due);
    }

    private void due() {
        synchronized (this) {
            if (stopped) {
                return;
            }
            long left = deadline - timers.nanos();
            if (left > 0) {
                arm(Duration.ofNanos(left));
                return;
            }
            armed = false;
        }
        expired.run();
    }

    @Override
    public synchronized void stop() {
        stopped = true;
        timer.cancel();
    }
}
