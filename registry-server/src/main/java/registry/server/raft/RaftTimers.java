package registry.server.raft;

import com.alipay.sofa.jraft.core.Scheduler;
import com.alipay.sofa.jraft.util.SPI;
import com.alipay.sofa.jraft.util.timer.RaftTimerFactory;
import com.alipay.sofa.jraft.util.timer.Timeout;
import com.alipay.sofa.jraft.util.timer.Timer;
import com.alipay.sofa.jraft.util.timer.TimerTask;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * All of Raft's timers on two threads. The engine's own would be four wheels that tick every
 * millisecond and a pool of six threads. Those of elections have {@link Patience}: a leader that
 * looks for its quorum later acknowledges nothing more for it, and answers no more reads.
 */
@SPI(name = "registry", priority = 100)
public final class RaftTimers implements RaftTimerFactory {
    private static final ScheduledThreadPoolExecutor POOL = pool();
    private static final Timer TIMER = new PoolTimer(null, false);

    private static final String BEFORE_NODE = "Timer-";

    /** By the name of the node. */
    private static final Map<String, Patience> PATIENCE = new ConcurrentHashMap<>();

    private static final Scheduler SCHEDULER = new PoolScheduler();

    private static ScheduledThreadPoolExecutor pool() {
        var pool =
                new ScheduledThreadPoolExecutor(
                        2, Thread.ofPlatform().daemon().name("raft-timer-", 0).factory());
        pool.setRemoveOnCancelPolicy(true);
        return pool;
    }

    /** The engine calls its timers {@code JRaft-VoteTimer-NODE} and the like. */
    private static Timer patient(String name, boolean runsWhenElectionFails) {
        String node = name.substring(name.indexOf(BEFORE_NODE) + BEFORE_NODE.length());
        return new PoolTimer(
                PATIENCE.computeIfAbsent(node, first -> new Patience()), runsWhenElectionFails);
    }

    @Override
    public Timer getElectionTimer(boolean shared, String name) {
        return patient(name, false);
    }

    @Override
    public Timer getVoteTimer(boolean shared, String name) {
        return patient(name, true);
    }

    @Override
    public Timer getStepDownTimer(boolean shared, String name) {
        return patient(name, false);
    }

    @Override
    public Timer getSnapshotTimer(boolean shared, String name) {
        return TIMER;
    }

    @Override
    public Scheduler getRaftScheduler(boolean shared, int workers, String name) {
        return SCHEDULER;
    }

    @Override
    public Timer createTimer(String name) {
        return TIMER;
    }

    @Override
    public Scheduler createScheduler(int workers, String name) {
        return SCHEDULER;
    }

    private static final class PoolTimer implements Timer {
        private final @Nullable Patience patience;
        private final boolean runsWhenElectionFails;

        PoolTimer(@Nullable Patience patience, boolean runsWhenElectionFails) {
            this.patience = patience;
            this.runsWhenElectionFails = runsWhenElectionFails;
        }

        @Override
        public Timeout newTimeout(TimerTask task, long delay, TimeUnit unit) {
            PoolTimeout timeout = new PoolTimeout(task, this);
            long now = System.nanoTime();
            int factor = patience == null ? 1 : patience.factor(now);
            timeout.start(now, unit.toNanos(delay) * factor);
            return timeout;
        }

        void ran(long late, long now) {
            if (patience == null) {
                return;
            }
            patience.ran(late, now);
            if (runsWhenElectionFails) {
                patience.failed(now);
            }
        }

        /** The pool outlives every node of the process. */
        @Override
        public Set<Timeout> stop() {
            return Set.of();
        }
    }

    private static final class PoolTimeout implements Timeout, Runnable {
        private final TimerTask task;
        private final PoolTimer timer;
        private volatile boolean started;
        private volatile boolean cancelled;
        private volatile @Nullable ScheduledFuture<?> scheduled;
        private long due;

        PoolTimeout(TimerTask task, PoolTimer timer) {
            this.task = task;
            this.timer = timer;
        }

        void start(long now, long delayNanos) {
            due = now + delayNanos;
            scheduled = POOL.schedule(this, delayNanos, TimeUnit.NANOSECONDS);
        }

        @Override
        public void run() {
            started = true;
            long now = System.nanoTime();
            timer.ran(now - due, now);
            try {
                task.run(this);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public Timer timer() {
            return timer;
        }

        @Override
        public TimerTask task() {
            return task;
        }

        @Override
        public boolean isExpired() {
            return started;
        }

        @Override
        public boolean isCancelled() {
            return cancelled;
        }

        @Override
        public boolean cancel() {
            ScheduledFuture<?> future = scheduled;
            cancelled = future != null && future.cancel(false);
            return cancelled;
        }
    }

    private static final class PoolScheduler implements Scheduler {
        @Override
        public ScheduledFuture<?> schedule(Runnable command, long delay, TimeUnit unit) {
            return POOL.schedule(command, delay, unit);
        }

        @Override
        public ScheduledFuture<?> scheduleAtFixedRate(
                Runnable command, long initialDelay, long period, TimeUnit unit) {
            return POOL.scheduleAtFixedRate(command, initialDelay, period, unit);
        }

        @Override
        public ScheduledFuture<?> scheduleWithFixedDelay(
                Runnable command, long initialDelay, long delay, TimeUnit unit) {
            return POOL.scheduleWithFixedDelay(command, initialDelay, delay, unit);
        }

        @Override
        public void shutdown() {}
    }
}
