package registry.agent.http;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/** All live answers of an agent: their heartbeats, their second tries, and their end with it. */
final class LiveAnswers implements AutoCloseable {
    /** Between two heartbeats of one answer. */
    static final Duration HEARTBEAT = Duration.ofSeconds(15);

    /** The answers are spread over so many moments of that time. */
    private static final int SLOTS = 60;

    private final Executor executor;
    private final ScheduledThreadPoolExecutor timer;
    private final List<Set<LiveAnswer>> slots =
            IntStream.range(0, SLOTS)
                    .<Set<LiveAnswer>>mapToObj(slot -> ConcurrentHashMap.newKeySet())
                    .toList();
    private final EventFeed.Frames frames = new EventFeed.Frames();
    private final AtomicInteger ticks = new AtomicInteger();
    private final AtomicBoolean ticking = new AtomicBoolean();
    private final long nanosEach;
    private volatile boolean closed;

    /**
     * @param executor takes over from threads that have more to do than one answer's many pieces
     */
    LiveAnswers(Executor executor, Duration heartbeat) {
        this.executor = executor;
        timer =
                new ScheduledThreadPoolExecutor(
                        1, Thread.ofPlatform().name("http-live").daemon().factory());
        timer.setRemoveOnCancelPolicy(true);
        timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        nanosEach = heartbeat.toNanos() / SLOTS;
    }

    /** Goes on for as long as there is anybody to beat for. */
    private void tick() {
        slots.get(Math.floorMod(ticks.getAndIncrement(), SLOTS)).forEach(LiveAnswer::beat);
        ticking.set(false);
        if (size() > 0) {
            keepTicking();
        }
    }

    private void keepTicking() {
        if (ticking.compareAndSet(false, true)) {
            later(this::tick, Duration.ofNanos(nanosEach));
        }
    }

    void add(LiveAnswer answer) {
        slotOf(answer).add(answer);
        keepTicking();
        if (closed) {
            answer.end();
        }
    }

    void remove(LiveAnswer answer) {
        slotOf(answer).remove(answer);
    }

    private Set<LiveAnswer> slotOf(LiveAnswer answer) {
        return slots.get(Math.floorMod(System.identityHashCode(answer), SLOTS));
    }

    EventFeed.Frames frames() {
        return frames;
    }

    int size() {
        return slots.stream().mapToInt(Set::size).sum();
    }

    void execute(Runnable task) {
        try {
            executor.execute(task);
        } catch (RejectedExecutionException e) {
            // The agent has stopped, and all connections with it.
        }
    }

    /** Runs a task later; nothing of it may block. */
    void later(Runnable task, Duration delay) {
        try {
            timer.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            // The agent stops: there will be no later.
        }
    }

    /** Ends all of them as if they were complete. */
    @Override
    public void close() {
        closed = true;
        timer.shutdownNow();
        slots.forEach(slot -> slot.forEach(LiveAnswer::end));
    }
}
