package registry.agent.http;

import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import registry.server.rpc.Servers;

/**
 * Holds requests until something local has changed, by looking a few times a second: they are few,
 * and a definition changes seldom. One thread for all of them.
 */
final class HashWaiters implements AutoCloseable {
    private static final long LOOK_MILLIS = 100;

    private final ScheduledThreadPoolExecutor timer;

    HashWaiters() {
        timer =
                new ScheduledThreadPoolExecutor(
                        1, Thread.ofPlatform().name("http-hash").daemon().factory());
        timer.setRemoveOnCancelPolicy(true);
        timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }

    /**
     * Calls {@code then} once, when {@code changed} says so or {@code wait} has passed.
     *
     * @param changed asked often; must be cheap and must not throw
     */
    Servers.Held await(BooleanSupplier changed, Duration wait, Runnable then) {
        var waiter = new Waiter(changed, System.nanoTime() + wait.toNanos(), then);
        waiter.looking =
                timer.scheduleWithFixedDelay(
                        waiter, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
        return waiter;
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }

    private static final class Waiter implements Runnable, Servers.Held {
        private final BooleanSupplier changed;
        private final long deadlineNanos;
        private final Runnable then;
        private volatile @Nullable Future<?> looking;
        private boolean over; // touched by the timer's thread alone

        Waiter(BooleanSupplier changed, long deadlineNanos, Runnable then) {
            this.changed = changed;
            this.deadlineNanos = deadlineNanos;
            this.then = then;
        }

        @Override
        public void run() {
            if (!over && (changed.getAsBoolean() || System.nanoTime() - deadlineNanos >= 0)) {
                over = true;
                drop();
                then.run();
            }
        }

        @Override
        public void drop() {
            Future<?> future = looking;
            if (future != null) {
                future.cancel(false);
            }
        }
    }
}
