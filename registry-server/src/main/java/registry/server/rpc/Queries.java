package registry.server.rpc;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.api.ApiException;
import registry.server.raft.Consensus;
import registry.server.state.State;
import registry.server.state.StateStore;
import registry.server.state.Watches;

/**
 * Reads: consistency, blocking until the answer has changed, and the cache of hot answers, for all
 * features alike.
 *
 * <p>A held question is a small object: no thread waits. It is registered with {@link Watches}
 * first and reads the state afterwards, so no change is missed. A commit hands its waiters to a few
 * threads here, which read again and answer; one thread keeps the deadlines.
 */
public final class Queries implements AutoCloseable {
    private static final AtomicIntegerFieldUpdater<Parked> DONE =
            AtomicIntegerFieldUpdater.newUpdater(Parked.class, "done");

    private static final Logger log = LoggerFactory.getLogger(Queries.class);
    private static final int CACHED_ANSWERS = 1024;
    private static final long CACHED_BYTES = 16L << 20;

    /** Waiters that one task wakes; small enough that all threads take part. */
    private static final int BATCH = 64;

    private static final Servers.Held NOT_HELD = () -> {};

    private final StateStore store;
    private final Consensus consensus;
    private final Function<Question, Query> features;
    private final ExecutorService wakers;
    private final ScheduledThreadPoolExecutor deadlines;
    private final AnswerCache cache;
    private volatile boolean closed;

    /**
     * @param wakers what {@link #wakers()} made; the store's watches hand their waiters to {@link
     *     #wake} through it
     * @param cache what {@link #cache()} made
     * @param features understands a question, or refuses it with an {@link ApiException}
     */
    public Queries(
            StateStore store,
            Consensus consensus,
            Function<Question, Query> features,
            ExecutorService wakers,
            AnswerCache cache) {
        this.cache = cache;
        this.store = store;
        this.consensus = consensus;
        this.features = features;
        this.wakers = wakers;
        this.deadlines =
                new ScheduledThreadPoolExecutor(
                        1, Thread.ofPlatform().name("query-deadlines").daemon().factory());
        deadlines.setRemoveOnCancelPolicy(true);
    }

    /** The threads that wake waiters. */
    public static ExecutorService wakers() {
        return Executors.newFixedThreadPool(
                Math.max(2, Runtime.getRuntime().availableProcessors()),
                Thread.ofPlatform().name("query-wake-", 0).daemon().factory());
    }

    /** Where answers are kept; to be cleared when the state is replaced by another history's. */
    public static AnswerCache cache() {
        return new AnswerCache(CACHED_ANSWERS, CACHED_BYTES);
    }

    /** Called by the thread that applies commands: hands the waiters over and returns. */
    public static void wake(ExecutorService wakers, Set<Watches.Waiter> waiters) {
        wakers.execute(() -> wakeInBatches(wakers, waiters));
    }

    private static void wakeInBatches(ExecutorService wakers, Set<Watches.Waiter> waiters) {
        List<Watches.Waiter> all = new ArrayList<>(waiters);
        for (int from = BATCH; from < all.size(); from += BATCH) {
            List<Watches.Waiter> batch = all.subList(from, Math.min(all.size(), from + BATCH));
            wakers.execute(() -> wakeAll(batch));
        }
        wakeAll(all.subList(0, Math.min(all.size(), BATCH)));
    }

    private static void wakeAll(List<Watches.Waiter> waiters) {
        for (Watches.Waiter waiter : waiters) {
            try {
                ((Parked) waiter).woken();
            } catch (RuntimeException e) {
                log.error("a waiter failed when it was woken", e);
            }
        }
    }

    /** See {@link Servers#ask}. */
    public Servers.Held ask(Question question, Servers.Listener listener) {
        Query query;
        try {
            query = features.apply(question);
        } catch (ApiException e) {
            listener.failed(e);
            return NOT_HELD;
        }
        var parked = new Parked(question, query, listener);
        if (question.consistency() == Consistency.CONSISTENT) {
            consensus
                    .readIndex()
                    .whenCompleteAsync((done, error) -> parked.verified(error), wakers);
            return parked;
        }
        parked.begin();
        return parked;
    }

    /**
     * This server may no longer answer from its own state: whoever does not ask for stale data must
     * ask another.
     */
    public void leadershipLost() {
        store.watches().wakeAll();
    }

    @Override
    public void close() {
        closed = true;
        store.watches().wakeAll();
        deadlines.shutdownNow();
        wakers.shutdown();
    }

