package registry.haproxy;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.haproxy.RendererConfig.HaproxyConfig;

/**
 * HAProxy as our own child, in master-worker mode: started when it is not there, started again when
 * it ends. One that outlived an earlier companion goes on serving and is taken over. Owned by the
 * engine's thread, but for {@link #close}.
 */
final class HaproxyProcess implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HaproxyProcess.class);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);
    private static final Duration STOP = Duration.ofSeconds(5);

    private final HaproxyConfig haproxy;
    private final Path masterSocket;
    private final Master master;
    private final Redirect output;
    private volatile @Nullable ProcessHandle handle;
    private volatile boolean closed;
    private Duration pause = Duration.ofMillis(100);
    private long notBefore = System.nanoTime();
    private long startedAt = notBefore;

    /**
     * @param output where HAProxy's own messages go
     */
    HaproxyProcess(HaproxyConfig haproxy, Path masterSocket, Master master, Redirect output) {
        this.haproxy = haproxy;
        this.masterSocket = masterSocket;
        this.master = master;
        this.output = output;
    }

    /** Starts HAProxy unless it runs or has only just failed to. */
    synchronized void ensureRunning() throws IOException {
        ProcessHandle running = handle;
        if (closed || running != null && running.isAlive()) {
            return;
        }
        if (running != null) {
            handle = null;
            LOG.warn("HAProxy pid={} has ended", running.pid());
            long lived = System.nanoTime() - startedAt;
            pause =
                    lived > LONGEST_PAUSE.toNanos()
                            ? Duration.ofMillis(100)
                            : pause.multipliedBy(2);
            pause = pause.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause;
            notBefore = System.nanoTime() + pause.toNanos();
        }
        if (System.nanoTime() - notBefore < 0) {
            return;
        }
        Optional<ProcessHandle> found = running();
        if (found.isPresent()) {
            handle = found.get();
            LOG.info("taking over HAProxy pid={}", found.get().pid());
            return;
        }
        start();
    }

    private void start() throws IOException {
        Files.createDirectories(masterSocket.getParent());
        Files.createDirectories(haproxy.socket().getParent());
        List<String> command =
                List.of(
                        haproxy.binary(),
                        "-W",
                        "-S",
                        masterSocket + ",level,admin,mode,600",
                        "-f",
                        haproxy.config().toString());
        Process process =
                new ProcessBuilder(command)
                        .redirectInput(Redirect.from(Path.of("/dev/null").toFile()))
                        .redirectOutput(output)
                        .redirectError(output)
                        .start();
        handle = process.toHandle();
        startedAt = System.nanoTime();
        LOG.info("started {} pid={}", String.join(" ", command), process.pid());
    }

    /**
     * The master that answers on our socket, if there is one: left over from a companion that was
     * killed.
     */
    private Optional<ProcessHandle> running() {
        try {
            return ProcessHandle.of(master.look().pid()).filter(ProcessHandle::isAlive);
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Ends HAProxy with its workers. */
    @Override
    public void close() {
        ProcessHandle running;
        synchronized (this) {
            closed = true;
            running = handle;
        }
        if (running == null) {
            return;
        }
        running.destroy();
        try {
            running.onExit().get(STOP.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            running.descendants().forEach(ProcessHandle::destroyForcibly);
            running.destroyForcibly();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
