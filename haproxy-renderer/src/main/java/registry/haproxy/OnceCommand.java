package registry.haproxy;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import registry.haproxy.RendererConfig.HaproxyConfig;

/**
 * Asks the registry, brings HAProxy in step, and ends: for cron, or for a first configuration
 * before HAProxy is started.
 */
@Command(
        name = "once",
        description = "Brings HAProxy in step with the registry as it is now, and ends.")
final class OnceCommand implements Callable<Integer> {
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final Duration SOCKET = Duration.ofSeconds(5);

    @CommandLine.Mixin private RendererMain.Common common = new RendererMain.Common();

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec = CommandLine.Model.CommandSpec.create();

    @Override
    public Integer call() throws IOException, InterruptedException {
        RendererConfig config = common.read();
        Files.createDirectories(config.dataDir());
        try (FileChannel lock = Renderer.lock(config.dataDir())) {
            return bringInStep(config);
        }
    }

    private int bringInStep(RendererConfig config) throws IOException, InterruptedException {
        HaproxyConfig haproxy = config.haproxy();
        Clock clock = Clock.systemUTC();
        var desired = OneShot.ask(config, config.dataDir().resolve(Renderer.LAST_GOOD), clock);
        RuntimeApi worker = new UnixRuntimeApi(haproxy.socket(), SOCKET);
        Master master = null;
        if (haproxy.masterSocket() != null) {
            RuntimeApi api = new UnixRuntimeApi(haproxy.masterSocket(), SOCKET);
            master = new Master(api);
            worker = new WorkerApi(worker, api);
        }
        var status = new StatusBoard(config.dataDir().resolve(Renderer.STATUS), clock);
        var engine =
                new Engine(
                        config,
                        desired,
                        worker,
                        new Reloader(haproxy, master),
                        null,
                        status,
                        new Notifier(Map.of(), 0));
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (true) {
            engine.pass(Set.of(), true);
            if (engine.isInStep()) {
                spec.commandLine().getOut().println("HAProxy is in step: " + haproxy.config());
                return 0;
            }
            String problem = status.problem();
            if (problem != null && !engine.isReloading() || System.nanoTime() - deadline > 0) {
                spec.commandLine()
                        .getErr()
                        .println(problem == null ? "HAProxy did not follow in time" : problem);
                return RendererMain.FAILED;
            }
            Thread.sleep(100);
        }
    }
}
