package registry.it.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import registry.it.cluster.Operation.Action.Read;
import registry.it.cluster.Operation.Action.Swap;
import registry.it.cluster.Operation.Action.Write;
import registry.it.cluster.Operation.Outcome;

final class LinearizabilityTest {
    private static final long NEVER = Long.MAX_VALUE;

    @Test
    void oneAfterTheOtherHolds() {
        assertThat(holds(at(1, 2, read("")), at(3, 4, write("a")), at(5, 6, read("a")))).isTrue();
    }

    @Test
    void aReadOfAnOldValueAfterTheWriteReturnedIsFound() {
        assertThat(holds(at(1, 2, write("a")), at(3, 4, write("b")), at(5, 6, read("a"))))
                .isFalse();
    }

    @Test
    void aReadDuringAWriteMayFindEither() {
        assertThat(holds(at(1, 2, write("a")), at(3, 9, write("b")), at(4, 5, read("a")))).isTrue();
        assertThat(holds(at(1, 2, write("a")), at(3, 9, write("b")), at(4, 5, read("b")))).isTrue();
    }

    @Test
    void theNewValueIsNotForgottenAgain() {
        assertThat(
                        holds(
                                at(1, 2, write("a")),
                                at(3, 9, write("b")),
                                at(4, 5, read("b")),
                                at(6, 7, read("a"))))
                .isFalse();
    }

    @Test
    void aWriteWithoutAnAnswerMayHappenLateOrNever() {
        assertThat(
                        holds(
                                at(1, NEVER, write("a")),
                                at(2, 3, write("b")),
                                at(4, 5, read("b")),
                                at(6, 7, read("a"))))
                .isTrue();
        assertThat(holds(at(1, NEVER, write("a")), at(2, 3, write("b")), at(4, 5, read("b"))))
                .isTrue();
    }

    @Test
    void aLostAcknowledgedWriteIsFound() {
        assertThat(holds(at(1, 2, write("a")), at(3, 4, read("")))).isFalse();
    }

    @Test
    void onlyOneOfTwoSwapsOfTheSameValueMayBeDone() {
        assertThat(
                        holds(
                                at(1, 2, write("a")),
                                at(3, 6, swap("a", "b", Outcome.DONE)),
                                at(4, 7, swap("a", "c", Outcome.REFUSED)),
                                at(8, 9, read("b"))))
                .isTrue();
        assertThat(
                        holds(
                                at(1, 2, write("a")),
                                at(3, 6, swap("a", "b", Outcome.DONE)),
                                at(4, 7, swap("a", "c", Outcome.DONE))))
                .isFalse();
    }

    @Test
    void aSwapRefusedWithoutCauseIsFound() {
        assertThat(holds(at(1, 2, write("a")), at(3, 4, swap("a", "b", Outcome.REFUSED))))
                .isFalse();
        assertThat(
                        holds(
                                at(1, 2, write("a")),
                                at(3, NEVER, swap("a", "b", Outcome.UNKNOWN)),
                                at(4, 5, swap("a", "c", Outcome.REFUSED)),
                                at(6, 7, read("b"))))
                .isTrue();
    }

    /** Five callers on a real register hold; one read made stale does not. */
    @Test
    void longHistoriesAreDecided() {
        long seed = System.nanoTime();
        List<Operation> history = randomHistory(new Random(seed), 300);
        assertThat(Linearizability.holds(history)).as("seed %d", seed).isTrue();
        history.add(at(1_000_000, 1_000_001, read("")));
        assertThat(Linearizability.holds(history)).as("seed %d", seed).isFalse();
    }

    /** What the search leaves out must not change what it says. */
    @Test
    void agreesWithTryingEveryOrder() {
        long seed = System.nanoTime();
        var random = new Random(seed);
        int holding = 0;
        for (int round = 0; round < 20_000; round++) {
            List<Operation> history = shortHistory(random);
            boolean expected = everyOrder(history, "");
            holding += expected ? 1 : 0;
            assertThat(Linearizability.holds(history))
                    .as("seed %d: %s", seed, history)
                    .isEqualTo(expected);
        }
        assertThat(holding).isBetween(2_000, 18_000);
    }

    /** Few values and wild answers, so that both kinds come up. */
    private static List<Operation> shortHistory(Random random) {
        var history = new ArrayList<Operation>();
        int count = 2 + random.nextInt(5);
        for (int i = 0; i < count; i++) {
            long called = random.nextInt(20);
            long returned = called + 1 + random.nextInt(12);
            String some = random.nextInt(3) == 0 ? "" : "v" + random.nextInt(count);
            switch (random.nextInt(4)) {
                case 0 ->
                        history.add(
                                at(
                                        called,
                                        random.nextBoolean() ? returned : NEVER,
                                        write("v" + i)));
                case 1 -> {
                    Outcome outcome = Outcome.values()[random.nextInt(3)];
                    history.add(
                            at(
                                    called,
                                    outcome == Outcome.UNKNOWN ? NEVER : returned,
                                    swap(some, "v" + i, outcome)));
                }
                default -> history.add(at(called, returned, read(some)));
            }
        }
        return history;
    }

    private static boolean everyOrder(List<Operation> left, String value) {
        if (left.stream().allMatch(operation -> operation.returned() == NEVER)) {
            return true;
        }
        long firstReturn = left.stream().mapToLong(Operation::returned).min().orElseThrow();
        for (Operation next : left) {
            if (next.called() > firstReturn) {
                continue;
            }
            Optional<String> then = Linearizability.after(next, value);
            if (then.isPresent()) {
                var rest = new ArrayList<>(left);
                rest.remove(next);
                if (everyOrder(rest, then.get())) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Calls of five callers take effect at a moment between call and return. */
    private static List<Operation> randomHistory(Random random, int count) {
        var history = new ArrayList<Operation>();
        String value = "";
        for (int i = 0; i < count; i++) {
            long moment = 100L * (i + 10);
            long called = moment - random.nextInt(250);
            long returned = random.nextInt(50) == 0 ? NEVER : moment + random.nextInt(250);
            if (random.nextBoolean() && returned != NEVER) {
                history.add(at(called, returned, read(value)));
            } else {
                value = "v" + i;
                history.add(at(called, returned, write(value)));
            }
        }
        history.add(at(900_000, 900_001, write("last")));
        history.add(at(900_002, 900_003, read("last")));
        return history;
    }

    private static boolean holds(Operation... history) {
        return Linearizability.holds(Arrays.asList(history));
    }

    private static Operation at(long called, long returned, Operation.Action action) {
        return new Operation(action, called, returned);
    }

    private static Read read(String value) {
        return new Read(value);
    }

    private static Write write(String value) {
        return new Write(value);
    }

    private static Swap swap(String expected, String value, Outcome outcome) {
        return new Swap(expected, value, outcome);
    }
}
