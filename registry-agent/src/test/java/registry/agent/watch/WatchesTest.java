package registry.agent.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import registry.agent.config.WatchDefinition;
import registry.api.json.Json;

class WatchesTest {
    @TempDir private Path directory;
    private FakeAgent agent;
    private Watches watches;

    @BeforeEach
    void start() throws IOException {
        agent = new FakeAgent();
        watches = new Watches(agent.uri());
    }

    @AfterEach
    void stop() {
        watches.close();
        agent.close();
    }

    private static WatchDefinition watch(String json) {
        var parameters = (ObjectNode) Json.tree(json.getBytes(StandardCharsets.UTF_8));
        return new WatchDefinition(parameters.path("type").asText(), parameters);
    }

    private WatchDefinition appending(String file) {
        return watch(
                "{\"type\": \"services\", \"args\": [\"/bin/sh\", \"-c\", \"{ echo $CONSUL_INDEX; cat; } >> %s\"]}"
                        .formatted(directory.resolve(file)));
    }

    private String text(String file) throws IOException {
        Path path = directory.resolve(file);
        return Files.exists(path) ? Files.readString(path) : "";
    }

    @Test
    void aProgramGetsJsonAndTheIndex() {
        agent.set(3, 200, "{\"web\": []}");
        watches.start(List.of(appending("a")));
        await().untilAsserted(() -> assertThat(text("a")).isEqualTo("3\n{\"web\":[]}\n"));
        agent.set(4, 200, "{\"db\": []}");
        await().untilAsserted(
                        () -> assertThat(text("a")).isEqualTo("3\n{\"web\":[]}\n4\n{\"db\":[]}\n"));
    }

    @Test
    void anOldHandlerIsAShellScript() {
        watches.start(
                List.of(
                        watch(
                                "{\"type\": \"services\", \"handler\": \"cat > %s; exit 1\"}"
                                        .formatted(directory.resolve("h")))));
        await().untilAsserted(() -> assertThat(text("h")).isEqualTo("{}\n"));
        agent.set(4, 200, "{\"x\": []}");
        await().untilAsserted(() -> assertThat(text("h")).isEqualTo("{\"x\":[]}\n"));
    }

    @Test
    void anHttpHandlerIsCalled() {
        agent.set(3, 200, "{\"web\": []}");
        watches.start(
                List.of(
                        watch(
                                "{\"type\": \"services\", \"handler_type\": \"http\", \"http_handler_config\": {\"path\": \"%s/hook\", \"method\": \"PUT\", \"header\": {\"x\": [\"y\"]}}}"
                                        .formatted(agent.uri()))));
        await().untilAsserted(() -> assertThat(agent.requests()).contains("/hook 3 {\"web\":[]}"));
    }

    @Test
    void unchangedWatchesGoOnAtAReload() {
        watches.start(List.of(appending("a"), appending("b")));
        await().untilAsserted(() -> assertThat(text("a") + text("b")).isEqualTo("1\n{}\n1\n{}\n"));
        watches.reload(List.of(appending("a"), appending("c")));
        await().untilAsserted(() -> assertThat(text("c")).isEqualTo("1\n{}\n"));
        agent.set(2, 200, "{\"x\": []}");
        await().untilAsserted(() -> assertThat(text("a")).isEqualTo("1\n{}\n2\n{\"x\":[]}\n"));
        await().untilAsserted(() -> assertThat(text("c")).isEqualTo("1\n{}\n2\n{\"x\":[]}\n"));
        assertThat(directory.resolve("b")).hasContent("1\n{}\n");
    }

    @Test
    void closingEndsAHungHandlerWithItsChildren() throws IOException {
        Path pids = directory.resolve("pids");
        watches.start(
                List.of(
                        watch(
                                "{\"type\": \"services\", \"args\": [\"/bin/sh\", \"-c\", \"sleep 600 & echo $! $$ > %s; wait\"]}"
                                        .formatted(pids))));
        await().until(() -> text("pids").endsWith("\n"));
        watches.close();
        for (String pid : Files.readString(pids).strip().split(" ")) {
            await().until(() ->
                    ProcessHandle.of(Long.parseLong(pid)).filter(ProcessHandle::isAlive).isEmpty());
        }
    }

    // A program that leaves a child in the background, as "service haproxy reload" does, holds the
    // pipe for as long as that lives.
    @Test
    void whatAProgramLeavesRunningDoesNotHoldUpTheWatch() throws Exception {
        var output = new ArrayList<String>();
        var handler =
                ScriptHandler.capturing(
                        List.of("/bin/sh", "-c", "echo done; sleep 20 & echo $! >&2"), output::add);
        var started = System.nanoTime();
        assertThat(handler.handle(1, JsonNodeFactory.instance.objectNode())).isTrue();
        assertThat(Duration.ofNanos(System.nanoTime() - started))
                .isLessThan(Duration.ofSeconds(10));
        List<String> lines = output.getFirst().lines().toList();
        assertThat(lines.getFirst()).isEqualTo("done");
        ProcessHandle.of(Long.parseLong(lines.get(1))).ifPresent(ProcessHandle::destroy);
    }

    @Test
    void aProgramThatDoesNotReadItsInputIsFine() throws Exception {
        var big = JsonNodeFactory.instance.objectNode().put("x", "y".repeat(1 << 20));
        var handler = ScriptHandler.capturing(List.of("/bin/sh", "-c", "exit 0"), text -> {});
        assertThat(handler.handle(1, big)).isTrue();
    }

    @Test
    void failuresAreToldInGosWords() {
        var nothing = JsonNodeFactory.instance.objectNode();
        assertThatThrownBy(() ->
                        ScriptHandler.inheriting(List.of("nonexistent-program")).handle(1, nothing))
                .hasMessage("exec: \"nonexistent-program\": executable file not found in $PATH");
        assertThatThrownBy(() -> ScriptHandler.inheriting(List.of("false")).handle(1, nothing))
                .hasMessage("exit status 1");
    }
}
