package registry.agent.cli;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Until when to wait for others. */
final class Deadline {
    /** Nearer than a question may be held. */
    private static final Duration NEAR = Duration.ofSeconds(20);

    private final long begin = System.nanoTime();
    private final @Nullable Duration patience;

    /**
     * @param patience null for ever
     */
    Deadline(@Nullable Duration patience) {
        this.patience = patience;
    }

    private Duration left() {
        return patience == null
                ? Duration.ofDays(1)
                : patience.minusNanos(System.nanoTime() - begin);
    }

    boolean isOver() {
        return !left().isPositive();
    }

    /** Whether a question may be held to its end. */
    boolean isFar() {
        return left().compareTo(NEAR) > 0;
    }

    /** Waits, but not beyond the end; false when it has come. */
    boolean sleep(Duration pause) throws InterruptedException {
        Duration left = left();
        if (!left.isPositive()) {
            return false;
        }
        Thread.sleep(left.compareTo(pause) < 0 ? left : pause);
        return true;
    }
}
