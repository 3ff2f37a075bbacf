package registry.server.rpc;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import registry.api.ApiException;
import registry.server.once.RequestId;

/**
 * Brings calls and questions to a server that answers them, and to another when that one fails: a
 * write carries an id by which it is applied once, however often it is sent. Without a leader both
 * wait for one a while.
 */
public final class Router implements AutoCloseable {
    /** How long to wait for a leader. Source: Consul's {@code rpc_hold_timeout}. */
    public static final int HOLD_MILLIS = 7_000;

    private static final int PAUSE_MILLIS = 20;
    private static final long GRACE_MILLIS = 10_000;
    private static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** A write that may have been applied is followed at least so long. */
    private static final long MIN_AGAIN_NANOS = TimeUnit.SECONDS.toNanos(2);

    /** Where things can be brought. */
    public interface Targets {
        /**
         * The best server now; null while there is none to ask.
         *
         * @param stale any server will do
         * @param failed the one that has just failed: another is better
         */
        @Nullable Target pick(boolean stale, @Nullable Target failed);

        /** What to say when none was found for too long. */
        ApiException nobody();

        /** False when nobody is known at all: waiting would be in vain. */
        default boolean mayAppear() {
            return true;
        }

        /**
         * How long a server that is asked may itself wait for a leader: less than this side waits,
         * when there are others.
         */
        int patienceMillis();
    }

    private final Targets targets;
    private final Requests requests = new Requests();
    private final ScheduledThreadPoolExecutor timer;
    private final Set<Routed> routed = ConcurrentHashMap.newKeySet();
    private final AtomicInteger writing = new AtomicInteger();
    private volatile long begun = System.nanoTime();
    private volatile boolean closed;

    public Router(Targets targets) {
        this.targets = targets;
        this.timer =
                new ScheduledThreadPoolExecutor(
                        1, Thread.ofPlatform().name("rpc-retries").daemon().factory());
        timer.setRemoveOnCancelPolicy(true);
        timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }

    /**
     * See {@link Servers#call}.
     *
     * @param numbered false when the write can only be applied here
     */
    public <Q, A> A call(Method<Q, A> method, Q request, boolean numbered, int holdMillis) {
        RequestId id = numbered ? requests.begin() : null;
        try {
            return sendOn(method, request, id, holdMillis);
        } finally {
            requests.end(id);
        }
    }

    /**
     * Brings a write to its place, again and again when its id lets nobody apply it twice.
     *
     * @param id null for a write that may be sent again only if it certainly was not applied
     */
    <Q, A> A sendOn(Method<Q, A> method, Q request, @Nullable RequestId id, int holdMillis) {
        writing.incrementAndGet();
        try {
            return send(method, request, id, holdMillis);
        } finally {
            writing.decrementAndGet();
        }
    }

    private <Q, A> A send(Method<Q, A> method, Q request, @Nullable RequestId id, int holdMillis) {
        long hold = TimeUnit.MILLISECONDS.toNanos(holdMillis);
        long until = System.nanoTime() + hold;
        Target failed = null;
        ApiException unknown = null;
        while (true) {
            ApiException why;
            Target target = targets.pick(false, failed);
            if (target == null) {
                why = targets.nobody();
            } else {
                try {
                    return target.call(method, request, id, patience(until));
                } catch (ApiException e) {
                    why = e;
                }
                if (why.kind() == ApiException.Kind.UNKNOWN && id != null) {
                    if (unknown == null) {
                        // It was in good hands until now.
                        until = System.nanoTime() + Math.max(hold, MIN_AGAIN_NANOS);
                    }
                    unknown = why;
                } else if (why.kind() != ApiException.Kind.NO_LEADER
                        && (unknown == null || why.kind() != ApiException.Kind.OVERLOADED)) {
                    throw why;
                }
            }
            failed = target;
            if (closed
                    || System.nanoTime() - until >= 0
                    || Thread.currentThread().isInterrupted()) {
                throw unknown == null ? why : unknown;
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(PAUSE_MILLIS));
        }
    }

