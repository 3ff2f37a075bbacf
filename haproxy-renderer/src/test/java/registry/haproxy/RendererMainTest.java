package registry.haproxy;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RendererMainTest {
    @TempDir private Path folder;
    private final int frontend = RealHaproxy.freePort();
    private final int other = RealHaproxy.freePort();
    private StubRegistry registry;

    @BeforeEach
    void begin() throws IOException {
        registry = new StubRegistry();
        registry.put("web", "w1", "127.0.0.1", 20001);
        write("");
    }

    @AfterEach
    void end() {
        registry.close();
    }

    private void write(String more) throws IOException {
        Files.writeString(
                folder.resolve("in.yaml"),
                """
                agents: %s
                data_dir: data
                haproxy: {config: haproxy.cfg, socket: ha.sock, master_socket: m.sock, binary: "%s"}
                services:
                  web: {bind: "127.0.0.1:%d"}
                %s
                """
                        .formatted(registry.uri(), RealHaproxy.binary(), frontend, more));
    }

    private int execute(String command) {
        return RendererMain.execute(command, "-config", folder.resolve("in.yaml").toString());
    }

    @Test
    void exitCodesTellWhatKindOfTroubleItIs() throws IOException {
        assertThat(execute("check")).isZero();
        assertThat(RendererMain.execute("check", "-schema")).isZero();
        assertThat(execute("dry")).isZero();
        assertThat(execute("status")).isEqualTo(1);
        assertThat(execute("nonsense")).isEqualTo(2);
        assertThat(RendererMain.execute()).isEqualTo(2);
        assertThat(RendererMain.execute("run", "-config", "/nowhere")).isEqualTo(2);
        write("  bad: {}");
        assertThat(execute("run")).isEqualTo(2);
        write("  bad: {bind: ':1', backend: [no such keyword]}");
        assertThat(execute("check")).isEqualTo(2);
        registry.close();
        write("");
        assertThat(execute("once")).isEqualTo(1);
    }

    @Test
    void onceBringsAHaproxyInStepThatIsNotOursYet() throws Exception {
        String before =
                """
                global
                    stats socket %s mode 600 level admin expose-fd listeners
                defaults
                    timeout connect 1s
                    timeout client 1s
                    timeout server 1s
                """
                        .formatted(folder.resolve("ha.sock"));
        Files.writeString(folder.resolve("haproxy.cfg"), before);
        Process haproxy =
                new ProcessBuilder(
                                RealHaproxy.binary(),
                                "-W",
                                "-S",
                                folder.resolve("m.sock") + ",level,admin,mode,600",
                                "-f",
                                folder.resolve("haproxy.cfg").toString())
                        .redirectErrorStream(true)
                        .redirectOutput(Redirect.DISCARD)
                        .start();
        try {
            await().atMost(10, SECONDS)
                    .until(() ->
                            RealHaproxy.ask(folder.resolve("m.sock"), "@1 show info")
                                    .orElse("")
                                    .contains("Pid: "));
            assertThat(execute("once")).isZero();
            assertThat(RealHaproxy.isListening(frontend)).isTrue();
            assertThat(execute("status")).isZero();
            assertThat(folder.resolve("haproxy.cfg.orig")).hasContent(before);
        } finally {
            haproxy.destroy();
            haproxy.waitFor();
        }
    }

    /** As a process: signals are part of what it promises. */
    @Test
    void hangupReadsTheInputAgainAndTerminateEndsHaproxyToo() throws Exception {
        Path log = folder.resolve("log");
        Process companion =
                new ProcessBuilder(
                                List.of(
                                        System.getProperty("java.home") + "/bin/java",
                                        "-cp",
                                        System.getProperty("java.class.path"),
                                        "-XX:TieredStopAtLevel=1",
                                        RendererMain.class.getName(),
                                        "run",
                                        "-exec",
                                        "-config",
                                        folder.resolve("in.yaml").toString()))
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start();
        try {
            await().atMost(20, SECONDS).until(() -> RealHaproxy.isListening(frontend));
            write("  bad: {}");
            hangup(companion);
            await().atMost(10, SECONDS)
                    .until(() -> Files.readString(log).contains("services.bad.bind: missing"));
            write("  other: {bind: '127.0.0.1:" + other + "'}");
            hangup(companion);
            await().atMost(20, SECONDS).until(() -> RealHaproxy.isListening(other));
            assertThat(RealHaproxy.isListening(frontend)).isTrue();
        } finally {
            companion.destroy();
        }
        assertThat(companion.waitFor(20, SECONDS)).isTrue();
        assertThat(companion.exitValue()).isZero();
        assertThat(RealHaproxy.isListening(frontend)).isFalse();
    }

    private static void hangup(Process companion) throws IOException, InterruptedException {
        assertThat(
                        new ProcessBuilder("kill", "-HUP", Long.toString(companion.pid()))
                                .start()
                                .waitFor())
                .isZero();
    }
}
