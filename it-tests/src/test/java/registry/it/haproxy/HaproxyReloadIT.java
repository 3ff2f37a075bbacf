package registry.it.haproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Changes of structure are never lost, and HAProxy may be restarted by whoever likes to. */
@ResourceLock("load")
final class HaproxyReloadIT {
    @TempDir private static Path folder;
    private static Site site;

    @BeforeAll
    static void start() {
        site = Site.start(folder, 1);
    }

    @AfterAll
    static void stop() {
        site.close();
    }

    @Test
    void burstsOfChanges() {
        areRight(4);
    }

    @Test
    @Tag("soak")
    void aHundredBurstsOfChanges() {
        areRight(100);
    }

    @ParameterizedTest
    @EnumSource
    void haproxyRestartedByHand(Reloads.Present present) {
        assertThat(new Reloads(site, Figures.random("restart")).restartHaproxy(present))
                .as("wrong answers\n%s", site.logs())
                .isEmpty();
    }

    private static void areRight(int count) {
        Reloads.Bursts bursts = new Reloads(site, Figures.random("bursts")).bursts(count, 200);
        System.out.printf(
                "HAProxy: %d of %d bursts right, %d reloads, %d requests failed %s%n",
                count - bursts.wrong().size(),
                count,
                bursts.reloads(),
                bursts.failed(),
                bursts.failures());
        assertThat(bursts.wrong()).as(site.logs()).isEmpty();
        assertThat(bursts.failed()).as("failed requests").isZero();
    }
}
