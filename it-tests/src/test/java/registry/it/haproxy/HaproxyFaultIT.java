package registry.it.haproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import registry.it.haproxy.Faults.Outcome;

/**
 * What dies or freezes under load costs no request; see {@code make bench-haproxy} for the times.
 */
@ResourceLock("load")
final class HaproxyFaultIT {
    // A busy machine is slow; what these bounds catch is a way out that does not work at all.
    private static final double OUT = 10_000;
    private static final double FROZEN_OUT = 10_000;

    @TempDir private static Path folder;
    private static Site site;

    @BeforeAll
    static void start() {
        site = Site.start(folder, 2);
    }

    @AfterAll
    static void stop() {
        site.close();
    }

    @Test
    void aKilledBackend() {
        costsNothing(new Faults(site).killBackend(200), 0, OUT);
    }

    @Test
    void aKilledBackendAtAThousandRequestsASecond() {
        costsNothing(new Faults(site).killBackend(1_000), 0, OUT);
    }

    @Test
    void aKilledNode() {
        costsNothing(new Faults(site).killNode(200), 0, OUT);
    }

    @Test
    void aFrozenBackend() {
        costsNothing(new Faults(site).freezeBackend(200), 1, FROZEN_OUT);
    }

    @Test
    void aFrozenNode() {
        costsNothing(new Faults(site).freezeNode(200), 1, FROZEN_OUT);
    }

    @Test
    void aFailedCheck() {
        Faults.Checks checks = new Faults(site).failChecks(10, 200);
        System.out.printf(
                "HAProxy: failed check, out p50 %.0f max %.0f ms, %d requests failed%n",
                Figures.median(checks.outMillis()),
                Figures.max(checks.outMillis()),
                checks.failed());
        assertThat(checks.failed()).as(site.logs()).isZero();
        assertThat(Figures.max(checks.outMillis())).isLessThan(OUT);
    }

    @Tag("soak")
    @RepeatedTest(20)
    void againAndAgain() {
        var faults = new Faults(site);
        costsNothing(faults.killBackend(1_000), 0, OUT);
        costsNothing(faults.killNode(1_000), 0, OUT);
        costsNothing(faults.freezeBackend(1_000), 1, FROZEN_OUT);
        costsNothing(faults.freezeNode(1_000), 1, FROZEN_OUT);
    }

    private static void costsNothing(Outcome outcome, int mostFailed, double outMillis) {
        System.out.println("HAProxy: " + outcome);
        assertThat(outcome.failed())
                .as(outcome + "\n" + site.logs())
                .isLessThanOrEqualTo(mostFailed);
        assertThat(outcome.outMillis()).isLessThan(outMillis);
        assertThat(site.haproxy().reloads()).as("reloads").isZero();
    }
}
