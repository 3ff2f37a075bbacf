package registry.haproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FrozenTest {
    private static final int L4_TIMEOUT = 7;
    private static final int L7_TIMEOUT = 12;
    private static final int L7_STATUS = 17;

    private final Frozen frozen = new Frozen();

    private static Map<String, List<Slot>> slot(int admin, int operational, int checkStatus) {
        var endpoint = new Endpoint(InetAddress.ofLiteral("10.0.0.1"), 80);
        return Map.of(
                "web",
                List.of(new Slot(3, "srv1", endpoint, admin, operational, 1, 0, checkStatus)));
    }

    private List<String> cuts(Map<String, List<Slot>> actual, long millis) {
        return frozen
                .cuts(actual, Duration.ofMillis(600), Duration.ofMillis(millis).toNanos())
                .stream()
                .flatMap(change -> change.commands().stream())
                .map(Change.Command::text)
                .toList();
    }

    @Test
    void itIsCutOnceAndNotAtOnce() {
        assertThat(cuts(slot(0, 0, L7_TIMEOUT), 0)).isEmpty();
        assertThat(frozen.isWaiting()).isTrue();
        assertThat(cuts(slot(0, 0, L7_TIMEOUT), 599)).isEmpty();
        assertThat(cuts(slot(0, 0, L7_TIMEOUT), 600))
                .containsExactly("shutdown sessions server web/srv1");
        assertThat(frozen.isWaiting()).isFalse();
        assertThat(cuts(slot(0, 0, L7_TIMEOUT), 5000)).isEmpty();
        assertThat(cuts(slot(0, 2, 15), 6000)).isEmpty();
        assertThat(cuts(slot(0, 0, L4_TIMEOUT), 7000)).isEmpty();
        assertThat(cuts(slot(0, 0, L4_TIMEOUT), 7600)).hasSize(1);
    }

    /** One that answers its check with an error may be finishing what it has. */
    @ParameterizedTest
    @CsvSource({"0,0," + L7_STATUS, "0,0,8", "0,2," + L7_TIMEOUT, "0,0,0"})
    void othersAreLeftInPeace(int admin, int operational, int checkStatus) {
        assertThat(cuts(slot(admin, operational, checkStatus), 0)).isEmpty();
        assertThat(frozen.isWaiting()).isFalse();
    }

    @Test
    void oneThatTheRegistryTookOutFirstIsCutToo() {
        assertThat(cuts(slot(1, 0, L7_TIMEOUT), 0)).isEmpty();
        assertThat(cuts(slot(1, 0, L7_TIMEOUT), 600)).hasSize(1);
    }
}
