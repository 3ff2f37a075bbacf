package registry.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Some hundred calls and what a real Consul 1.9.8 answered to them, against what we answer: status,
 * headers, shape, values and the moves of indexes. The calls run once and in order, each is a test
 * of its own. A difference passes when {@code allow.txt} names it; an entry of that file that no
 * longer differs fails, so that the file stays true.
 */
final class ConformanceIT {
    private static final Path DATA = Path.of("src/test/resources/conformance").toAbsolutePath();
    private static final List<String> GROUPS =
            List.of(
                    "http",
                    "status",
                    "agent_self",
                    "agent_service",
                    "agent_check",
                    "catalog",
                    "health",
                    "kv",
                    "event",
                    "query",
                    "coordinate",
                    "blocking",
                    "session",
                    "txn",
                    "dns",
                    "cli");
    private static final Duration PATIENCE = Duration.ofMinutes(4);
    private static final ObjectMapper JSON = new ObjectMapper();

    /** One call and how our answer differs from Consul's. */
    private record Call(String group, int number, String title, List<String> differences) {
        String id() {
            return group + "#" + number;
        }
    }

    @TestFactory
    Stream<DynamicContainer> answersAsConsulDoes(@TempDir Path folder) throws Exception {
        Map<String, AllowedDifference> allowed = AllowedDifference.read(DATA.resolve("allow.txt"));
        List<Call> calls = compare(replay(folder));
        assertThat(calls).as("calls of the replay").hasSizeGreaterThan(400);
        report(calls, allowed);
        assertThat(calls)
                .as("calls that allow.txt names")
                .extracting(Call::id)
                .containsAll(allowed.keySet());
        var byGroup = new LinkedHashMap<String, List<Call>>();
        calls.forEach(call ->
                byGroup.computeIfAbsent(call.group(), group -> new ArrayList<>()).add(call));
        return byGroup.entrySet().stream()
                .map(group ->
                        DynamicContainer.dynamicContainer(
                                group.getKey(),
                                group.getValue().stream()
                                        .map(call -> asTest(call, allowed.get(call.id())))));
    }

    /**
     * Makes the calls to a fresh agent, set up as the captured one was, and records the answers.
     */
    private static Path replay(Path folder) throws Exception {
        // The comparison takes any two ports of this range for equal.
        int[] ports = Ports.freeBetween(28_000, 29_999, 5);
        var setup =
                LauncherProcess.agent()
                        .with("node_id", "11111111-2222-3333-4444-555555555501")
                        .with("datacenter", "dc1")
                        .with("disable_update_check", true)
                        .with("log_level", "warn")
                        .with("performance", Map.of("raft_multiplier", 1))
                        .with(
                                "http_config",
                                Map.of(
                                        "response_headers",
                                        Map.of("Access-Control-Allow-Origin", "*")))
                        .with("enable_script_checks", true)
                        .with("check_update_interval", "0s")
                        .ports(ports);
        Path answers = folder.resolve("answers");
        // Commands name themselves in their usage as they were called.
        Path consul = Files.createSymbolicLink(folder.resolve("consul"), Launcher.registry());
        try (LauncherProcess agent = setup.start()) {
            String said =
                    python(
                            folder,
                            0,
                            "run",
                            "--http",
                            "http://" + agent.http(),
                            "--dns",
                            "127.0.0.1:" + ports[1],
                            "--bin",
                            consul.toString(),
                            "--out",
                            answers.toString(),
                            "--only",
                            groups());
            assertThat(agent.isAlive())
                    .as("agent survives the calls\n%s\n%s", said, agent.logTail())
                    .isTrue();
        }
        Files.delete(consul);
        return answers;
    }

    private static List<Call> compare(Path answers) throws Exception {
        String lines =
                python(
                        answers.getParent(),
                        1,
                        "diff",
                        DATA.resolve("captures").toString(),
                        answers.toString(),
                        "--json",
                        "--only",
                        groups());
        var calls = new ArrayList<Call>();
        for (String line : lines.lines().filter(each -> each.startsWith("{")).toList()) {
            JsonNode call = JSON.readTree(line);
            var differences = new ArrayList<String>();
            call.get("differences").forEach(difference -> differences.add(difference.asText()));
            calls.add(
                    new Call(
                            call.get("group").asText(),
                            call.get("number").asInt(),
                            call.get("title").asText(),
                            List.copyOf(differences)));
        }
        return calls;
    }

    private static DynamicTest asTest(Call call, AllowedDifference allowed) {
        return DynamicTest.dynamicTest(
                call.id() + " " + call.title(),
                () -> {
                    if (allowed == null) {
                        assertThat(call.differences())
                                .as(
                                        "%s %s: differences from Consul (expected != ours)",
                                        call.id(), call.title())
                                .isEmpty();
                    } else if (allowed.kind() != AllowedDifference.Kind.LAGS) {
                        assertThat(call.differences())
                                .as(
                                        "allow.txt names %s (%s), but it no longer differs: remove the line",
                                        call.id(), allowed.reason())
                                .isNotEmpty();
                    }
                });
    }

    /**
     * Prints how many calls of each group are equal, differ for which allowed kind of reason, and
     * differ.
     */
    private static void report(List<Call> calls, Map<String, AllowedDifference> allowed)
            throws IOException {
        var counts = new LinkedHashMap<String, Map<String, Integer>>();
        var text = new StringBuilder();
        for (Call call : calls) {
            AllowedDifference reason = allowed.get(call.id());
            String column =
                    call.differences().isEmpty()
                            ? "equal"
                            : reason == null ? "DIFFER" : reason.kind().toString();
            counts.computeIfAbsent(call.group(), group -> new TreeMap<>())
                    .merge(column, 1, Integer::sum);
            counts.computeIfAbsent("all", group -> new TreeMap<>()).merge(column, 1, Integer::sum);
            if (column.equals("DIFFER")) {
                text.append(call.id()).append(' ').append(call.title()).append('\n');
                call.differences().forEach(line -> text.append("      ").append(line).append('\n'));
            }
        }
        Map<String, Integer> all = counts.remove("all");
        counts.put("all", all == null ? Map.of() : all);
        var table = new StringBuilder("conformance with Consul 1.9.8, calls per group\n");
        counts.forEach((group, row) -> table.append(String.format("  %-14s %s%n", group, row)));
        System.out.print(table);
        Files.writeString(Path.of("target/conformance.txt"), table.append('\n').append(text));
    }

    /** Runs the replay tool to its end; its exit code must not exceed {@code worst}. */
    private static String python(Path folder, int worst, String... arguments) throws Exception {
        var command = new ArrayList<>(List.of("python3", DATA.resolve("capture.py").toString()));
        command.addAll(List.of(arguments));
        Path output = Files.createTempFile(folder, "capture", ".out");
        Process process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start();
        int exit = Launcher.exitOf(process, PATIENCE);
        String text = Files.readString(output, StandardCharsets.UTF_8);
        assertThat(exit).as("%s\n%s", command, text).isBetween(0, worst);
        return text;
    }

    private static String groups() {
        return String.join(",", GROUPS);
    }
}
