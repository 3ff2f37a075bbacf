package registry.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import registry.api.json.Json;

/** {@code registry lock}: programs that run one at a time, or so many, and end with their lock. */
@ExtendWith(Agents.class)
final class LockIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final LauncherProcess agent;
    private final List<Process> running = new ArrayList<>();

    @TempDir private Path folder;

    LockIT(LauncherProcess agent) {
        this.agent = agent;
    }

    @AfterEach
    void stop() throws Exception {
        for (Process process : running) {
            process.destroyForcibly().waitFor();
        }
    }

    private Process lock(String... words) throws IOException {
        var command = new ArrayList<>(List.of(Launcher.registry().toString(), "lock"));
        command.add("-http-addr=" + agent.http());
        command.addAll(List.of(words));
        var builder =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(
                                ProcessBuilder.Redirect.appendTo(folder.resolve("said").toFile()));
        Launcher.forgetConsulVariables(builder);
        Process process = builder.start();
        running.add(process);
        return process;
    }

    private String said() throws IOException {
        return Files.readString(folder.resolve("said"));
    }

    private int exit(Process process) throws Exception {
        return Launcher.exitOf(process, PATIENCE);
    }

    private Path trace() {
        return folder.resolve("trace");
    }

    /** A program that says when it begins and ends. */
    private String traced() {
        return "echo in >> %1$s; sleep 0.3; echo out >> %1$s".formatted(trace());
    }

    /** How many ran at the same time, at most. */
    private int most() throws IOException {
        int now = 0;
        int most = 0;
        for (String line : Files.readAllLines(trace())) {
            now += line.equals("in") ? 1 : -1;
            most = Math.max(most, now);
        }
        assertThat(now).as("all have ended").isZero();
        return most;
    }

    private void assertNothingLeft(String prefix) throws Exception {
        assertThat(agent.client().get("/v1/kv/" + prefix + "?keys", PATIENCE).status())
                .as("keys are left")
                .isEqualTo(404);
    }

    private String holder(String prefix) throws Exception {
        var answer = agent.client().get("/v1/kv/" + prefix + "/.lock", PATIENCE);
        return answer.status() == 404
                ? ""
                : Json.tree(answer.body()).path(0).path("Session").asText();
    }

    @Test
    void programsRunOneAtATime() throws Exception {
        var contenders = new ArrayList<Process>();
        for (int i = 0; i < 4; i++) {
            contenders.add(lock("li/one", traced()));
        }
        for (Process contender : contenders) {
            assertThat(exit(contender)).as(said()).isZero();
        }
        assertThat(Files.readAllLines(trace())).hasSize(8);
        assertThat(most()).isEqualTo(1);
        assertNothingLeft("li/one");
    }

    @Test
    void soManyAtATime() throws Exception {
        var contenders = new ArrayList<Process>();
        for (int i = 0; i < 5; i++) {
            contenders.add(lock("-n=2", "li/two", traced()));
        }
        for (Process contender : contenders) {
            assertThat(exit(contender)).as(said()).isZero();
        }
        assertThat(Files.readAllLines(trace())).hasSize(10);
        assertThat(most()).isLessThanOrEqualTo(2);
        assertNothingLeft("li/two");
    }

    @Test
    void aLostLockEndsTheProgram() throws Exception {
        Process holder =
                lock(
                        "-verbose",
                        "li/lost",
                        "trap 'echo told >> %1$s; exit 0' TERM; echo in >> %1$s; while true; do sleep 0.1; done"
                                .formatted(trace()));
        await().atMost(PATIENCE).until(() -> Files.exists(trace()));
        String session = holder("li/lost");
        agent.client().put("/v1/session/destroy/" + session, new byte[0], PATIENCE);
        assertThat(exit(holder)).as(said()).isZero();
        assertThat(Files.readAllLines(trace())).containsExactly("in", "told");
        assertThat(said()).contains("Lock lost, killing child", "Cleanup succeeded");
        assertNothingLeft("li/lost");
    }

    @Test
    void aSignalEndsTheProgramFirst() throws Exception {
        Process holder = lock("li/signal", "echo in >> %s; sleep 300".formatted(trace()));
        await().atMost(PATIENCE).until(() -> Files.exists(trace()));
        String session = holder("li/signal");
        List<ProcessHandle> family = holder.descendants().toList();
        assertThat(family).isNotEmpty();
        holder.destroy();
        exit(holder);
        await().atMost(PATIENCE).until(() -> family.stream().noneMatch(ProcessHandle::isAlive));
        assertThat(agent.client().get("/v1/session/info/" + session, PATIENCE).text())
                .isEqualTo("[]");
        assertNothingLeft("li/signal");
        assertThat(exit(lock("-timeout=10s", "li/signal", "true")))
                .as("free at once, without a lock-delay: %s", said())
                .isZero();
    }

    @Test
    void whoWaitsLongEnoughGivesUp() throws Exception {
        Process holder = lock("li/try", "echo in >> %s; sleep 300".formatted(trace()));
        await().atMost(PATIENCE).until(() -> Files.exists(trace()));
        assertThat(exit(lock("-try=1s", "li/try", "true"))).isEqualTo(1);
        assertThat(said()).contains("Shutdown triggered or timeout during lock acquisition");
        assertThat(exit(lock("-n=2", "-try=1s", "li/try", "true"))).isEqualTo(1);
        assertThat(said()).contains("Existing key does not match semaphore use");
        holder.destroy();
        exit(holder);
        assertNothingLeft("li/try");
    }

    @Test
    void theProgramReadsWhatItIsGiven() throws Exception {
        Path input = Files.write(folder.resolve("input"), "given".getBytes(UTF_8));
        assertThat(exit(lock("li/in", "echo held=$CONSUL_LOCK_HELD; cat"))).isZero();
        assertThat(said()).isEqualTo("held=true\n");
        Launcher.Result passed =
                Launcher.run(
                        List.of(
                                "/bin/sh",
                                "-c",
                                "%s lock -http-addr=%s -pass-stdin -shell=false li/in cat < %s"
                                        .formatted(Launcher.registry(), agent.http(), input)),
                        java.util.Map.of(),
                        "");
        assertThat(passed.out()).as(passed.all()).isEqualTo("given");
    }
}
