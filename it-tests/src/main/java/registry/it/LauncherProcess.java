package registry.it;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;
import org.jspecify.annotations.Nullable;
import registry.api.client.RegistryClient;

/**
 * One agent of the packaged launcher, with ports and a data directory of its own; its process may
 * be ended and started again. {@code start} and {@code restart} return when it leads itself and
 * knows its own node. Not for several threads at once, except {@link #client}, {@link #http} and
 * {@link #log}.
 */
public final class LauncherProcess implements AutoCloseable {
    private static final Duration READY = Duration.ofSeconds(60);
    private static final Duration END = Duration.ofSeconds(20);
    private static final Duration ASK = Duration.ofSeconds(5);
    private static final int TAIL_LINES = 60;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Setup setup;
    private final Path folder;
    private final Path dataDir;
    private final Path configFile;
    private final Path log;
    private final RegistryClient client;
    private @Nullable Process process;
    private boolean endExpected;

    /** How an agent is to be started; see {@link #agent}. */
    public static final class Setup {
        private final Map<String, Object> config = new LinkedHashMap<>();
        private final List<String> arguments = new ArrayList<>();
        private final Map<String, String> environment = new LinkedHashMap<>();
        private List<String> prefix = List.of();
        private Path command = Launcher.registry();
        private @Nullable Path dataDir;
        private @Nullable URI api;
        private int[] ports = {};

        private Setup() {
            config.put("node_name", "n1");
            config.put("server", true);
            config.put("bootstrap_expect", 1);
            config.put("bind_addr", "127.0.0.1");
            config.put("client_addr", "127.0.0.1");
            config.put("log_level", "info");
        }

        /**
         * Sets one key of the configuration file, replacing what is there; ports may be given this
         * way too.
         */
        public Setup with(String key, Object value) {
            config.put(key, value);
            return this;
        }

        /** Leaves a key out of the configuration file that would be there by default. */
        public Setup without(String key) {
            config.remove(key);
            return this;
        }

        /** Where this JVM reaches the HTTP API, when that is not its port of 127.0.0.1. */
        Setup reachedAt(String host, int port) {
            api = URI.create("http://" + host + ":" + port);
            return this;
        }

        /** Adds words to the command line behind {@code agent -config-file FILE}. */
        public Setup arguments(String... words) {
            arguments.addAll(List.of(words));
            return this;
        }

        /** Sets a variable of the process. */
        public Setup environment(String name, String value) {
            environment.put(name, value);
            return this;
        }

        /** What to put before the command, such as the words of a {@link Sandbox}. */
        public Setup behind(List<String> words) {
            prefix = List.copyOf(words);
            return this;
        }

        /**
         * Starts this program in the place of {@code bin/registry}, for instance a symlink to it.
         */
        public Setup command(Path program) {
            command = program;
            return this;
        }

        /**
         * A data directory that is kept when the agent is closed; without it a temporary one is
         * used and removed.
         */
        public Setup dataDir(Path folder) {
            dataDir = folder;
            return this;
        }

        /** Five ports instead of free ones: HTTP, DNS, gossip, server, WAN gossip. */
        public Setup ports(int... five) {
            ports = five.clone();
            return this;
        }

        /** Prepares the agent without starting it. */
        public LauncherProcess prepare() {
            return new LauncherProcess(this);
        }

        /** Starts the agent and waits until it is ready. */
        public LauncherProcess start() {
            LauncherProcess agent = prepare();
            try {
                agent.restart();
            } catch (RuntimeException | Error e) {
                agent.close();
                throw e;
            }
            return agent;
        }
    }

    private LauncherProcess(Setup setup) {
        this.setup = setup;
        try {
            folder = Files.createTempDirectory("registry-it");
            Watchdog.remove(folder);
            dataDir = setup.dataDir == null ? folder.resolve("data") : setup.dataDir;
            configFile = folder.resolve("agent.json");
            log = folder.resolve("agent.log");
            int[] ports = setup.ports.length == 5 ? setup.ports : Ports.free(5);
            setup.config.putIfAbsent("data_dir", dataDir.toString());
            setup.config.putIfAbsent("ports", portKeys(ports));
            Files.writeString(
                    configFile,
                    JSON.writerWithDefaultPrettyPrinter().writeValueAsString(setup.config));
            Files.createFile(log);
            URI local = URI.create("http://127.0.0.1:" + ports[0]);
            client = new RegistryClient(setup.api == null ? local : setup.api, null);
        } catch (IOException e) {
            throw new IllegalStateException("cannot prepare an agent", e);
        }
    }

    /** Changes a key of the configuration file; the process is to be started again for it. */
    public void reconfigure(String key, Object value) {
        setup.config.put(key, value);
        try {
            Files.writeString(
                    configFile,
                    JSON.writerWithDefaultPrettyPrinter().writeValueAsString(setup.config));
        } catch (IOException e) {
            throw new IllegalStateException("cannot write " + configFile, e);
        }
    }

    /** A single server named n1 on free ports of 127.0.0.1, unless told otherwise. */
    public static Setup agent() {
        return new Setup();
    }

    /**
     * Starts the process, which must not run, on the data directory as it is, and waits until the
     * agent is ready.
     */
    public LauncherProcess restart() {
        spawn();
        awaitReady();
        return this;
    }

