package registry.agent.check;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import registry.agent.local.FakeServers;

class CheckSchedulerTest {
    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final ManualTimers timers = new ManualTimers();
    private final CheckScheduler scheduler =
            new CheckScheduler(timers, new FakeServers(), new SplittableRandom(3), 4096);
    private final BlockingQueue<CheckResult> results = new LinkedBlockingQueue<>();

    @TempDir Path dir;

    @Test
    void firstRunIsSoonAndTheNextAnIntervalAfterItsEnd() throws Exception {
        scheduler.start(Checks.script("a", MINUTE, "echo hi"), results::add);
        assertThat(timers.untilNext()).isLessThan(Duration.ofMillis(100));

        timers.advance(Duration.ofMillis(100));
        assertThat(results.poll(20, SECONDS)).isEqualTo(CheckResult.passing("hi\n"));

        await().atMost(20, SECONDS).until(() -> timers.untilNext().equals(MINUTE));
        timers.advance(MINUTE);
        assertThat(results.poll(20, SECONDS)).isEqualTo(CheckResult.passing("hi\n"));
    }

    @Test
    void firstRunsOfManyChecksAreSpread() {
        var delays = new CopyOnWriteArrayList<Duration>();
        for (int i = 0; i < 1000; i++) {
            timers.close();
            scheduler.start(Checks.script("c" + i, Duration.ofMinutes(10), "true"), results::add);
            delays.add(timers.untilNext());
        }

        assertThat(delays.subList(0, 50))
                .allMatch(delay -> delay.compareTo(Duration.ofMillis(100)) < 0);
        assertThat(delays).allMatch(delay -> delay.compareTo(Duration.ofSeconds(2)) < 0);
        assertThat(
                        delays.stream()
                                .filter(delay -> delay.compareTo(Duration.ofMillis(500)) > 0)
                                .count())
                .isGreaterThan(250);
    }

    @Test
    void intervalBelowASecondIsRaised() throws Exception {
        scheduler.start(Checks.script("a", Duration.ofMillis(100), "true"), results::add);
        timers.advance(Duration.ofMillis(100));
        assertThat(results.poll(20, SECONDS)).isNotNull();

        await().atMost(20, SECONDS).until(() -> timers.untilNext().equals(Duration.ofSeconds(1)));
    }

    @Test
    void resultCountsWhenItHasComeOftenEnough() throws Exception {
        Path exit = Files.writeString(dir.resolve("exit"), "2");
        Path runs = dir.resolve("runs");
        scheduler.start(
                Checks.script(
                        "a", MINUTE, "echo run >>" + runs + "; exit $(cat " + exit + ")", 3, 2),
                results::add);

        runTimes(runs, 1);
        assertThat(results).isEmpty();
        runTimes(runs, 2);
        assertThat(results.poll(20, SECONDS)).isEqualTo(CheckResult.critical(""));

        Files.writeString(exit, "0");
        runTimes(runs, 3);
        runTimes(runs, 4);
        assertThat(results).isEmpty();
        runTimes(runs, 5);
        assertThat(results.poll(20, SECONDS)).isEqualTo(CheckResult.passing(""));
    }

    private void runTimes(Path runs, int times) throws Exception {
        timers.advance(MINUTE);
        await().atMost(20, SECONDS)
                .until(() ->
                        Files.exists(runs)
                                && Files.readAllLines(runs).size() == times
                                && timers.untilNext().equals(MINUTE));
    }

    @Test
    void stoppedCheckReportsNothing() throws Exception {
        Path pid = dir.resolve("pid");
        CheckScheduler.Job job =
                scheduler.start(
                        Checks.script("a", MINUTE, "echo $$ >" + pid + "; sleep 600"),
                        results::add);
        timers.advance(MINUTE);
        await().atMost(20, SECONDS).until(() -> Files.exists(pid) && Files.size(pid) > 1);

        job.stop();

        await().atMost(20, SECONDS)
                .until(() ->
                        ProcessHandle.of(Long.parseLong(Files.readString(pid).strip())).isEmpty());
        timers.advance(MINUTE.multipliedBy(3));
        assertThat(results).isEmpty();
    }

    @Test
    void containerChecksGoThroughDocker() throws Exception {
        var definition =
                new registry.agent.config.CheckDefinition(
                        "d",
                        "d",
                        "",
                        "",
                        "",
                        "",
                        List.of("true"),
                        "",
                        "no-such-container",
                        "",
                        "",
                        java.util.Map.of(),
                        "",
                        false,
                        "",
                        "",
                        false,
                        "",
                        "",
                        MINUTE,
                        null,
                        null,
                        0,
                        0,
                        null,
                        0);
        scheduler.start(definition, results::add);
        timers.advance(MINUTE);

        assertThat(results.poll(20, SECONDS).status()).isNotEqualTo("passing");
    }
}
