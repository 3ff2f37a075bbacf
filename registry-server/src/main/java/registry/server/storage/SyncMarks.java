package registry.server.storage;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Which of the writes to one write-ahead log are known to be on disk: a synced write carries all
 * earlier ones with it, so that whoever can wait for somebody else's need not pay for one of his
 * own. Safe for any thread.
 */
final class SyncMarks {
    private final AtomicLong written = new AtomicLong();
    private final AtomicLong synced = new AtomicLong();
    private final ReentrantLock syncing = new ReentrantLock();

    /** Called after each write that was not synced. */
    void wrote() {
        written.incrementAndGet();
    }

    /** Called before a synced write or a sync; what it answers is for {@link #synced}. */
    long written() {
        return written.get();
    }

    /** Called after a synced write: all that {@link #written} counted before it is on disk. */
    void synced(long upTo) {
        synced.accumulateAndGet(upTo, Math::max);
    }

    /**
     * Returns when all writes up to the mark are on disk; callers that wait for one another share
     * one {@code sync}.
     */
    void syncTo(long mark, Runnable sync) {
        if (synced.get() >= mark) {
            return;
        }
        syncing.lock();
        try {
            if (synced.get() >= mark) {
                return;
            }
            long upTo = written.get();
            sync.run();
            synced(upTo);
        } finally {
            syncing.unlock();
        }
    }
}