    /** Starts the process and waits for nothing. */
    public Process spawn() {
        if (isAlive()) {
            throw new IllegalStateException("still runs as " + pid());
        }
        var command = new ArrayList<>(setup.prefix);
        command.addAll(
                List.of(setup.command.toString(), "agent", "-config-file", configFile.toString()));
        command.addAll(setup.arguments);
        var builder =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        Launcher.forgetConsulVariables(builder);
        builder.environment().putAll(setup.environment);
        try {
            Process started = builder.start();
            process = started;
            endExpected = false;
            Watchdog.kill(started);
            return started;
        } catch (IOException e) {
            throw new IllegalStateException("cannot start " + command, e);
        }
    }

    /**
     * Waits until the agent leads itself and its own node is passing in the catalogue; fails at
     * once when it dies.
     */
    public void awaitReady() {
        try {
            Awaitility.await()
                    .pollInSameThread()
                    .pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofMillis(20))
                    .atMost(READY)
                    .failFast("the agent ended", () -> !isAlive())
                    .until(this::isReady);
        } catch (ConditionTimeoutException | org.awaitility.core.TerminalFailureException e) {
            throw new AssertionError(
                    setup.config.get("node_name")
                            + " is not ready: "
                            + e.getMessage()
                            + "\n"
                            + logTail(),
                    e);
        }
    }

    /** Whether it knows a leader and shows its own node as alive. */
    public boolean isReady() {
        try {
            var leader = client.get("/v1/status/leader", ASK);
            if (leader.status() != 200 || leader.text().length() <= 2) {
                return false;
            }
            var health = client.get("/v1/health/node/" + setup.config.get("node_name"), ASK);
            return health.status() == 200
                    && health.text().contains("\"serfHealth\"")
                    && health.text().contains("\"passing\"");
        } catch (IOException notYet) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for an agent", e);
        }
    }

    public boolean isAlive() {
        return process != null && process.isAlive();
    }

    /** Whether the process has ended though nobody here had a hand in it. */
    public boolean endedByItself() {
        return process != null && !process.isAlive() && !endExpected;
    }

    /** The process as it was started last. */
    public Process process() {
        if (process == null) {
            throw new IllegalStateException("not started");
        }
        return process;
    }

    public long pid() {
        return process().pid();
    }

    /** CPU and memory until now. */
    public ProcessFigures figures() {
        return ProcessFigures.of(pid());
    }

    /**
     * Ends the process as a crash does, without any of its own doing, and waits until it is gone.
     */
    public void kill() {
        if (isAlive()) {
            endExpected = true;
        }
        process().destroyForcibly();
        awaitExit(END);
    }

    /** Sends a signal by name, such as {@code HUP}. */
    public void signal(String name) {
        Launcher.Result result =
                Launcher.run(List.of("kill", "-" + name, Long.toString(pid())), Map.of(), "");
        if (result.exit() != 0) {
            throw new IllegalStateException("kill -" + name + ": " + result.err());
        }
    }

    /** Exit code of the process, which must end within {@code patience}. */
    public int awaitExit(Duration patience) {
        endExpected = true;
        try {
            return Launcher.exitOf(process(), patience);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while an agent was to end", e);
        } catch (AssertionError e) {
            throw new AssertionError(e.getMessage() + "\n" + logTail(), e);
        }
    }

    /** Its HTTP API. */
    public RegistryClient client() {
        return client;
    }

    /** Host and port of its HTTP API, as {@code -http-addr} and CONSUL_HTTP_ADDR want it. */
    public String http() {
        return client.agent().getAuthority();
    }

    public int httpPort() {
        return client.agent().getPort();
    }

    public Path dataDir() {
        return dataDir;
    }

    /** A temporary folder of this agent, removed with it; holds its configuration and log. */
    public Path folder() {
        return folder;
    }

    /** Runs {@code registry ARGS} against this agent to its end. */
    public Launcher.Result cli(String... args) {
        return Launcher.run(http(), args);
    }

    /** All that its processes have printed. */
    public String log() {
        try {
            return new String(Files.readAllBytes(log), UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException("cannot read " + log, e);
        }
    }

    /** The last lines of {@link #log}, to be shown with a failure. */
    public String logTail() {
        List<String> lines = log().lines().toList();
        return "--- the end of "
                + log
                + ":\n"
                + String.join(
                        "\n", lines.subList(Math.max(0, lines.size() - TAIL_LINES), lines.size()));
    }

    /**
     * Ends the process, hard when it does not stop by itself within 5 s, and removes the temporary
     * files.
     */
    @Override
    public void close() {
        client.close();
        if (process != null && process.isAlive()) {
            process.destroy();
            try {
                if (!process.waitFor(5, TimeUnit.SECONDS)) {
                    process.destroyForcibly().waitFor();
                }
            } catch (InterruptedException e) {
                process.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
        removeTree(folder);
    }

    private static Map<String, Integer> portKeys(int[] ports) {
        return Map.of(
                "http", ports[0],
                "dns", ports[1],
                "serf_lan", ports[2],
                "server", ports[3],
                "serf_wan", ports[4],
                "https", -1,
                "grpc", -1);
    }

    private static void removeTree(Path root) {
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new IllegalStateException("cannot remove " + root, e);
        }
    }
}
