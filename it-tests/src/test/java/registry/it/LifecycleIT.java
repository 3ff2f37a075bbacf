package registry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How the process starts, refuses to start, and ends: exit codes and signals are Consul's. */
@ExtendWith(Agents.class)
final class LifecycleIT {
    private static final int HTTP = 0;
    private static final int GOSSIP = 2;
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    @Test
    void serverEndsWithOneOnATermination() throws Exception {
        try (LauncherProcess agent = LauncherProcess.agent().start()) {
            put(agent, "/v1/kv/before", "the end");
            agent.signal("TERM");
            assertThat(agent.awaitExit(PATIENCE)).isEqualTo(1);
            agent.restart();
            assertThat(agent.client().get("/v1/kv/before?raw", PATIENCE).text())
                    .isEqualTo("the end");
            agent.signal("INT");
            assertThat(agent.awaitExit(PATIENCE))
                    .as("a server does not leave on an interrupt")
                    .isEqualTo(1);
        }
    }

    @Test
    void leavesGracefullyOnATerminationWhenToldTo() {
        try (LauncherProcess agent = quickToLeave().with("leave_on_terminate", true).start()) {
            agent.signal("TERM");
            assertThat(agent.awaitExit(PATIENCE)).isEqualTo(0);
        }
    }

    @Test
    void leavesGracefullyWhenAsked() {
        try (LauncherProcess agent = quickToLeave().start()) {
            Launcher.Result result = agent.cli("leave");
            assertThat(result.all()).contains("Graceful leave complete");
            assertThat(result.exit()).isZero();
            assertThat(agent.awaitExit(PATIENCE)).isEqualTo(0);
        }
    }

    /** As nohup and a script's background job start it. */
    @Test
    void hearsSignalsThatItsStarterIgnores(@TempDir Path folder) throws Exception {
        Path starter = folder.resolve("starter");
        Files.writeString(
                starter,
                "#!/bin/sh\ntrap '' HUP INT\nexec %s \"$@\"\n".formatted(Launcher.registry()));
        assertThat(starter.toFile().setExecutable(true)).isTrue();
        Path definitions = Files.createDirectory(folder.resolve("consul.d"));
        try (LauncherProcess agent =
                LauncherProcess.agent()
                        .command(starter)
                        .arguments("-config-dir", definitions.toString())
                        .start()) {
            Files.writeString(
                    definitions.resolve("web.json"), "{\"service\": {\"name\": \"web\"}}");
            agent.signal("HUP");
            await().atMost(PATIENCE)
                    .untilAsserted(() ->
                            assertThat(
                                            agent.client()
                                                    .get("/v1/agent/service/web", PATIENCE)
                                                    .status())
                                    .isEqualTo(200));
            agent.signal("INT");
            assertThat(agent.awaitExit(PATIENCE)).isEqualTo(1);
        }
    }

    @Test
    void brokenPipesAreIgnored() throws Exception {
        try (LauncherProcess agent = LauncherProcess.agent().start()) {
            agent.signal("PIPE");
            assertThat(agent.client().get("/v1/status/leader", PATIENCE).status()).isEqualTo(200);
            assertThat(agent.isAlive()).isTrue();
        }
    }

    @Test
    void worksThroughASymlinkNamedConsul(@TempDir Path folder) throws Exception {
        Path consul = Files.createSymbolicLink(folder.resolve("consul"), Launcher.registry());
        Path relative = Files.createSymbolicLink(folder.resolve("again"), Path.of("consul"));
        for (Path link : List.of(consul, relative)) {
            Launcher.Result version =
                    Launcher.run(List.of(link.toString(), "version"), Map.of(), "");
            assertThat(version.exit()).isZero();
            assertThat(version.out()).contains("v");
        }
        try (LauncherProcess agent = LauncherProcess.agent().command(consul).start()) {
            Launcher.Result members =
                    Launcher.run(
                            List.of(consul.toString(), "members", "-http-addr=" + agent.http()),
                            Map.of(),
                            "");
            assertThat(members.out()).contains("n1").contains("alive").contains("server");
        }
    }

