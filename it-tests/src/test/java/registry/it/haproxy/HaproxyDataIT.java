package registry.it.haproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;

/** Whatever is registered, and however much of it: nothing gets in, and what is good is served. */
@ResourceLock("load")
final class HaproxyDataIT {
    @TempDir private Path folder;
    private Site site;

    @BeforeEach
    void start() {
        site = Site.start(folder, 1);
        site.change(site.webService("slots: 16"));
    }

    @AfterEach
    void stop() {
        site.close();
    }

    @Test
    void hostileRegistrations() {
        attackedBy(200);
    }

    @Test
    @Tag("soak")
    void thousandsOfHostileRegistrations() {
        attackedBy(5_000);
    }

    @Test
    void manyServicesThatChange() {
        follows(30, 20, Duration.ofSeconds(6));
    }

    @Test
    @Tag("soak")
    void twoHundredServicesThatChange() {
        follows(200, 20, Duration.ofMinutes(5));
    }

    private void attackedBy(int generated) {
        Hostile.Outcome outcome =
                new Hostile(site, Figures.random("hostile registrations")).attack(200, generated);
        System.out.printf(
                "HAProxy: %d hostile registrations, %d refused by the registry, first request of a good one after %.0f ms%n",
                outcome.accepted() + outcome.refused(), outcome.refused(), outcome.followsMillis());
        assertThat(outcome.intruders()).as("got in").isEmpty();
        assertThat(outcome.unnamed()).as("not named in status").isEmpty();
        assertThat(outcome.accepted()).isGreaterThan(generated / 2);
        assertThat(outcome.lostBackends()).as("good ones lost").isZero();
        assertThat(outcome.failed()).as("failed requests").isZero();
    }

    private void follows(int services, int size, Duration time) {
        Scale.Outcome outcome = new Scale(site, services, size).follow(50, time);
        System.out.println("HAProxy: " + outcome);
        assertThat(outcome.lost()).as("changes that never came\n%s", site.logs()).isZero();
        assertThat(outcome.reloads()).as("reloads").isZero();
        assertThat(Figures.max(outcome.lagMillis())).isLessThan(10_000);
    }
}
