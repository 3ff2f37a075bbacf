package registry.haproxy;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import registry.haproxy.RendererConfig.HaproxyConfig;

/** Wires the companion, and ends what it began. */
final class Renderer implements AutoCloseable {
    static final String LAST_GOOD = "last-good.json";
    static final String STATUS = "status.json";
    static final String DRAINS = "drains.json";
    private static final Duration SOCKET = Duration.ofSeconds(5);

    private final FileChannel lockFile;
    private final Engine engine;
    private final Watches watches;
    private final @Nullable HaproxyProcess process;
    private final @Nullable StatusServer statusServer;
    private final Notifier notifier = new Notifier(System.getenv(), ProcessHandle.current().pid());
    private @Nullable Thread thread;

    /**
     * @param supervise whether HAProxy is ours to start and to stop
     * @param haproxyOutput where the messages of a HAProxy that is ours go
     * @throws IOException when the data folder cannot be used, also because another companion does
     */
    Renderer(RendererConfig config, boolean supervise, Redirect haproxyOutput) throws IOException {
        Clock clock = Clock.systemUTC();
        Path data = config.dataDir();
        Files.createDirectories(data);
        lockFile = lock(data);
        HaproxyConfig haproxy = config.haproxy();
        Path masterSocket = masterSocket(config, supervise);
        RuntimeApi worker = new UnixRuntimeApi(haproxy.socket(), SOCKET);
        Master master = null;
        if (masterSocket != null) {
            RuntimeApi api = new UnixRuntimeApi(masterSocket, SOCKET);
            master = new Master(api);
            worker = new WorkerApi(worker, api);
        }
        process =
                supervise && masterSocket != null && master != null
                        ? new HaproxyProcess(haproxy, masterSocket, master, haproxyOutput)
                        : null;
        StatusBoard board = new StatusBoard(data.resolve(STATUS), clock);
        statusServer =
                config.listen() == null ? null : new StatusServer(config.listen(), board, clock);
        DesiredState desired = new DesiredState(data.resolve(LAST_GOOD), clock);
        engine =
                new Engine(
                        config,
                        desired,
                        worker,
                        new Reloader(haproxy, master),
                        process,
                        board,
                        notifier);
        watches = new Watches(desired, engine);
        watches.follow(config);
    }

    private static @Nullable Path masterSocket(RendererConfig config, boolean supervise) {
        Path given = config.haproxy().masterSocket();
        return given == null && supervise ? config.dataDir().resolve("haproxy-master.sock") : given;
    }

    /** Two companions would undo each other's work. */
    static FileChannel lock(Path data) throws IOException {
        FileChannel channel =
                FileChannel.open(
                        data.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            FileLock lock = channel.tryLock();
            if (lock != null) {
                return channel;
            }
        } catch (OverlappingFileLockException e) {
            // Held by this very process: the same answer.
        }
        channel.close();
        throw new IOException("another registry-haproxy runs with data_dir " + data);
    }

    void start() {
        thread = Thread.ofPlatform().name("engine").start(engine);
    }

    /**
     * Goes on with another input; sockets, paths and the folder of data stay those of the start.
     */
    void replace(RendererConfig config) {
        notifier.reloading();
        engine.replace(config);
        watches.follow(config);
        notifier.reloaded();
    }

    /** Where {@code /health} and {@code /metrics} are; 0 for nowhere. */
    int statusPort() {
        return statusServer == null ? 0 : statusServer.port();
    }

    void join() throws InterruptedException {
        if (thread != null) {
            thread.join();
        }
    }

    @Override
    public void close() throws IOException {
        abandon();
        if (process != null) {
            process.close();
        }
    }

    /** Ends, and leaves a HAProxy that is ours to serve on. */
    void abandon() throws IOException {
        notifier.stopping();
        if (statusServer != null) {
            statusServer.close();
        }
        if (thread != null) {
            thread.interrupt();
            try {
                thread.join(Duration.ofSeconds(5));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        watches.close();
        lockFile.close();
    }
}
