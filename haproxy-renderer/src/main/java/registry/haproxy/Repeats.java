package registry.haproxy;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.slf4j.Logger;

/**
 * Lines for the log, of which an instance that flaps must not make thousands: the same one is told
 * three times in ten seconds, then only counted. Not for several threads.
 */
final class Repeats {
    private static final int MOST = 3;
    private static final long WINDOW_NANOS = Duration.ofSeconds(10).toNanos();

    private final Logger log;
    private final LongSupplier nanoTime;
    private final Map<String, Window> windows = new HashMap<>();

    private static final class Window {
        private final long since;
        private int count;

        Window(long since) {
            this.since = since;
        }
    }

    Repeats(Logger log, LongSupplier nanoTime) {
        this.log = log;
        this.nanoTime = nanoTime;
    }

    void tell(String line) {
        Window window = windows.computeIfAbsent(line, l -> new Window(nanoTime.getAsLong()));
        if (++window.count <= MOST) {
            log.info("{}", line);
        }
    }

    /** Tells how often lines were left out whose ten seconds are over. */
    void settle() {
        long now = nanoTime.getAsLong();
        windows.entrySet()
                .removeIf(entry -> {
                    Window window = entry.getValue();
                    if (now - window.since < WINDOW_NANOS) {
                        return false;
                    }
                    if (window.count > MOST) {
                        log.info("{} ({} more times)", entry.getKey(), window.count - MOST);
                    }
                    return true;
                });
    }
}
