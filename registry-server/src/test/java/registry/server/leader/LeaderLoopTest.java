package registry.server.leader;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.awaitility.Awaitility.await;

import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class LeaderLoopTest {
    /** Seen on a busy machine: a server was deposed before this loop had first run. */
    @Test
    void aTermTooShortToBeSeenIsLostAllTheSame() {
        var signals = new Semaphore(0);
        var lost = new AtomicInteger();
        try (var loop = new LeaderLoop(() -> 0, signals, List.of(), lost::incrementAndGet)) {
            loop.start();
            await().atMost(10, SECONDS).until(() -> lost.get() > 0);
            int before = lost.get();
            signals.release();
            await().atMost(10, SECONDS).until(() -> lost.get() > before);
        }
    }
}
