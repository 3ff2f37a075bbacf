package registry.server.raft;

import com.alipay.sofa.jraft.core.Scheduler;
import com.alipay.sofa.jraft.util.SPI;
import com.alipay.sofa.jraft.util.timer.RaftTimerFactory;
import com.alipay.sofa.jraft.util.timer.Timeout;
import com.alipay.sofa.jraft.util.timer.Timer;
import com.alipay.sofa.jraft.util.timer.TimerTask;
import java.util.Set;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * All of Raft's timers on two threads. The engine's own would be four wheels that tick every
 * millisecond and a pool of six threads.
 */
@SPI(name = "registry", priority = 100)
public final class RaftTimers implements RaftTimerFactory {
    private static final ScheduledThreadPoolExecutor POOL = pool();
    private static final Timer TIMER = new PoolTimer();
    private static final Scheduler SCHEDULER = new PoolScheduler();

    private static ScheduledThreadPoolExecutor pool() {
        var pool =
                new ScheduledThreadPoolExecutor(
                        2, Thread.ofPlatform().daemon().name("raft-timer-", 0).factory());
        pool.setRemoveOnCancelPolicy(true);
        return pool;
    }

    @Override
    public Timer getElectionTimer(boolean shared, String name) {
        return TIMER;
    }

    @Override
    public Timer getVoteTimer(boolean shared, String name) {
        return TIMER;
    }

    @Override
    public Timer getStepDownTimer(boolean shared, String name) {
        return TIMER;
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
        @Override
        public Timeout newTimeout(TimerTask task, long delay, TimeUnit unit) {
            PoolTimeout timeout = new PoolTimeout(task);
            timeout.start(delay, unit);
            return timeout;
        }

        /** The pool outlives every node of the process. */
        @Override
        public Set<Timeout> stop() {
            return Set.of();
        }
    }

    private static final class PoolTimeout implements Timeout, Runnable {
        private final TimerTask task;
        private volatile boolean started;
        private volatile boolean cancelled;
        private volatile @Nullable ScheduledFuture<?> scheduled;

        PoolTimeout(TimerTask task) {
            this.task = task;
        }

        void start(long delay, TimeUnit unit) {
            scheduled = POOL.schedule(this, delay, unit);
        }

        @Override
        public void run() {
            started = true;
            try {
                task.run(this);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public Timer timer() {
            return TIMER;
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
