package registry.it;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What {@code make run} promises a newcomer: the recipe starts, a killed backend is not noticed,
 * and all of it ends.
 */
final class RunIT {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Path RUN = ROOT.resolve("target/run");
    private static final Pattern FRONT = Pattern.compile("HAProxy +http://127\\.0\\.0\\.1:(\\d+)/");
    private static final Pattern API = Pattern.compile("HTTP API +http://127\\.0\\.0\\.1:(\\d+)/");
    private static final int RATE = 200;

    @TempDir private Path folder;
    private final List<Process> started = new ArrayList<>();

    @AfterEach
    void stop() throws Exception {
        for (Process process : started) {
            process.destroy();
            if (!process.waitFor(20, SECONDS)) {
                process.destroyForcibly();
            }
        }
    }

    @Test
    void aKilledBackendIsNotNoticedAndAllEndsAtOnce() throws Exception {
        Path output = folder.resolve("run.log");
        Process run = run(output);
        int front = awaitPort(run, output, FRONT);
        List<ProcessHandle> children = run.descendants().toList();
        assertThat(children)
                .as("agent, companion, HAProxy, three backends")
                .hasSizeGreaterThanOrEqualTo(6);
        try (var load = new SteadyLoad(front, RATE)) {
            await().atMost(10, SECONDS).until(() -> load.hasSeen("Hello from backend 2\n", 0));
            long killed = System.nanoTime();
            ProcessHandle.of(pid("backend-2")).orElseThrow().destroyForcibly();
            await().atMost(10, SECONDS)
                    .until(() -> Files.readString(output).contains("backend-2 has ended"));
            await().pollDelay(1, SECONDS).until(() -> true);
            assertThat(load.hasSeen("Hello from backend 2\n", killed + 1_000_000_000L))
                    .as("dead after a second")
                    .isFalse();

            long restarted = System.nanoTime();
            Process again =
                    new ProcessBuilder("dev/run.sh", "start", "2").directory(ROOT.toFile()).start();
            assertThat(again.waitFor()).isZero();
            await().atMost(20, SECONDS)
                    .pollInterval(10, MILLISECONDS)
                    .until(() -> load.hasSeen("Hello from backend 2\n", restarted));
            long backMillis = (System.nanoTime() - restarted) / 1_000_000;
            load.stop();
            System.out.printf(
                    "make run: backend killed at %d requests/s: %d of %d requests failed, back after %d ms%n",
                    RATE, load.failures().size(), load.sent(), backMillis);
            assertThat(load.failures()).as(logs()).isEmpty();
        }
        run.destroy();
        assertThat(run.waitFor(20, SECONDS)).as("ends").isTrue();
        assertThat(children).as("nothing is left").noneMatch(ProcessHandle::isAlive);
    }

    @Test
    void takesAnotherPortWhenOneIsTaken() throws Exception {
        try (ServerSocket holder = holdApiPort()) {
            Path output = folder.resolve("run.log");
            Process run = run(output);
            int api = awaitPort(run, output, API);
            assertThat(api).isNotEqualTo(8500);
            assertThat(Files.readString(output)).contains("port 8500 is taken");
            assertThat(holder.isBound() || api > 0).isTrue();
        }
    }

    /** The port itself, unless some other program has it already. */
    private static ServerSocket holdApiPort() throws IOException {
        try {
            return new ServerSocket(8500, 1, InetAddress.getLoopbackAddress());
        } catch (IOException takenAlready) {
            return new ServerSocket();
        }
    }

    private Process run(Path output) throws IOException {
        assertThat(Launcher.home())
                .as("make run starts this distribution")
                .isEqualTo(ROOT.resolve("target/registry"));
        var builder =
                new ProcessBuilder("dev/run.sh")
                        .directory(ROOT.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile());
        builder.environment().put("RUN_SECONDS", "90");
        Process process = builder.start();
        started.add(process);
        return process;
    }

    private static int awaitPort(Process run, Path output, Pattern pattern) {
        await().atMost(60, SECONDS)
                .failFast(() -> !run.isAlive())
                .untilAsserted(() ->
                        assertThat(Files.readString(output)).contains("Ctrl-C ends everything"));
        try {
            Matcher matcher = pattern.matcher(Files.readString(output));
            assertThat(matcher.find()).isTrue();
            return Integer.parseInt(matcher.group(1));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static long pid(String name) throws IOException {
        return Long.parseLong(Files.readString(RUN.resolve(name + ".pid")).strip());
    }

    private static String logs() throws IOException {
        return Files.readString(RUN.resolve("companion.log"));
    }
}
