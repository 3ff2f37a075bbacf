package registry.it.haproxy;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import registry.api.client.RegistryClient;
import registry.it.Backend;
import registry.it.Launcher;
import registry.it.LauncherProcess;
import registry.it.Ports;
import registry.it.ProcessFigures;

/**
 * The whole picture on this machine, each part a process: agents that do not know of each other and
 * of which every one has all instances, three backends of the service {@code web}, HAProxy as
 * Debian's unit starts it, and the companion that keeps it in step. HAProxy is started and killed
 * by us, so that what the companion does and what an operator does stay apart.
 */
final class Site implements AutoCloseable {
    static final String WEB = "web";
    static final int BACKENDS = 3;
    private static final Duration ASK = Duration.ofSeconds(5);
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final Path folder;
    private final HaproxySocket socket;
    private final List<LauncherProcess> agents = new ArrayList<>();
    private final Map<String, Instance> instances = new LinkedHashMap<>();
    private final int front = Ports.free(1)[0];
    private Process companion;
    private Process haproxy;
    private int named;

    /** A backend's process, its name in the registry and its port. */
    record Instance(String id, int port, Process process) {}

    private Site(Path folder) {
        this.folder = folder;
        this.socket =
                new HaproxySocket(folder.resolve("admin.sock"), folder.resolve("master.sock"));
    }

    /** Everything up, {@code web} served by three backends. */
    static Site start(Path folder, int agents) {
        return start(folder, agents, BACKENDS);
    }

    static Site start(Path folder, int agents, int backends) {
        var site = new Site(folder);
        try {
            for (int i = 0; i < agents; i++) {
                site.agents.add(LauncherProcess.agent().start());
            }
            for (int i = 0; i < backends; i++) {
                site.register(site.startBackend());
            }
            site.input(site.webService(""));
            site.startCompanion();
            await(() -> Files.exists(site.configFile()));
            site.startHaproxy();
            site.awaitServing();
        } catch (RuntimeException | Error e) {
            String logs = site.logs();
            site.close();
            throw new AssertionError(logs, e);
        }
        return site;
    }

    int front() {
        return front;
    }

    HaproxySocket haproxy() {
        return socket;
    }

    LauncherProcess agent() {
        return agents.getFirst();
    }

    List<Instance> instances() {
        return List.copyOf(instances.values());
    }

    Path configFile() {
        return folder.resolve("haproxy.cfg");
    }

    String configText() {
        try {
            return Files.readString(configFile());
        } catch (IOException e) {
            return "";
        }
    }

    // The input.

    /** The entry of {@code web} in the input, with more lines of it. */
    String webService(String more) {
        return serviceEntry(WEB, front, "check: {path: /}\n" + more);
    }

    static String serviceEntry(String key, int port, String more) {
        return key + ":\n  bind: 127.0.0.1:" + port + "\n" + more.indent(2);
    }

