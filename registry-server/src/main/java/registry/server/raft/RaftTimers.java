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
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * All of Raft's timers on two threads. The engine's own would be four wheels that tick every
 * millisecond and a pool of six threads. Those of elections have {@link Patience}: a leader that
 * looks for its quorum later acknowledges nothing more for it, and answers no more reads. For the
 * same reason its look may be put off while the quorum is silent for a moment only: the engine
 * would depose it at once.
 */
@SPI(name = "registry", priority = 100)
public final class RaftTimers implements RaftTimerFactory {
    private static final ScheduledThreadPoolExecutor POOL = pool();
    private static final Timer TIMER = new PoolTimer(null, false, () -> true);

    private static final String BEFORE_NODE = "Timer-";

    /** By the name of the node. */
    private static final Map<String, Patience> PATIENCE = new ConcurrentHashMap<>();

    /** By the name of the node: whether a leader is to look for its quorum now. */
    private static final Map<String, BooleanSupplier> LOOKS = new ConcurrentHashMap<>();

    private static final Scheduler SCHEDULER = new PoolScheduler();

    private static ScheduledThreadPoolExecutor pool() {
        var pool =
                new ScheduledThreadPoolExecutor(
                        2, Thread.ofPlatform().daemon().name("raft-timer-", 0).factory());
        pool.setRemoveOnCancelPolicy(true);
        return pool;
    }

    /**
     * Puts off the looks of the node {@code name} for its quorum for as long as it says so; before
     * the node is made. It says so no more when its leader has ended.
     */
    static void lookForQuorum(String name, BooleanSupplier isTime) {
        LOOKS.put(name, isTime);
    }

    /** The node has ended. */
    static void forget(String name) {
        LOOKS.remove(name);
        PATIENCE.remove(name);
    }

    private static Timer patient(String name, boolean runsWhenElectionFails) {
        return new PoolTimer(patience(name), runsWhenElectionFails, () -> true);
    }

    private static Patience patience(String name) {
        return PATIENCE.computeIfAbsent(node(name), first -> new Patience());
    }

    /** The engine calls its timers {@code JRaft-VoteTimer-NODE} and the like. */
    private static String node(String name) {
        return name.substring(name.indexOf(BEFORE_NODE) + BEFORE_NODE.length());
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
        String node = node(name);
        return new PoolTimer(
                patience(name),
                false,
                () -> {
                    BooleanSupplier isTime = LOOKS.get(node);
                    return isTime == null || isTime.getAsBoolean();
                });
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
        private final BooleanSupplier isTime;

        /**
         * @param isTime false puts off what is due by another delay
         */
        PoolTimer(
                @Nullable Patience patience,
                boolean runsWhenElectionFails,
                BooleanSupplier isTime) {
            this.patience = patience;
            this.runsWhenElectionFails = runsWhenElectionFails;
            this.isTime = isTime;
        }

        @Override
        public Timeout newTimeout(TimerTask task, long delay, TimeUnit unit) {
            PoolTimeout timeout = new PoolTimeout(task, this, unit.toNanos(delay));
            timeout.start(System.nanoTime());
            return timeout;
        }

        int factor(long now) {
            return patience == null ? 1 : patience.factor(now);
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
        private final long delayNanos;
        private volatile boolean started;
        private volatile boolean cancelled;
        private volatile @Nullable ScheduledFuture<?> scheduled;
        private long due;

        PoolTimeout(TimerTask task, PoolTimer timer, long delayNanos) {
            this.task = task;
            this.timer = timer;
            this.delayNanos = delayNanos;
        }

        void start(long now) {
            long wait = delayNanos * timer.factor(now);
            due = now + wait;
            scheduled = POOL.schedule(this, wait, TimeUnit.NANOSECONDS);
        }

        @Override
        public void run() {
            long now = System.nanoTime();
            timer.ran(now - due, now);
            if (!timer.isTime.getAsBoolean()) {
                start(now);
                return;
            }
            started = true;
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
