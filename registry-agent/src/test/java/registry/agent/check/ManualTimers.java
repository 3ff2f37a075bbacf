package registry.agent.check;

import java.time.Duration;
import java.time.Instant;
import java.util.PriorityQueue;

/** Clocks that stand still until a test moves them; what is due runs on the test's thread. */
public final class ManualTimers implements Timers {
    private record Pending(long at, long number, Runnable task) {}

    private final PriorityQueue<Pending> pending =
            new PriorityQueue<>((a, b) ->
                    a.at != b.at ? Long.compare(a.at, b.at) : Long.compare(a.number, b.number));
    private final Instant begin = Instant.parse("2026-03-01T10:00:00Z");
    private long nanos;
    private long number;

    @Override
    public synchronized long nanos() {
        return nanos;
    }

    @Override
    public synchronized Instant now() {
        return begin.plusNanos(nanos);
    }

    @Override
    public synchronized Timer after(Duration delay, Runnable task) {
        var one = new Pending(nanos + delay.toNanos(), number++, task);
        pending.add(one);
        return () -> {
            synchronized (this) {
                pending.remove(one);
            }
        };
    }

    /** Lets so much time pass, and everything happen that is due in it. */
    public void advance(Duration time) {
        long until = nanos() + time.toNanos();
        for (Pending due = next(until); due != null; due = next(until)) {
            due.task.run();
        }
        synchronized (this) {
            nanos = until;
        }
    }

    private synchronized Pending next(long until) {
        Pending first = pending.peek();
        if (first == null || first.at > until) {
            return null;
        }
        pending.remove();
        nanos = Math.max(nanos, first.at);
        return first;
    }

    /** Delay of the next thing that is going to happen. */
    public synchronized Duration untilNext() {
        Pending first = pending.peek();
        return first == null ? Duration.ofDays(1000) : Duration.ofNanos(first.at - nanos);
    }

    @Override
    public synchronized void close() {
        pending.clear();
    }
}
