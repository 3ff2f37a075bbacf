package registry.agent.cli;

import java.time.Duration;

/**
 * How often a lock that is held is asked about again when there is no answer.
 *
 * @param most in a row; then the lock counts as lost
 */
record Retries(long most) {
    private static final Duration PAUSE = Duration.ofSeconds(1);

    /** Looks from an index on. */
    interface Look {
        /** The index to go on from; negative when the lock is lost. */
        long from(long index) throws Failure, InterruptedException;
    }

    /** Looks again and again, and returns when the lock is lost or nobody answers. */
    void whileTrue(Look look) throws InterruptedException {
        long index = 0;
        long left = most;
        while (index >= 0) {
            try {
                index = look.from(index);
                left = most;
            } catch (Failure e) {
                if (left-- <= 0) {
                    return;
                }
                index = 0;
                Thread.sleep(PAUSE);
            }
        }
    }
}