    /**
     * Why this server may not answer now, or null. Never an empty answer while the state is
     * unknown.
     */
    private @Nullable ApiException refusal(Question question) {
        if (closed) {
            return ApiException.noLeader();
        }
        // A server that has joined and caught up with nothing knows a leader, and no state.
        boolean known =
                question.consistency() == Consistency.STALE && store.current().index() > 0
                        || consensus.isReadyLeader();
        return known ? null : ApiException.noLeader();
    }

    private Reply reply(Question question, Query query, State state) {
        long index = query.index(state);
        Query.Answer answer = query.cached() ? cache.get(question, index) : null;
        if (answer == null) {
            answer = query.answer(state);
            if (query.cached()) {
                cache.put(question, index, answer);
            }
        }
        return new Reply(
                answer.found(),
                Math.max(1, index),
                !consensus.leaderId().isEmpty(),
                question.consistency() == Consistency.STALE ? consensus.lastContactMillis() : 0,
                answer.body());
    }

    /**
     * One question until its answer: any number of threads may try to give it, one does. There are
     * many of them, so what belongs to one is in this object.
     */
    private final class Parked implements Watches.Waiter, Servers.Held, Callable<Boolean> {
        private final Question question;
        private final Query query;
        private final Servers.Listener listener;
        private volatile int done;
        private volatile @Nullable ScheduledFuture<?> deadline;

        Parked(Question question, Query query, Servers.Listener listener) {
            this.question = question;
            this.query = query;
            this.listener = listener;
        }

        void verified(@Nullable Throwable error) {
            if (error == null) {
                begin();
                return;
            }
            Throwable cause = error.getCause() == null ? error : error.getCause();
            fail(
                    error instanceof ApiException own
                            ? own
                            : cause instanceof ApiException wrapped
                                    ? wrapped
                                    : new ApiException(
                                            ApiException.Kind.INTERNAL, cause.toString(), cause));
        }

        void begin() {
            if (question.minIndex() == 0 || moved()) {
                answer();
                return;
            }
            store.watches().register(query.watches(), this);
            deadline = deadlines.schedule(this, holdNanos(), TimeUnit.NANOSECONDS);
            if (done != 0) {
                cancelDeadline();
                store.watches().deregister(query.watches(), this);
            } else if (moved()) {
                answer();
            }
        }

        /** The deadline has come. */
        @Override
        public Boolean call() {
            wakers.execute(this::answer);
            return true;
        }

        private long holdNanos() {
            Duration hold = question.maxWait();
            return hold.isNegative() ? 0 : hold.toNanos();
        }

        /** No longer registered under the prefix that woke it. */
        void woken() {
            if (done != 0) {
                return;
            }
            if (moved()) {
                answer();
                return;
            }
            store.watches().register(query.watches(), this);
            if (done != 0) {
                store.watches().deregister(query.watches(), this);
            } else if (moved()) {
                answer();
            }
        }

        /** True when there is something to say: a newer answer, or that there will be none. */
        private boolean moved() {
            return refusal(question) != null
                    || Long.compareUnsigned(query.index(store.current()), question.minIndex()) > 0;
        }

        /** Answers with what is known now, if nobody has. */
        private void answer() {
            if (!finish()) {
                return;
            }
            Reply reply;
            try {
                ApiException refusal = refusal(question);
                if (refusal != null) {
                    throw refusal;
                }
                reply = reply(question, query, store.current());
            } catch (ApiException e) {
                listener.failed(e);
                return;
            } catch (RuntimeException e) {
                log.error(
                        "answering failed: method={} name={}",
                        question.method(),
                        question.name(),
                        e);
                listener.failed(new ApiException(ApiException.Kind.INTERNAL, e.toString(), e));
                return;
            }
            listener.answered(reply);
        }

        private void fail(ApiException error) {
            if (finish()) {
                listener.failed(error);
            }
        }

        @Override
        public void drop() {
            finish();
        }

        private boolean finish() {
            if (!DONE.compareAndSet(this, 0, 1)) {
                return false;
            }
            if (deadline != null) {
                cancelDeadline();
            }
            if (question.minIndex() != 0) {
                store.watches().deregister(query.watches(), this);
            }
            return true;
        }

        private void cancelDeadline() {
            ScheduledFuture<?> set = deadline;
            if (set != null) {
                set.cancel(false);
            }
        }
    }
}
