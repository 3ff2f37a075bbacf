package registry.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@code registry monitor}: another terminal sees what the agent logs. */
@Timeout(120)
final class MonitorIT {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private static Process monitor(LauncherProcess agent, String option) throws IOException {
        return new ProcessBuilder(
                        List.of(
                                Launcher.registry().toString(),
                                "monitor",
                                "-http-addr=" + agent.http(),
                                option))
                .redirectErrorStream(true)
                .start();
    }

    /** Registers the same service until a line that holds {@code text} comes. */
    private static String awaitLine(LauncherProcess agent, BufferedReader lines, String text)
            throws IOException {
        var worker =
                Thread.startVirtualThread(() -> {
                    while (!Thread.interrupted()) {
                        try {
                            agent.client().put("/v1/agent/reload", new byte[0], PATIENCE);
                            Thread.sleep(Duration.ofMillis(50));
                        } catch (IOException | InterruptedException e) {
                            return;
                        }
                    }
                });
        try {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.contains(text)) {
                    return line;
                }
            }
        } finally {
            worker.interrupt();
        }
        throw new AssertionError("the monitor has ended");
    }

    @Test
    void linesAreSeenUntilTheAgentStops() throws Exception {
        try (LauncherProcess agent = LauncherProcess.agent().start()) {
            Process monitor = monitor(agent, "-log-level=info");
            try (BufferedReader lines = monitor.inputReader(UTF_8)) {
                assertThat(awaitLine(agent, lines, "reloaded"))
                        .contains("Z [INFO]  agent: reloaded");
                agent.signal("TERM");
                String all = String.join("\n", lines.lines().toList());
                assertThat(all).contains("Remote side ended the monitor!");
                assertThat(monitor.waitFor(PATIENCE.toSeconds(), SECONDS)).isTrue();
                assertThat(monitor.exitValue()).isZero();
            } finally {
                monitor.destroyForcibly();
            }
        }
    }

    @Test
    void linesMayBeJson() throws Exception {
        try (LauncherProcess agent = LauncherProcess.agent().with("log_level", "err").start()) {
            Process monitor = monitor(agent, "-log-json");
            try (BufferedReader lines = monitor.inputReader(UTF_8)) {
                var line = new ObjectMapper().readTree(awaitLine(agent, lines, "reloaded"));
                assertThat(line.path("@level").asText()).isEqualTo("info");
                assertThat(agent.log()).doesNotContain("reloaded");
            } finally {
                monitor.destroyForcibly();
            }
            Launcher.Result unknown =
                    agent.cli("monitor", "-http-addr=" + agent.http(), "-log-level=nope");
            assertThat(unknown.exit()).isOne();
            assertThat(unknown.all()).contains("Bad request: Unknown log level: nope");
        }
    }
}
