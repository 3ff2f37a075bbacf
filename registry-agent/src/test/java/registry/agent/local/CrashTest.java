package registry.agent.local;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static registry.agent.local.LocalFixture.NOTHING;
import static registry.agent.local.LocalFixture.service;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import registry.agent.check.Checks;
import registry.agent.check.SystemTimers;
import registry.agent.local.LocalState.Source;

/** A process with a local state that is killed without warning. */
class CrashTest {
    private static final Duration TTL = Duration.ofMinutes(5);

    @TempDir Path dir;

    @Test
    void whatWasAcknowledgedIsThereAfterKillMinusNine() throws Exception {
        Path acknowledged = dir.resolve("acknowledged");
        Process process =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "--enable-native-access=ALL-UNNAMED",
                                "-XX:TieredStopAtLevel=1",
                                "-cp",
                                System.getProperty("java.class.path"),
                                Registering.class.getName(),
                                dir.resolve("data").toString(),
                                acknowledged.toString())
                        .redirectErrorStream(true)
                        .redirectOutput(dir.resolve("out").toFile())
                        .start();
        await().atMost(60, SECONDS)
                .until(() -> !process.isAlive() || lines(acknowledged).size() > 300);
        assertThat(process.isAlive()).as(() -> text(dir.resolve("out"))).isTrue();
        process.destroyForcibly().waitFor();

        var timers = new SystemTimers();
        try (var local =
                LocalFixture.open(dir.resolve("data"), new FakeServers(), timers, NOTHING)) {
            List<String> ids = lines(acknowledged);
            assertThat(local.state.services().keySet()).containsAll(ids);
            for (String id : ids) {
                assertThat(local.state.checks().get("service:" + id).status())
                        .as(id)
                        .isEqualTo("warning");
                assertThat(local.store.of("service:" + id)).as(id).hasSize(1);
            }
        }
        timers.close();
    }

    private static List<String> lines(Path file) throws IOException {
        if (!Files.exists(file)) {
            return List.of();
        }
        String text = Files.readString(file);
        return text.substring(0, text.lastIndexOf('\n') + 1).lines().toList();
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }

    /**
     * Registers services from four threads and reports each one's check, then says which are done.
     */
    static final class Registering {
        private Registering() {}

        public static void main(String[] args) throws Exception {
            var local =
                    LocalFixture.open(
                            Path.of(args[0]), new FakeServers(), new SystemTimers(), NOTHING);
            var number = new AtomicInteger();
            var out = Files.newOutputStream(Path.of(args[1]));
            for (int i = 0; i < 4; i++) {
                Thread.ofPlatform()
                        .start(() -> {
                            while (true) {
                                String id = "s" + number.incrementAndGet();
                                local.state.addService(
                                        service(id, "web", Checks.ttl("", TTL)), Source.API, false);
                                local.state.updateTtl("service:" + id, "warning", "hm");
                                say(out, id);
                            }
                        });
            }
        }

        private static void say(OutputStream out, String id) {
            try {
                synchronized (out) {
                    out.write((id + "\n").getBytes(StandardCharsets.UTF_8));
                    out.flush();
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
