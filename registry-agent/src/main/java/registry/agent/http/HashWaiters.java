package registry.agent.http;

import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import registry.server.rpc.Servers;

/**
 * Holds requests until something local has changed. No thread waits; one keeps the time for all of
 * them.
 */
final class HashWaiters implements AutoCloseable {
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
     * @param watch calls what it is given at each change that may matter, and returns what ends
     *     that
     * @param then must not block
     */
    Servers.Held await(
            UnaryOperator<Runnable> watch, BooleanSupplier changed, Duration wait, Runnable then) {
        var waiter = new Waiter(changed, then);
        waiter.begin(
                watch.apply(waiter::look),
                timer.schedule(waiter::end, wait.toNanos(), TimeUnit.NANOSECONDS));
        // A change between the first look and the watch would be missed.
        waiter.look();
        return waiter;
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }

    private static final class Waiter implements Servers.Held {
        private final BooleanSupplier changed;
        private final Runnable then;
        private @Nullable Runnable unwatch; // guarded by this
        private @Nullable Future<?> timeout; // guarded by this
        private boolean over; // guarded by this

        Waiter(BooleanSupplier changed, Runnable then) {
            this.changed = changed;
            this.then = then;
        }

        synchronized void begin(Runnable watch, Future<?> deadline) {
            unwatch = watch;
            timeout = deadline;
            if (over) {
                release();
            }
        }

        void look() {
            if (changed.getAsBoolean()) {
                end();
            }
        }

        void end() {
            if (finish()) {
                then.run();
            }
        }

        @Override
        public void drop() {
            finish();
        }

        private synchronized boolean finish() {
            if (over) {
                return false;
            }
            over = true;
            release();
            return true;
        }

        private synchronized void release() {
            if (unwatch != null) {
                unwatch.run();
            }
            if (timeout != null) {
                timeout.cancel(false);
            }
        }
    }
}
