package registry.it;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The unpacked distribution and its commands. It lies where the system property {@code
 * registry.home} says, by default in {@code target/registry} of the build.
 */
public final class Launcher {
    private Launcher() {}

    /** What a command left behind. */
    public record Result(int exit, String out, String err) {
        public String all() {
            return out + err;
        }
    }

    /** The folder with {@code bin} and {@code lib}, absolute. */
    public static Path home() {
        Path home =
                Path.of(System.getProperty("registry.home", "../target/registry"))
                        .toAbsolutePath()
                        .normalize();
        if (!Files.isExecutable(home.resolve("bin/registry"))) {
            throw new IllegalStateException(
                    "no distribution in " + home + ": run `make build`, or set -Dregistry.home");
        }
        return home;
    }

    /** {@code bin/registry}. */
    public static Path registry() {
        return home().resolve("bin/registry");
    }

    /** {@code bin/registry-haproxy}. */
    public static Path companion() {
        return home().resolve("bin/registry-haproxy");
    }

    /**
     * Runs {@code registry ARGS} against the agent at {@code http} (host:port) to its end, at most
     * 30 s.
     */
    public static Result run(String http, String... args) {
        var command = new ArrayList<String>();
        command.add(registry().toString());
        command.addAll(List.of(args));
        return run(command, Map.of("CONSUL_HTTP_ADDR", http), "");
    }

    /**
     * Runs any command to its end, at most 30 s; nothing of Consul's own variables is inherited.
     *
     * @param environment added to what is inherited
     * @param stdin given to the command, then closed
     */
    public static Result run(List<String> command, Map<String, String> environment, String stdin) {
        try {
            Path out = Files.createTempFile("registry-it", ".out");
            Path err = Files.createTempFile("registry-it", ".err");
            try {
                var builder =
                        new ProcessBuilder(command)
                                .redirectOutput(out.toFile())
                                .redirectError(err.toFile());
                forgetConsulVariables(builder);
                builder.environment().putAll(environment);
                Process process = builder.start();
                try (var in = process.getOutputStream()) {
                    in.write(stdin.getBytes(StandardCharsets.UTF_8));
                } catch (IOException gone) {
                    // A command that reads nothing may have ended already.
                }
                if (!process.waitFor(30, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                    throw new AssertionError(
                            command + " did not end within 30 s\n" + read(out) + read(err));
                }
                return new Result(process.exitValue(), read(out), read(err));
            } finally {
                Files.deleteIfExists(out);
                Files.deleteIfExists(err);
            }
        } catch (IOException e) {
            throw new IllegalStateException("cannot run " + command, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while " + command + " ran", e);
        }
    }

    /** Waits for the end of a process that was told to end. */
    static int exitOf(Process process, Duration patience) throws InterruptedException {
        if (!process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
            throw new AssertionError(
                    "process "
                            + process.pid()
                            + " still runs after "
                            + patience.toMillis()
                            + " ms");
        }
        return process.exitValue();
    }

    /** Takes from the process what would lead it, or what it starts, to another agent. */
    public static void forgetConsulVariables(ProcessBuilder builder) {
        builder.environment()
                .keySet()
                .removeIf(name -> name.startsWith("CONSUL_") || name.startsWith("REGISTRY_"));
    }

    private static String read(Path file) throws IOException {
        return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    }
}
