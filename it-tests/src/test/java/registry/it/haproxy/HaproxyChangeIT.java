package registry.it.haproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;

/** What comes, goes and flaps under load costs neither a request nor a reload. */
@ResourceLock("load")
final class HaproxyChangeIT {
    private static final int RATE = 200;
    private static final double SOON = 10_000;

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
    void aNewInstanceServes() {
        assertThat(new Changes(site).registerToFirstRequest(RATE)).isLessThan(SOON);
    }

    @Test
    void allReplacedDrained() {
        assertThat(new Changes(site).replaceAll(RATE, true))
                .as(site.logs())
                .isEqualTo(new Changes.Outcome(0, "{}", 0));
    }

    @Test
    void allReplacedByKilling() {
        assertThat(new Changes(site).replaceAll(RATE, false))
                .as(site.logs())
                .isEqualTo(new Changes.Outcome(0, "{}", 0));
    }

    @Test
    void flapping() {
        flaps(Duration.ofSeconds(3));
    }

    @Test
    void theRegistryIsAway() {
        isAway(Duration.ofSeconds(3));
    }

    @Test
    void allInstancesVanish() {
        Changes.Vanish vanish = new Changes(site).vanish(RATE, Duration.ofSeconds(1));
        System.out.println("HAProxy: " + vanish);
        assertThat(vanish.keepFailed()).as("keep: failed\n%s", site.logs()).isZero();
        assertThat(vanish.afterMillis()).as("after").isBetween(1_000.0, 1_000 + SOON);
        assertThat(vanish.dropMillis()).as("drop").isLessThan(SOON);
        assertThat(vanish.recoveredMillis()).as("recovered").isLessThan(SOON);
    }

    @Test
    @Tag("soak")
    void flappingForAMinute() {
        flaps(Duration.ofMinutes(1));
    }

    @Test
    @Tag("soak")
    void theRegistryIsAwayForAMinute() {
        isAway(Duration.ofMinutes(1));
    }

    private static void flaps(Duration time) {
        Changes.Flap flap = new Changes(site).flap(RATE, 20, time);
        System.out.println("HAProxy: " + flap);
        assertThat(flap.outcome()).as(site.logs()).isEqualTo(new Changes.Outcome(0, "{}", 0));
        assertThat(flap.rightMillis()).isLessThan(SOON);
    }

    private static void isAway(Duration time) {
        Changes.Away away = new Changes(site).registryAway(RATE, time);
        System.out.println("HAProxy: " + away);
        assertThat(away.outcome()).as(site.logs()).isEqualTo(new Changes.Outcome(0, "{}", 0));
        assertThat(away.served()).as("kept").isEqualTo(Site.BACKENDS);
        assertThat(away.followsMillis()).isLessThan(SOON);
    }
}