    @Test
    void saysWhichJavaIsMissing() throws Exception {
        Sandbox sandbox;
        try {
            sandbox = Sandbox.open();
        } catch (IOException e) {
            assertThat(Sandbox.isRequired())
                    .as("root on a build server without a sandbox: %s", e.getMessage())
                    .isFalse();
            Assumptions.abort(e.getMessage());
            return;
        }
        try (sandbox) {
            String hide =
                    "mkdir -p /usr/lib/jvm && mount -t tmpfs none /usr/lib/jvm; unset JAVA_HOME REGISTRY_JAVA; ";
            // Nothing but a shell's own needs on the path: no java, whatever this machine has
            // installed.
            String path =
                    "mkdir /tmp/bin; for c in sh readlink; do ln -s $(command -v $c) /tmp/bin/$c; done; export PATH=/tmp/bin; ";
            Launcher.Result result = sandbox.sh(hide + path + Launcher.registry() + " agent -dev");
            assertThat(result.err()).contains("needs Java 25");
            assertThat(result.err().lines()).hasSize(1);
            assertThat(result.exit()).isEqualTo(1);
        }
    }

    @Test
    void saysWhichPortIsTaken() throws Exception {
        try (var holder = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            int taken = holder.getLocalPort();
            int[] free = Ports.free(5);
            for (int i : new int[] {HTTP, GOSSIP}) {
                int[] ports = free.clone();
                ports[i] = taken;
                String said = refusal(LauncherProcess.agent().ports(ports));
                assertThat(said).as("position " + i).contains(Integer.toString(taken));
            }
        }
    }

    @Test
    void aSecondAgentOnTheSameDataDirectoryIsRefused() {
        try (LauncherProcess first = LauncherProcess.agent().start()) {
            assertThat(refusal(LauncherProcess.agent().dataDir(first.dataDir())))
                    .contains(first.dataDir().toString());
            assertThat(first.isReady()).as("the first one goes on").isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"nonsense", "verify_incoming", "verify_outgoing", "cert_file", "ca_file"})
    void aKeyThatItCannotHonourStopsTheStart(String key) {
        Object value =
                key.startsWith("verify") ? true : "pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s=";
        assertThat(refusal(LauncherProcess.agent().with(key, value))).contains(key);
    }

    @Test
    void printsItsVersionQuickly(LauncherProcess agent) throws Exception {
        assertThat(agent.cli("version", "-format=json").out()).contains("\"Version\"");
        long best = Long.MAX_VALUE;
        for (int i = 0; i < 10; i++) {
            long began = System.nanoTime();
            new ProcessBuilder(Launcher.registry().toString(), "version").start().waitFor();
            best = Math.min(best, System.nanoTime() - began);
        }
        // 50 ms is the aim on an idle machine; ten times as much would be a JVM started for
        // nothing.
        assertThat(Duration.ofNanos(best)).isLessThan(Duration.ofMillis(200));
    }

    private static LauncherProcess.Setup quickToLeave() {
        return LauncherProcess.agent()
                .with("performance", Map.of("leave_drain_time", "100ms", "raft_multiplier", 1));
    }

    /** What an agent says that must not start: it ends with 1. */
    private static String refusal(LauncherProcess.Setup setup) {
        try (LauncherProcess agent = setup.prepare()) {
            agent.spawn();
            assertThat(agent.awaitExit(PATIENCE)).as(agent.log()).isEqualTo(1);
            List<String> said = new ArrayList<>(agent.log().lines().toList());
            assertThat(said).as("no stack trace").noneMatch(line -> line.startsWith("\tat "));
            return String.join("\n", said);
        }
    }

    private static void put(LauncherProcess agent, String path, String body) throws Exception {
        var answer = agent.client().put(path, body.getBytes(StandardCharsets.UTF_8), PATIENCE);
        assertThat(answer.status()).as(answer.text()).isEqualTo(200);
    }
}