    /** Writes the input with these entries of services; a running companion is not told. */
    void input(String services) {
        var text = new StringBuilder("agents:\n");
        agents.forEach(agent -> text.append("  - http://").append(agent.http()).append('\n'));
        text.append(
                """
                data_dir: data
                haproxy:
                  config: haproxy.cfg
                  socket: admin.sock
                  master_socket: master.sock
                services:
                """);
        text.append(services.indent(2));
        try {
            Path next = Files.writeString(folder.resolve("input.new"), text);
            Files.move(next, inputFile(), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new IllegalStateException("cannot write the input", e);
        }
    }

    /** Has the running companion take other services, and waits until HAProxy has them. */
    void change(String services) {
        input(services);
        String before = socket.version();
        signal(companion, "HUP");
        try {
            await(() -> !socket.version().equals(before) && isInStep());
        } catch (RuntimeException e) {
            throw new AssertionError("HAProxy does not take the change\n" + logs(), e);
        }
    }

    private Path inputFile() {
        return folder.resolve("haproxy.yaml");
    }

    // The companion.

    void startCompanion() {
        companion =
                spawn(
                        "companion",
                        Launcher.companion().toString(),
                        "run",
                        "-config",
                        inputFile().toString());
    }

    void killCompanion() {
        kill(companion);
    }

    boolean isCompanionAlive() {
        return companion.isAlive();
    }

    void hangUpCompanion() {
        signal(companion, "HUP");
    }

    ProcessFigures companionFigures() {
        return ProcessFigures.of(companion.pid());
    }

    Launcher.Result status() {
        return Launcher.run(
                List.of(
                        Launcher.companion().toString(),
                        "status",
                        "-config",
                        inputFile().toString()),
                Map.of(),
                "");
    }

    /** Whether file and process have the same structure, with nothing on its way. */
    boolean isInStep() {
        String loaded = socket.version();
        return !loaded.isEmpty()
                && configText().contains("set-var proc.cfgver int(" + loaded + ")")
                && read(folder.resolve("data/status.json"))
                        .replace(" ", "")
                        .contains("\"wantedVersion\":" + loaded + ",");
    }

    // HAProxy, as its unit starts it.

    void startHaproxy() {
        haproxy =
                spawn(
                        "haproxy",
                        "haproxy",
                        "-W",
                        "-S",
                        folder.resolve("master.sock") + ",level,admin,mode,600",
                        "-f",
                        configFile().toString());
    }

    /** Ends master and workers as the out-of-memory killer does. */
    void killHaproxy() {
        List<ProcessHandle> workers = haproxy.descendants().toList();
        kill(haproxy);
        workers.forEach(worker -> {
            worker.destroyForcibly();
            worker.onExit().join();
        });
    }

    // Instances.

    /** A new backend that answers, unknown to the registry. */
    Instance startBackend() {
        return startBackend(WEB + "-" + ++named, Ports.free(1)[0]);
    }

    private static Instance startBackend(String id, int port) {
        try {
            var instance = new Instance(id, port, Backend.start(id, port));
            var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
            await(() -> OpenLoop.send(address, System.nanoTime()).isGood());
            return instance;
        } catch (IOException e) {
            throw new IllegalStateException("cannot start a backend", e);
        }
    }

    /** Starts the backend anew that has died, on its port. */
    Instance restart(Instance dead) {
        Instance again = startBackend(dead.id(), dead.port());
        instances.computeIfPresent(dead.id(), (id, before) -> again);
        return again;
    }

    /**
     * Registers it with all agents, passing, with an HTTP check and with a TTL check that we
     * decide.
     */
    void register(Instance instance) {
        String body =
                """
                {"ID": "%1$s", "Name": "web", "Address": "127.0.0.1", "Port": %2$d, "Checks": [
                  {"CheckID": "http-%1$s", "HTTP": "http://127.0.0.1:%2$d/", "Interval": "1s",
                   "Timeout": "1s", "Status": "passing"},
                  {"CheckID": "ttl-%1$s", "TTL": "1h", "Status": "passing"}]}
                """
                        .formatted(instance.id(), instance.port());
        instances.put(instance.id(), instance);
        agents.forEach(agent -> put(agent, "/v1/agent/service/register", body));
    }

    void deregister(Instance instance) {
        instances.remove(instance.id());
        agents.stream()
                .filter(LauncherProcess::isAlive)
                .forEach(agent -> put(agent, "/v1/agent/service/deregister/" + instance.id(), ""));
    }

    /** Sets the TTL check: {@code pass} or {@code fail}. */
    void check(Instance instance, String verdict) {
        agents.forEach(
                agent -> put(agent, "/v1/agent/check/" + verdict + "/ttl-" + instance.id(), ""));
    }

    void put(LauncherProcess agent, String path, String body) {
        RegistryClient.Answer answer = tryPut(agent, path, body);
        if (!answer.isOk()) {
            throw new IllegalStateException(path + ": " + answer.status() + " " + answer.text());
        }
    }

    static RegistryClient.Answer tryPut(LauncherProcess agent, String path, String body) {
        try {
            return agent.client().put(path, body.getBytes(UTF_8), ASK);
        } catch (IOException e) {
            throw new IllegalStateException("PUT " + path, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    // Waiting.

    /** Waits until HAProxy serves exactly what is registered. */
    void awaitServing() {
        Set<Integer> wanted = new TreeSet<>();
        instances.values().forEach(instance -> wanted.add(instance.port()));
        awaitServing(wanted);
    }

    void awaitServing(Set<Integer> wanted) {
        try {
            await(() -> socket.serving(WEB).equals(wanted));
        } catch (RuntimeException e) {
            throw new AssertionError(
                    "wanted " + wanted + ", served " + socket.serving(WEB) + "\n" + logs(), e);
        }
    }

    /** Waits until {@code port} is served or is not; returns how long it took since then. */
    double millisUntil(int port, boolean served, long since) {
        await(() -> socket.serving(WEB).contains(port) == served);
        return Figures.millisSince(since);
    }

    /** Waits, looking every two milliseconds. */
    static void await(Callable<Boolean> condition) {
        Awaitility.await()
                .pollInSameThread()
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(2))
                .atMost(PATIENCE)
                .until(condition);
    }

    // Processes.

    static void kill(Process process) {
        process.destroyForcibly();
        process.onExit().join();
    }

    static void signal(Process process, String name) {
        Launcher.Result result =
                Launcher.run(List.of("kill", "-" + name, "" + process.pid()), Map.of(), "");
        if (result.exit() != 0) {
            throw new IllegalStateException("kill -" + name + ": " + result.err());
        }
    }

    private Process spawn(String name, String... command) {
        var builder =
                new ProcessBuilder(command)
                        .directory(folder.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(
                                ProcessBuilder.Redirect.appendTo(
                                        folder.resolve(name + ".log").toFile()));
        Launcher.forgetConsulVariables(builder);
        try {
            return builder.start();
        } catch (IOException e) {
            throw new IllegalStateException("cannot start " + name, e);
        }
    }

    String companionLog() {
        return read(folder.resolve("companion.log"));
    }

    /** The ends of the logs, to be shown with a failure. */
    String logs() {
        return "--- companion:\n" + tail("companion.log") + "--- haproxy:\n" + tail("haproxy.log");
    }

    private String tail(String name) {
        String text = read(folder.resolve(name));
        return text.substring(Math.max(0, text.length() - 6_000));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return "";
        }
    }

    @Override
    public void close() {
        if (companion != null) {
            companion.destroy();
        }
        if (haproxy != null) {
            killHaproxy();
        }
        instances.values().forEach(instance -> instance.process().destroyForcibly());
        agents.forEach(LauncherProcess::close);
        if (companion != null) {
            try {
                if (!companion.waitFor(5, TimeUnit.SECONDS)) {
                    kill(companion);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
