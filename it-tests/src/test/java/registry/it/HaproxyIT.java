package registry.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three backends behind HAProxy, which the companion keeps in step with the registry, at 200
 * requests a second: agent, companion, HAProxy and backends are processes as a user runs them.
 */
final class HaproxyIT {
    private static final int RATE = 200;

    @TempDir private Path folder;
    private final Map<String, Process> backends = new LinkedHashMap<>();
    private final List<Process> others = new ArrayList<>();
    private int[] ports;
    private int front;
    private LauncherProcess agent;

    @BeforeEach
    void startAll() throws Exception {
        ports = Ports.free(3);
        front = Ports.free(1)[0];
        Path consulD = Files.createDirectory(folder.resolve("consul.d"));
        for (int i = 0; i < ports.length; i++) {
            startBackend(i);
            Files.writeString(
                    consulD.resolve("web-" + i + ".json"),
                    """
                    {"service": {"id": "web-%d", "name": "web", "address": "127.0.0.1", "port": %d,
                      "check": {"http": "http://127.0.0.1:%d/", "interval": "1s", "timeout": "1s"}}}
                    """
                            .formatted(i, ports[i], ports[i]));
        }
        agent = LauncherProcess.agent().arguments("-config-dir", consulD.toString()).start();
        Path input =
                Files.writeString(
                        folder.resolve("haproxy.yaml"),
                        """
                        agents: ["http://%s"]
                        data_dir: data
                        haproxy:
                          config: haproxy.cfg
                          socket: admin.sock
                          master_socket: master.sock
                        services:
                          web:
                            bind: ["127.0.0.1:%d"]
                            check: {path: /}
                        """
                                .formatted(agent.http(), front));
        start(
                "companion",
                Launcher.companion().toString(),
                "run",
                "-exec",
                "-config",
                input.toString());
        await().atMost(20, SECONDS)
                .untilAsserted(() -> assertThat(serversUp()).as(log("companion")).hasSize(3));
    }

    @AfterEach
    void stopAll() throws Exception {
        for (Process process : others.reversed()) {
            process.destroy();
            if (!process.waitFor(5, SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        }
        for (Process process : backends.values()) {
            process.destroyForcibly().waitFor();
        }
        if (agent != null) {
            agent.close();
        }
    }

    @Test
    void aKilledBackendCostsNoRequestAndComesBack() throws Exception {
        try (var load = new SteadyLoad(front, RATE)) {
            await().atMost(10, SECONDS)
                    .until(() ->
                            backends.keySet().stream()
                                    .allMatch(name ->
                                            load.hasSeen(name, System.nanoTime() - 1_000_000_000)));

            long killed = System.nanoTime();
            backends.get("web-1").destroyForcibly().waitFor();
            await().atMost(10, SECONDS)
                    .pollDelay(0, MILLISECONDS)
                    .pollInterval(5, MILLISECONDS)
                    .until(() -> serversUp().size() == 2);
            long outMillis = (System.nanoTime() - killed) / 1_000_000;
            await().atMost(20, SECONDS)
                    .untilAsserted(() ->
                            assertThat(agent.cli("catalog", "services").out())
                                    .as("the registry goes on")
                                    .contains("web"));

            startBackend(1);
            long started = System.nanoTime();
            await().atMost(20, SECONDS)
                    .pollInterval(10, MILLISECONDS)
                    .until(() -> load.hasSeen("web-1", started));
            long backMillis = (System.nanoTime() - started) / 1_000_000;
            load.stop();
            System.out.printf(
                    "HAProxy: backend killed at %d requests/s: out after %d ms, back after %d ms, %d of %d requests failed%n",
                    RATE, outMillis, backMillis, load.failures().size(), load.sent());
            assertThat(load.failures()).as(log("companion")).isEmpty();
        }
    }

    @Test
    void keepsServingWhileTheRegistryIsGone() throws Exception {
        try (var load = new SteadyLoad(front, RATE)) {
            agent.kill();
            int before = load.sent();
            await().atMost(10, SECONDS).until(() -> load.sent() > before + 2 * RATE);
            agent.restart();
            int after = load.sent();
            await().atMost(10, SECONDS).until(() -> load.sent() > after + 2 * RATE);
            load.stop();
            assertThat(load.failures()).as(log("companion")).isEmpty();
            assertThat(serversUp()).hasSize(3);
        }
    }

    /** Servers of the service that HAProxy holds for healthy, by its statistics. */
    private List<String> serversUp() {
        var up = new ArrayList<String>();
        for (String line : askHaproxy("show stat").split("\n")) {
            String[] fields = line.split(",", -1);
            boolean server =
                    fields.length > 17
                            && !fields[1].equals("FRONTEND")
                            && !fields[1].equals("BACKEND");
            if (server && fields[17].startsWith("UP")) {
                up.add(fields[0] + "/" + fields[1]);
            }
        }
        return up;
    }

    private String askHaproxy(String command) {
        try (var socket = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            socket.connect(UnixDomainSocketAddress.of(folder.resolve("admin.sock")));
            socket.write(ByteBuffer.wrap((command + "\n").getBytes(UTF_8)));
            return new String(Channels.newInputStream(socket).readAllBytes(), UTF_8);
        } catch (IOException notYet) {
            return "";
        }
    }

    private void startBackend(int i) throws Exception {
        backends.put("web-" + i, Backend.start("web-" + i, ports[i]));
    }

    private void start(String name, String... command) throws IOException {
        var builder =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(folder.resolve(name + ".log").toFile());
        Launcher.forgetConsulVariables(builder);
        others.add(builder.start());
    }

    private String log(String name) throws IOException {
        Path file = folder.resolve(name + ".log");
        return Files.exists(file) ? "--- " + name + ":\n" + Files.readString(file) : "";
    }
}
