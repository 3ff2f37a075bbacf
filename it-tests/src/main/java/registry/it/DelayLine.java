package registry.it;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

/**
 * Two network devices in a namespace that are the ends of one slow wire: a frame that goes in at
 * one comes out at the other later. A process of its own carries them, since kernels seldom have
 * {@code netem}.
 */
final class DelayLine implements AutoCloseable {
    private final Process process;
    private final OutputStream delays;

    private DelayLine(Process process) {
        this.process = process;
        this.delays = process.getOutputStream();
    }

    /**
     * Makes the devices.
     *
     * @param namespace file of the namespace
     */
    static DelayLine open(Path namespace, String one, String other) throws IOException {
        String script;
        try (InputStream in = DelayLine.class.getResourceAsStream("delay.py")) {
            script = new String(Objects.requireNonNull(in).readAllBytes(), UTF_8);
        }
        Process process =
                new ProcessBuilder(
                                List.of(
                                        "nsenter",
                                        "--net=" + namespace,
                                        "python3",
                                        "-c",
                                        script,
                                        one,
                                        other))
                        .redirectError(Redirect.INHERIT)
                        .start();
        Watchdog.kill(process);
        var line = new DelayLine(process);
        var said = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8));
        if (!"ready".equals(said.readLine())) {
            line.close();
            throw new IOException("no tap devices: python3 and /dev/net/tun are needed");
        }
        return line;
    }

    /** What goes in from now on comes out so much later, behind what went in before. */
    void set(Duration delay) throws IOException {
        delays.write((delay.toMillis() + "\n").getBytes(UTF_8));
        delays.flush();
    }

    /** Removes the devices; what was on its way is lost. */
    @Override
    public void close() throws IOException {
        process.destroyForcibly();
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
