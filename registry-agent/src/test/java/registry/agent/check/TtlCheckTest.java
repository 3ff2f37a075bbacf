package registry.agent.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class TtlCheckTest {
    private final ManualTimers timers = new ManualTimers();
    private final AtomicInteger expired = new AtomicInteger();
    private final TtlCheck check =
            new TtlCheck(Duration.ofSeconds(10), timers, expired::incrementAndGet);

    @Test
    void expiresOnceAfterSilence() {
        check.heard();
        timers.advance(Duration.ofMillis(9_999));
        assertThat(expired).hasValue(0);

        timers.advance(Duration.ofMillis(1));
        assertThat(expired).hasValue(1);
        assertThat(check.isExpired()).isTrue();

        timers.advance(Duration.ofMinutes(5));
        assertThat(expired).hasValue(1);
    }

    @Test
    void signOfLifeStartsTheTimeAnew() {
        check.heard();
        for (int i = 0; i < 20; i++) {
            timers.advance(Duration.ofSeconds(9));
            check.heard();
        }
        assertThat(expired).hasValue(0);

        timers.advance(Duration.ofSeconds(10));
        assertThat(expired).hasValue(1);
    }

    @Test
    void isAliveAgainAfterItExpired() {
        check.heard();
        timers.advance(Duration.ofSeconds(30));
        check.heard();
        assertThat(check.isExpired()).isFalse();

        timers.advance(Duration.ofSeconds(10));
        assertThat(expired).hasValue(2);
    }

    @Test
    void stoppedCheckIsSilent() {
        check.heard();
        check.stop();
        check.heard();
        timers.advance(Duration.ofMinutes(1));

        assertThat(expired).hasValue(0);
    }
}
