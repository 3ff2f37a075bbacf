package registry.haproxy;

import ch.qos.logback.classic.Level;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code registry-haproxy}: exit code 0 when all is well, 1 when it could not be done, 2 for bad
 * usage or a bad input file.
 */
@Command(
        name = "registry-haproxy",
        description = "Follows services in the registry and keeps HAProxy in step with them.",
        subcommands = {
            RendererMain.Run.class,
            OnceCommand.class,
            DryCommand.class,
            CheckCommand.class,
            StatusCommand.class,
            DrainCommand.class
        },
        synopsisSubcommandLabel = "COMMAND")
public final class RendererMain implements Runnable {
    static final int FAILED = 1;
    static final int BAD_INPUT = 2;

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec = CommandLine.Model.CommandSpec.create();

    public static void main(String[] arguments) {
        System.exit(execute(arguments));
    }

    static int execute(String... arguments) {
        return new CommandLine(new RendererMain())
                .setExecutionExceptionHandler(RendererMain::explain)
                .execute(arguments);
    }

    @Override
    public void run() {
        throw new CommandLine.ParameterException(spec.commandLine(), "Missing command");
    }

    private static int explain(Exception e, CommandLine command, CommandLine.ParseResult parsed) {
        command.getErr().println(e.getMessage() == null ? e.toString() : e.getMessage());
        return e instanceof InputException ? BAD_INPUT : FAILED;
    }

    /** What every command takes. */
    static final class Common {
        @Option(
                names = {"-config", "--config"},
                paramLabel = "FILE",
                defaultValue = "/etc/registry-haproxy.yaml",
                description = "the input, YAML or JSON (default: ${DEFAULT-VALUE})")
        private Path config = Path.of("/etc/registry-haproxy.yaml");

        @Option(
                names = {"-log-level", "--log-level"},
                paramLabel = "LEVEL",
                defaultValue = "info",
                description = "trace, debug, info, warn or error (default: ${DEFAULT-VALUE})")
        private String logLevel = "info";

        @Option(
                names = {"-h", "-help", "--help"},
                usageHelp = true,
                description = "this text")
        private boolean help;

        Path file() {
            return config;
        }

        RendererConfig read() {
            Level level = Level.toLevel(logLevel.toUpperCase(Locale.ROOT), null);
            if (level == null) {
                throw new InputException(
                        "-log-level: \""
                                + logLevel
                                + "\" is not one of trace, debug, info, warn, error");
            }
            ((ch.qos.logback.classic.Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME))
                    .setLevel(level);
            return InputReader.read(config);
        }
    }

    /** Runs until it is told to stop. */
    @Command(
            name = "run",
            description =
                    "Follows the services until it is stopped; reads the input again at SIGHUP.")
    static final class Run implements Callable<Integer> {
        private static final Logger LOG = LoggerFactory.getLogger(Run.class);

        @CommandLine.Mixin private Common common = new Common();

        @Option(
                names = {"-exec", "--exec"},
                description =
                        "start HAProxy too, start it again when it ends, and stop it at the end")
        private boolean exec;

        @Override
        public Integer call() throws IOException, InterruptedException {
            RendererConfig config = common.read();
            var renderer = new Renderer(config, exec, ProcessBuilder.Redirect.INHERIT);
            Runtime.getRuntime()
                    .addShutdownHook(Thread.ofPlatform().unstarted(() -> stop(renderer)));
            Hangup.handle(() -> reread(renderer));
            renderer.start();
            LOG.info("following services={} agents={}", config.services().size(), config.agents());
            renderer.join();
            return 0;
        }

        private void reread(Renderer renderer) {
            try {
                renderer.replace(common.read());
                LOG.info("read {} again", common.file());
            } catch (InputException e) {
                LOG.error(
                        "{} is wrong, going on with what was read before:\n{}",
                        common.file(),
                        e.getMessage());
            }
        }

        private static void stop(Renderer renderer) {
            try {
                renderer.close();
            } catch (IOException e) {
                LOG.warn("not stopped cleanly: {}", e.toString());
            }
            // A stop that was asked for is a good end; the JVM would report the signal.
            Runtime.getRuntime().halt(0);
        }
    }
}
