package registry.agent.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import registry.api.client.RegistryClient.Answer;
import registry.api.json.GoDuration;

/**
 * {@code registry debug}: what one looks at when something is wrong with an agent, over a while, in
 * one file.
 */
final class DebugCommand implements Command {
    private static final Duration LEAST_DURATION = Duration.ofSeconds(10);
    private static final Duration LEAST_INTERVAL = Duration.ofSeconds(5);

    /** Asked once. */
    private static final List<String> ONCE =
            List.of(
                    "/v1/agent/self",
                    "/v1/agent/host",
                    "/v1/agent/members",
                    "/v1/agent/services",
                    "/v1/agent/checks",
                    "/v1/operator/raft/configuration",
                    "/v1/catalog/nodes");

    /** Asked each interval. */
    private static final List<String> REPEATED =
            List.of("/v1/agent/metrics", "/v1/status/leader", "/debug/pprof/goroutine");

    @Override
    public String synopsis() {
        return "[options]";
    }

    @Override
    public String purpose() {
        return "Collects what the agent says of itself over a while into a zip file. With enable_debug the stacks of"
                + " all its threads are in it.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(
                new Flags()
                        .text("duration", "How long, at least 10s. Default is 2m.")
                        .text("interval", "From one look to the next, at least 5s. Default is 30s.")
                        .text("output", "The file without .zip. Default is registry-debug-TIME."));
    }

    @Override
    public int run(Flags flags, Terminal terminal)
            throws Failure, IOException, InterruptedException {
        Duration duration = duration(flags.get("duration", "2m"));
        Duration interval = duration(flags.get("interval", "30s"));
        if (duration.compareTo(LEAST_DURATION) < 0) {
            throw invalid("duration must be longer than 10s");
        }
        if (interval.compareTo(LEAST_INTERVAL) < 0) {
            throw invalid("interval must be longer than 5s");
        }
        if (interval.compareTo(duration) > 0) {
            throw invalid("interval must be shorter than the duration");
        }
        String name = flags.get("output", "registry-debug-" + Instant.now().getEpochSecond());
        Path file = Path.of(name + ".zip");
        try (var agent = AgentConnection.open(flags, terminal)) {
            agent.get("==> Error querying target agent", "/v1/agent/self", new Query());
            try (var zip = new ZipOutputStream(Files.newOutputStream(file))) {
                for (String path : ONCE) {
                    capture(agent, path, "", zip);
                }
                long end = System.nanoTime() + duration.toNanos();
                for (int round = 0; System.nanoTime() < end; round++) {
                    for (String path : REPEATED) {
                        capture(agent, path, "%03d/".formatted(round), zip);
                    }
                    long left = Math.min(interval.toNanos(), end - System.nanoTime());
                    Thread.sleep(Duration.ofNanos(Math.max(0, left)));
                }
            }
        }
        terminal.say("Saved debug archive: " + file);
        return 0;
    }

    private static Duration duration(String text) throws Failure {
        try {
            return GoDuration.parse(text);
        } catch (IllegalArgumentException e) {
            throw invalid(String.valueOf(e.getMessage()));
        }
    }

    private static Failure invalid(String why) {
        return new Failure("==> Capture validation failed: " + why);
    }

    /** The answer whatever it is: that an agent does not give one is worth knowing, too. */
    private static void capture(
            AgentConnection agent, String path, String folder, ZipOutputStream zip)
            throws IOException, InterruptedException {
        String stem = path.substring(1).replace("v1/", "").replace('/', '-');
        try {
            Answer answer = agent.send("capture", "GET", path, new Query(), new byte[0]);
            boolean text = !answer.header("Content-Type").orElse("").contains("json");
            String suffix = answer.status() != 200 ? ".failed.txt" : text ? ".txt" : ".json";
            write(zip, folder + stem + suffix, answer.body());
        } catch (Failure e) {
            write(zip, folder + stem + ".failed.txt", e.text().getBytes(StandardCharsets.UTF_8));
        }
    }

    private static void write(ZipOutputStream zip, String name, byte[] content) throws IOException {
        zip.putNextEntry(new ZipEntry(name));
        zip.write(content);
        zip.closeEntry();
    }
}
