package registry.server.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import registry.server.faults.FaultRun.Verdict;

/**
 * Random faults break nothing that is promised, and a planted defect shows. The seed is printed;
 * {@code -Dregistry.seed} takes one, {@code -Dregistry.soakMinutes} is how long the long runs take.
 */
class FaultRunTest {
    private static final long SNAPSHOT_BYTES = 24 << 10;
    private static final Duration RUN = Duration.ofSeconds(20);
    private static final int MOST_RUNS = 20;

    @TempDir Path tmp;

    private long seed = Long.getLong("registry.seed", System.nanoTime());
    private int runs;

    private Verdict run(int servers, Planted planted, Duration time) {
        return FaultRun.run(
                tmp.resolve("run-" + runs++),
                new FaultCluster.Shape(servers, SNAPSHOT_BYTES, planted),
                seed++,
                time);
    }

    private void assertPromisesKept(int servers, Duration time) {
        Verdict verdict = run(servers, Planted.NOTHING, time);
        assertThat(verdict.broken()).as(verdict.toString()).isEmpty();
    }

    private void assertFound(Planted planted, Duration time) {
        for (int i = 0; i < MOST_RUNS; i++) {
            if (!run(3, planted, time).isGood()) {
                return;
            }
        }
        throw new AssertionError(planted + " was not found");
    }

    @Test
    void threeServersKeepTheirPromises() {
        assertPromisesKept(3, Duration.ofSeconds(10));
    }

    @Test
    void aReadWithoutReadIndexIsFound() {
        assertFound(Planted.NO_READ_INDEX, Duration.ofSeconds(1));
    }

    @Test
    void aDroppedTailOfTheLogIsFound() {
        assertFound(Planted.DROPPED_TAIL, Duration.ofSeconds(1));
    }

    @Tag("soak")
    @ParameterizedTest
    @ValueSource(ints = {3, 5})
    void manyRunsBreakNothing(int servers) {
        Duration all = Duration.ofMinutes(Long.getLong("registry.soakMinutes", 15));
        for (long begun = System.nanoTime(); System.nanoTime() - begun < all.toNanos(); ) {
            assertPromisesKept(servers, RUN);
        }
    }

    @Tag("soak")
    @ParameterizedTest
    @EnumSource(names = "NOTHING", mode = EnumSource.Mode.EXCLUDE)
    void eachPlantedDefectIsFound(Planted planted) {
        assertFound(planted, RUN);
    }
}
