package registry.server.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import registry.server.faults.FaultRun.Verdict;

/** Random faults break nothing that is promised; a planted defect shows. */
class FaultRunTest {
    private static final long SNAPSHOT_BYTES = 24 << 10;

    @TempDir Path tmp;

    private Verdict run(int servers, Planted planted, Duration time) {
        return FaultRun.run(
                tmp,
                new FaultCluster.Shape(servers, SNAPSHOT_BYTES, planted),
                Long.getLong("registry.seed", System.nanoTime()),
                time);
    }

    @Test
    void threeServersKeepTheirPromises() {
        Verdict verdict =
                run(
                        3,
                        Planted.NOTHING,
                        Duration.ofSeconds(Long.getLong("registry.faults.seconds", 12)));
        assertThat(verdict.broken()).as(verdict.figures()).isEmpty();
    }
}
