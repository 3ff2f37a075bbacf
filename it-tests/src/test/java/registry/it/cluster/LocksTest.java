package registry.it.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import registry.it.cluster.Locks.Hold;

final class LocksTest {
    @Test
    void oneAfterTheOtherIsRight() {
        assertThat(Locks.violations(List.of(hold(0, 10, 5, false), hold(11, 20, 6, false))))
                .isEmpty();
        assertThat(Locks.violations(List.of(hold(0, 10, 5, true), hold(1_010, 1_020, 9, false))))
                .isEmpty();
    }

    @Test
    void twoAtOnceAreFound() {
        assertThat(Locks.violations(List.of(hold(0, 10, 5, false), hold(9, 20, 6, false))))
                .singleElement()
                .asString()
                .contains("at once");
    }

    @Test
    void aTokenThatDoesNotGrowIsFound() {
        assertThat(Locks.violations(List.of(hold(0, 10, 5, false), hold(11, 20, 5, false))))
                .singleElement()
                .asString()
                .contains("did not grow");
    }

    @Test
    void aLockDelayThatIsCutShortIsFound() {
        assertThat(Locks.violations(List.of(hold(0, 10, 5, true), hold(900, 910, 6, false))))
                .singleElement()
                .asString()
                .contains("cut short");
    }

    private static Hold hold(long fromMillis, long untilMillis, long token, boolean destroyed) {
        return new Hold(
                "s" + fromMillis,
                fromMillis * 1_000_000,
                fromMillis * 1_000_000,
                untilMillis * 1_000_000,
                token,
                destroyed);
    }
}
