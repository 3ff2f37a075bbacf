package registry.agent.check;

import java.time.Duration;
import java.time.Instant;

/** Time as checks and anti-entropy see it: the system's, or a hand-driven one in tests. */
public interface Timers extends AutoCloseable {
    /** Something that is going to happen. */
    interface Timer {
        /** It won't happen, unless it is happening already. */
        void cancel();
    }

    /** Nanoseconds that only grow, for measuring; see {@link System#nanoTime}. */
    long nanos();

    /** The wall clock: for people, and for what has to outlive this process. */
    Instant now();

    /** Runs the task once, after the delay, on the one timer thread: it must not block. */
    Timer after(Duration delay, Runnable task);

    /** Nothing that is pending happens any more. */
    @Override
    void close();
}
