package registry.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * {@code registry watch}: prints once, or starts a command for the first result and each change.
 */
@ExtendWith(Agents.class)
final class WatchIT {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final LauncherProcess agent;
    private final List<Process> running = new ArrayList<>();

    @TempDir private Path folder;

    WatchIT(LauncherProcess agent) {
        this.agent = agent;
    }

    @AfterEach
    void stop() throws Exception {
        for (Process process : running) {
            process.destroyForcibly().waitFor();
        }
        agent.client().send("DELETE", "/v1/kv/watched?recurse", new byte[0], PATIENCE);
    }

    @ParameterizedTest
    @CsvSource({
        "-type=services, consul",
        "-type=nodes, n1",
        "-type=service -service=consul, ServerPort",
        "-type=checks -state=any, serfHealth"
    })
    void withoutACommandItPrintsTheFirstResult(String arguments, String expected) throws Exception {
        String[] words = ("watch -http-addr=" + agent.http() + " " + arguments).split(" ");
        Launcher.Result result = agent.cli(words);
        assertThat(result.exit()).as(result.all()).isZero();
        assertThat(JSON.readTree(result.out()).isEmpty()).isFalse();
        if (!expected.equals("ServerPort")) {
            assertThat(result.out()).contains(expected);
        }
        assertThat(result.out()).as("indented by four").contains("\n    ").endsWith("\n");
    }

    @Test
    void aCommandGetsEachChangeAndItsIndex() throws Exception {
        Path seen = folder.resolve("seen");
        Path handler = script("echo \"$CONSUL_INDEX $(cat)\" >>" + seen);
        Process watch = watch("-type=key", "-key=watched/key", handler.toString());
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(lines(seen)).hasSize(1));
        assertThat(lines(seen).getFirst()).endsWith(" null");

        put("one");
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(lines(seen)).hasSize(2));
        put("two");
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(lines(seen)).hasSize(3));
        String last = lines(seen).getLast();
        JsonNode pair = JSON.readTree(last.substring(last.indexOf(' ')));
        assertThat(pair.get("Value").asText()).isEqualTo("dHdv");
        assertThat(last).startsWith(pair.get("ModifyIndex").asText() + " ");
        assertThat(watch.isAlive()).isTrue();
    }

    @Test
    void endsWhenItsCommandFails() throws Exception {
        Process watch = watch("-type=keyprefix", "-prefix=watched/", script("exit 9").toString());
        assertThat(watch.waitFor(10, SECONDS)).isTrue();
        assertThat(watch.exitValue()).isEqualTo(1);
        assertThat(log()).contains("Error executing handler: exit status 9");
    }

    @Test
    void goesOnThoughItsCommandFailsWhenToldTo() throws Exception {
        Path seen = folder.resolve("seen");
        Process watch =
                watch(
                        "-keep-running",
                        "-type=keyprefix",
                        "-prefix=watched/",
                        script("echo x >>" + seen + "; exit 9").toString());
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(lines(seen)).hasSize(1));
        put("one");
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(lines(seen)).hasSize(2));
        assertThat(watch.isAlive()).isTrue();
    }

    private Process watch(String... arguments) throws IOException {
        var command =
                new ArrayList<>(
                        List.of(
                                Launcher.registry().toString(),
                                "watch",
                                "-http-addr=" + agent.http()));
        command.addAll(List.of(arguments));
        var builder =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(folder.resolve("log").toFile());
        Launcher.forgetConsulVariables(builder);
        Process process = builder.start();
        running.add(process);
        return process;
    }

    private String log() throws IOException {
        return Files.readString(folder.resolve("log"));
    }

    private void put(String value) throws Exception {
        assertThat(
                        agent.client()
                                .put("/v1/kv/watched/key", value.getBytes(UTF_8), PATIENCE)
                                .status())
                .isEqualTo(200);
    }

    private Path script(String body) throws IOException {
        Path file = Files.writeString(folder.resolve("handler"), "#!/bin/sh\n" + body + "\n");
        assertThat(file.toFile().setExecutable(true)).isTrue();
        return file;
    }

    private static List<String> lines(Path file) throws IOException {
        return Files.exists(file) ? Files.readAllLines(file) : List.of();
    }
}
