package registry.agent.check;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.api.json.GoDuration;

/**
 * Runs a program of the node: exit status 0 passes, 1 warns, all else is critical; the output is
 * what it wrote, the last bytes of it. The program is the leader of its own session, so that one
 * that hangs is killed together with all it started.
 */
final class ScriptCheck implements Check {
    private static final Logger log = LoggerFactory.getLogger(ScriptCheck.class);
    private static final File NOTHING = new File("/dev/null");

    /**
     * Of util-linux; without it only descendants can be found and killed, not those that a dead
     * parent left behind.
     */
    private static final boolean HAS_SETSID = Files.isExecutable(Path.of("/usr/bin/setsid"));

    /** How long the pipe may stay open after the program has ended, or its group was killed. */
    private static final Duration LAST_WORDS = Duration.ofSeconds(1);

    private final List<String> args;
    private final Duration timeout;
    private final int maxBytes;

    ScriptCheck(List<String> args, Duration timeout, int maxBytes) {
        this.args = List.copyOf(args);
        this.timeout = timeout;
        this.maxBytes = maxBytes;
    }

    @Override
    public CheckResult run() throws InterruptedException {
        Process process;
        try {
            process = start();
        } catch (IOException e) {
            return CheckResult.critical(String.valueOf(e.getMessage()));
        }
        var output = new Tail(maxBytes);
        Thread reader = Thread.ofVirtual().start(() -> read(process.getInputStream(), output));
        try {
            boolean ended = process.waitFor(timeout.toNanos(), TimeUnit.NANOSECONDS);
            // It has answered when it ends; a child that it left behind must not keep our pipe.
            if (ended && !reader.join(LAST_WORDS)) {
                killGroup(process);
            }
            if (!ended) {
                killGroup(process);
                reader.join(LAST_WORDS);
                String text = text(output);
                return CheckResult.critical(
                        "Timed out ("
                                + GoDuration.format(timeout)
                                + ") running check"
                                + (text.isEmpty() ? "" : "\n\n" + text));
            }
        } catch (InterruptedException e) {
            killGroup(process);
            throw e;
        }
        return switch (process.exitValue()) {
            case 0 -> CheckResult.passing(text(output));
            case 1 -> CheckResult.warning(text(output));
            default -> CheckResult.critical(text(output));
        };
    }

    private Process start() throws IOException {
        List<String> command = new ArrayList<>();
        if (HAS_SETSID) {
            command.add("/usr/bin/setsid");
        }
        command.add(resolve(args.getFirst()));
        command.addAll(args.subList(1, args.size()));
        return new ProcessBuilder(command).redirectErrorStream(true).redirectInput(NOTHING).start();
    }

    /**
     * The program's path, looked up here because setsid would only say that something failed.
     *
     * @throws IOException with the text that Consul shows
     */
    private static String resolve(String program) throws IOException {
        if (program.contains("/")) {
            Path path = Path.of(program);
            if (!Files.exists(path)) {
                throw new IOException("fork/exec " + program + ": no such file or directory");
            }
            if (Files.isDirectory(path) || !Files.isExecutable(path)) {
                throw new IOException("fork/exec " + program + ": permission denied");
            }
            return program;
        }
        String path = System.getenv("PATH");
        for (String dir : (path == null ? "" : path).split(":")) {
            Path candidate = Path.of(dir.isEmpty() ? "." : dir, program);
            if (Files.isRegularFile(candidate) && Files.isExecutable(candidate)) {
                return candidate.toString();
            }
        }
        throw new IOException("exec: \"" + program + "\": executable file not found in $PATH");
    }

    private static void read(InputStream in, Tail output) {
        byte[] buffer = new byte[4096];
        try (in) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                output.write(buffer, n);
            }
        } catch (IOException e) {
            log.debug("a script's output ended early: {}", e.getMessage());
        }
    }

    private String text(Tail output) {
        String text = output.text();
        return output.total() <= maxBytes
                ? text
                : "Captured " + maxBytes + " of " + output.total() + " bytes\n...\n" + text;
    }

    /**
     * Kills the session's first process group, and whatever descends from the process outside of
     * it.
     */
    private static void killGroup(Process process) {
        List<ProcessHandle> family = process.descendants().toList();
        if (HAS_SETSID) {
            try {
                new ProcessBuilder("/bin/sh", "-c", "kill -9 -" + process.pid())
                        .redirectErrorStream(true)
                        .redirectOutput(NOTHING)
                        .start();
            } catch (IOException e) {
                log.warn("the process group of a hung check can't be killed: {}", e.getMessage());
            }
        }
        family.forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }
}
