package registry.server.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static registry.server.faults.Operation.ABSENT;
import static registry.server.faults.Operation.read;
import static registry.server.faults.Operation.swap;
import static registry.server.faults.Operation.write;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The judge is judged first. */
class LinearizabilityTest {
    private static void holds(Operation... history) {
        assertThat(Linearizability.check(List.of(history))).isEmpty();
    }

    private static void fails(Operation... history) {
        assertThat(Linearizability.check(List.of(history))).startsWith("no order explains");
    }

    @Test
    void aReadAfterAWriteFindsIt() {
        holds(write(1, 2, "a"), read(3, 4, "a"));
        fails(write(1, 2, "a"), read(3, 4, ABSENT));
        fails(write(1, 2, "a"), write(3, 4, "b"), read(5, 6, "a"));
    }

    @Test
    void callsAtTheSameTimeComeInEitherOrder() {
        holds(write(1, 5, "a"), read(2, 3, ABSENT), read(4, 6, "a"));
        holds(write(1, 5, "a"), read(2, 3, "a"));
        fails(write(1, 9, "a"), read(2, 3, "a"), read(4, 5, ABSENT));
    }

    @Test
    void aSwapSaysWhatItFound() {
        holds(write(1, 2, "a"), swap(3, 4, "a", "b", true), read(5, 6, "b"));
        holds(write(1, 2, "a"), swap(3, 4, "x", "b", false), read(5, 6, "a"));
        fails(write(1, 2, "a"), swap(3, 4, "a", "b", false));
        fails(write(1, 2, "a"), swap(3, 4, "a", "b", true), swap(5, 6, "a", "c", true));
    }

    @Test
    void aLongHistoryOfManyIsJudgedSoon() {
        Random random = new Random(7);
        List<Operation> history = new ArrayList<>();
        String value = ABSENT;
        for (int i = 0; i < 50_000; i++) {
            // Each takes effect at i * 10, and is under way for a while around that.
            long called = i * 10L - random.nextInt(60);
            long returned = i * 10L + random.nextInt(60);
            if (random.nextBoolean()) {
                history.add(read(called, returned, value));
            } else {
                value = "v" + i;
                history.add(write(called, returned, value));
            }
        }
        assertThat(Linearizability.check(history)).isEmpty();
    }

    @Test
    void aHistoryWithOneStaleReadIsFound() {
        List<Operation> history = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            history.add(write(i * 10L, i * 10L + 15, "v" + i));
        }
        history.add(read(8_000, 8_001, "v700"));
        assertThat(Linearizability.check(history)).startsWith("no order explains");
    }
}
