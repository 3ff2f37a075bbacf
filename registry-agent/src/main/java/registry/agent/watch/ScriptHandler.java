package registry.agent.watch;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import registry.api.json.Json;

/**
 * Runs a program for each result: compact JSON and a newline on its standard input, the index in
 * {@code CONSUL_INDEX}. It fails when the program does.
 */
public final class ScriptHandler implements WatchHandler {
    private static final int MAX_OUTPUT = 4096;

    private final List<String> command;
    private final Consumer<String> output;
    private final boolean inherit;

    private ScriptHandler(List<String> command, Consumer<String> output, boolean inherit) {
        this.command = List.copyOf(command);
        this.output = output;
        this.inherit = inherit;
    }

    /** The program writes to the standard output and error of this process. */
    public static ScriptHandler inheriting(List<String> command) {
        return new ScriptHandler(command, text -> {}, true);
    }

    /**
     * What the program writes is handed on when it has ended.
     *
     * @param output gets at most 4 KiB per run
     */
    public static ScriptHandler capturing(List<String> command, Consumer<String> output) {
        return new ScriptHandler(command, output, false);
    }

    /** The words of a command as a shell gets them. */
    public static List<String> inShell(String script) {
        return List.of("/bin/sh", "-c", script);
    }

    @Override
    public boolean handle(long index, JsonNode result) throws IOException, InterruptedException {
        var builder = new ProcessBuilder(command);
        builder.environment().put("CONSUL_INDEX", Long.toUnsignedString(index));
        if (inherit) {
            builder.redirectOutput(Redirect.INHERIT).redirectError(Redirect.INHERIT);
        } else {
            builder.redirectErrorStream(true);
        }
        Process process = start(builder);
        try {
            var written = new Written(process);
            feed(process, result);
            int code = process.waitFor();
            output.accept(written.text());
            if (code != 0) {
                throw new IOException("exit status " + code);
            }
            return true;
        } finally {
            // Left early, by an interrupt: nobody would wait for it any more.
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    private static void feed(Process process, JsonNode result) {
        try (OutputStream in = process.getOutputStream()) {
            in.write(Json.write(result));
            in.write('\n');
        } catch (IOException e) {
            // A program that does not read its input is fine.
        }
    }

    private Process start(ProcessBuilder builder) throws IOException {
        try {
            return builder.start();
        } catch (IOException e) {
            String program = command.getFirst();
            String message = String.valueOf(e.getMessage());
            if (message.contains("error: 2")) {
                throw new IOException(
                        program.contains("/")
                                ? "fork/exec %s: no such file or directory".formatted(program)
                                : "exec: \"%s\": executable file not found in $PATH"
                                        .formatted(program),
                        e);
            }
            throw e;
        }
    }

    /**
     * The head of what a program writes. What it leaves running in the background may hold the
     * other end of the pipe for ever, so that after the program's own end we wait for a moment
     * only.
     */
    private static final class Written {
        private static final Duration GRACE = Duration.ofSeconds(1);

        private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
        private final Thread reader;

        Written(Process process) {
            InputStream out = process.getInputStream();
            reader = Thread.ofVirtual().start(() -> drain(out));
        }

        private void drain(InputStream out) {
            var buffer = new byte[MAX_OUTPUT];
            try {
                for (int n = out.read(buffer); n >= 0; n = out.read(buffer)) {
                    synchronized (kept) {
                        kept.write(buffer, 0, Math.min(n, MAX_OUTPUT - kept.size()));
                    }
                }
            } catch (IOException e) {
                // The program is gone, and its pipe with it.
            }
        }

        String text() throws InterruptedException {
            reader.join(GRACE);
            synchronized (kept) {
                return kept.toString(StandardCharsets.UTF_8);
            }
        }
    }
}
