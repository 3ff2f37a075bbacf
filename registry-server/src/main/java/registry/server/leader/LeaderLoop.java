package registry.server.leader;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.api.ApiException;

/**
 * The one thread that does a leader's duties, while this server leads: each when something has
 * changed and at its interval.
 */
public final class LeaderLoop implements AutoCloseable {
    /** Something only the leader does. Called by the loop's thread; may block. */
    public interface Duty {
        /** A change may have made work, or a new term has begun. */
        void run(long term);

        /** The longest time between two runs. */
        Duration interval();
    }

    private static final Logger log = LoggerFactory.getLogger(LeaderLoop.class);
    private static final Duration RETRY = Duration.ofSeconds(1);

    /** How long a stop waits for a proposal under way. */
    private static final Duration PATIENCE = Duration.ofSeconds(1);

    private final LongSupplier leadingTerm;
    private final Semaphore signals;
    private final List<Duty> duties;
    private final Runnable leadershipLost;
    private final Thread thread;
    private volatile boolean closed;

    /**
     * @param leadingTerm 0 while this server does not lead
     * @param signals gets a permit whenever the role or the members may have changed
     * @param leadershipLost called when this server has ceased to lead; also when it may have
     */
    public LeaderLoop(
            LongSupplier leadingTerm,
            Semaphore signals,
            List<Duty> duties,
            Runnable leadershipLost) {
        this.leadingTerm = leadingTerm;
        this.signals = signals;
        this.duties = List.copyOf(duties);
        this.leadershipLost = leadershipLost;
        this.thread = Thread.ofVirtual().name("leader").unstarted(this::loop);
    }

    public void start() {
        thread.start();
    }

    private void loop() {
        try {
            long led = 0;
            long[] due = new long[duties.size()];
            boolean changed = true;
            while (!closed) {
                long term = leadingTerm.getAsLong();
                // A signal may be all that is left of a term too short to have been seen here.
                if (led != 0 && term != led || changed && term == 0) {
                    leadershipLost.run();
                }
                boolean fresh = term != led;
                led = term;
                for (int i = 0; term != 0 && i < due.length; i++) {
                    if (changed || fresh || System.nanoTime() - due[i] >= 0) {
                        due[i] = System.nanoTime() + run(duties.get(i), term).toNanos();
                    }
                }
                changed = await(term == 0 ? Long.MAX_VALUE : untilFirst(due));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static Duration run(Duty duty, long term) {
        try {
            duty.run(term);
            return duty.interval();
        } catch (ApiException e) {
            log.warn("leader's duty postponed: duty={} error={}", duty, e.text());
        } catch (RuntimeException e) {
            log.error("leader's duty failed: duty={}", duty, e);
        }
        return RETRY;
    }

    private static long untilFirst(long[] due) {
        long now = System.nanoTime();
        long first = Long.MAX_VALUE;
        for (long at : due) {
            first = Math.min(first, Math.max(0, at - now));
        }
        return first;
    }

    /** True when there was a signal; many at once count as one. */
    private boolean await(long nanos) throws InterruptedException {
        boolean signalled = signals.tryAcquire(nanos, TimeUnit.NANOSECONDS);
        signals.drainPermits();
        return signalled;
    }

    @Override
    public void close() {
        closed = true;
        signals.release();
        try {
            if (!thread.join(PATIENCE)) {
                thread.interrupt();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
