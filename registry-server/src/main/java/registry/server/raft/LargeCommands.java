package registry.server.raft;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Lets only so many bytes of large commands into the log at a time. Heartbeats share the links with
 * entries: behind all that may wait in the queue a leader would look dead to itself and to others.
 * Small commands pass at once.
 */
final class LargeCommands {
    private static final int LARGE_BYTES = 256 << 10;
    private static final int MOST_BYTES = 4 << 20;

    private record Waiting(int bytes, Runnable go) {}

    private final Deque<Waiting> waiting = new ArrayDeque<>();
    private long inside;

    /**
     * Runs {@code go} now or when others have {@link #left}.
     *
     * @param bytes the same that will be told when it has left, which it does once
     */
    void enter(int bytes, Runnable go) {
        if (bytes >= LARGE_BYTES) {
            synchronized (this) {
                boolean isFull = inside > 0 && inside + bytes > MOST_BYTES;
                if (isFull || !waiting.isEmpty()) {
                    waiting.addLast(new Waiting(bytes, go));
                    return;
                }
                inside += bytes;
            }
        }
        go.run();
    }

    /** A command that went in is done with, however it ended. */
    void left(int bytes) {
        if (bytes < LARGE_BYTES) {
            return;
        }
        synchronized (this) {
            inside -= bytes;
        }
        for (Runnable next = next(); next != null; next = next()) {
            next.run();
        }
    }

    private synchronized @Nullable Runnable next() {
        Waiting first = waiting.peekFirst();
        if (first == null || inside > 0 && inside + first.bytes > MOST_BYTES) {
            return null;
        }
        waiting.removeFirst();
        inside += first.bytes;
        return first.go;
    }
}