    private int patience(long until) {
        long left = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime());
        return Math.clamp(left, 0, targets.patienceMillis());
    }

    /** See {@link Servers#ask}. */
    public Servers.Held ask(Question question, Servers.Listener listener, int holdMillis) {
        begun = System.nanoTime();
        var asked = new Routed(question, listener, holdMillis);
        routed.add(asked);
        asked.next(null);
        return asked;
    }

    /** Asks elsewhere what this server was asked and has not answered: it seems to be frozen. */
    public void leave(Target target) {
        target.abandon();
        for (Routed asked : routed) {
            asked.leave(target);
        }
    }

    /** Questions that are not answered yet. */
    public int underWay() {
        return routed.size();
    }

    /** Whether no write is under way, and all questions have been held for a while. */
    public boolean isQuiet() {
        return writing.get() == 0 && System.nanoTime() - begun > QUIET_NANOS;
    }

    @Override
    public void close() {
        closed = true;
        timer.shutdownNow();
        for (Routed asked : routed) {
            asked.fail(targets.nobody());
        }
    }

    /** One question until its answer, at one server after the other. */
    private final class Routed implements Servers.Held {
        private final Question question;
        private final Servers.Listener listener;
        private final long holdNanos;
        private final long began = System.nanoTime();
        private final long waitNanos;

        // Guarded by this.
        private boolean done;
        private int attempt;
        private @Nullable Target target;
        private Servers.@Nullable Held held;
        private long attemptBegan = began;
        private long until;

        Routed(Question question, Servers.Listener listener, int holdMillis) {
            this.question = question;
            this.listener = listener;
            this.holdNanos = TimeUnit.MILLISECONDS.toNanos(holdMillis);
            this.until = began + holdNanos;
            this.waitNanos =
                    question.minIndex() == 0 || question.maxWait().isNegative()
                            ? 0
                            : question.maxWait().toNanos();
        }

        /** Asks the best server, which is not the one that has failed if there is another. */
        private void next(@Nullable Target failed) {
            Target picked = targets.pick(question.consistency() == Consistency.STALE, failed);
            int mine;
            synchronized (this) {
                if (done) {
                    return;
                }
                mine = ++attempt;
                target = picked;
                held = null;
                attemptBegan = System.nanoTime();
            }
            if (picked == null) {
                failed(mine, null, targets.nobody(), targets.mayAppear());
                return;
            }
            Servers.Held asked =
                    picked.ask(
                            remaining(),
                            new Target.Outcome() {
                                @Override
                                public void answered(Reply reply) {
                                    if (finish(mine)) {
                                        listener.answered(reply);
                                    }
                                }

                                @Override
                                public void failed(ApiException error, boolean elsewhere) {
                                    Routed.this.failed(mine, picked, error, elsewhere);
                                }
                            },
                            patience(until()));
            boolean late;
            synchronized (this) {
                late = done || attempt != mine;
                if (!late) {
                    held = asked;
                }
            }
            if (late) {
                asked.drop();
            }
        }

        private synchronized long until() {
            return until;
        }

        /** The question with what is left of its time. */
        private Question remaining() {
            if (waitNanos == 0 || attempt == 1) {
                return question;
            }
            long left = Math.max(0, waitNanos - (System.nanoTime() - began));
            return new Question(
                    question.method(),
                    question.name(),
                    question.params(),
                    question.consistency(),
                    question.minIndex(),
                    Duration.ofNanos(left));
        }

        private void failed(
                int number, @Nullable Target at, ApiException error, boolean elsewhere) {
            boolean again;
            long pause = PAUSE_MILLIS;
            synchronized (this) {
                if (done || attempt != number) {
                    return;
                }
                long now = System.nanoTime();
                if (now - attemptBegan > TimeUnit.SECONDS.toNanos(1)) {
                    // It was in good hands until now: the time without a leader begins here.
                    until = Math.max(until, now + holdNanos);
                    pause = 0;
                }
                again = elsewhere && !closed && now - until < 0 && now - limit() < 0;
                held = null;
            }
            if (!again) {
                fail(error);
                return;
            }
            try {
                timer.schedule(
                        () -> Thread.ofVirtual().name("rpc-again").start(() -> next(at)),
                        attempt == 1 ? 0 : pause,
                        TimeUnit.MILLISECONDS);
            } catch (RejectedExecutionException stopped) {
                fail(error);
            }
        }

        /** However often it moves, it ends some day. */
        private long limit() {
            return began
                    + waitNanos
                    + waitNanos / 16
                    + holdNanos
                    + TimeUnit.MILLISECONDS.toNanos(GRACE_MILLIS);
        }

        private void leave(Target frozen) {
            Servers.Held left;
            synchronized (this) {
                if (done || target != frozen || held == null) {
                    return;
                }
                left = held;
                held = null;
                attempt++;
            }
            left.drop();
            Thread.ofVirtual().name("rpc-again").start(() -> next(frozen));
        }

        private boolean finish(int number) {
            synchronized (this) {
                if (done || attempt != number) {
                    return false;
                }
                done = true;
            }
            routed.remove(this);
            return true;
        }

        private void fail(ApiException error) {
            synchronized (this) {
                if (done) {
                    return;
                }
                done = true;
            }
            routed.remove(this);
            listener.failed(error);
        }

        @Override
        public void drop() {
            Servers.Held dropped;
            synchronized (this) {
                if (done) {
                    return;
                }
                done = true;
                dropped = held;
            }
            routed.remove(this);
            if (dropped != null) {
                dropped.drop();
            }
        }
    }
}
