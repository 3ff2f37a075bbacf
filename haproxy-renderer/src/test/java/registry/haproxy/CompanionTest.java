package registry.haproxy;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole companion with a real HAProxy, against a registry that speaks the blocking API. */
class CompanionTest {
    @TempDir private Path folder;
    private final int frontend = RealHaproxy.freePort();
    private StubRegistry registry;
    private Renderer renderer;

    @BeforeEach
    void begin() throws IOException {
        registry = new StubRegistry();
    }

    @AfterEach
    void end() throws IOException {
        if (renderer != null) {
            renderer.close();
        }
        registry.close();
    }

    private void start(String service) throws IOException {
        renderer =
                new Renderer(
                        config(service),
                        true,
                        Redirect.appendTo(folder.resolve("haproxy.log").toFile()));
        renderer.start();
    }

    private RendererConfig config(String services) {
        String text =
                """
                agents: %s
                wait: 5s
                data_dir: data
                haproxy:
                  config: haproxy.cfg
                  socket: ha.sock
                  master_socket: master.sock
                  binary: %s
                services:
                %s
                """
                        .formatted(registry.uri(), RealHaproxy.binary(), services.indent(2));
        return InputReader.parse(folder.resolve("input.yaml"), text);
    }

    private String web(String more) {
        return """
        web:
          bind: 127.0.0.1:%d
          check: {path: /health}
        %s
        """
                .formatted(frontend, more.indent(2));
    }

    /** Who serves in the running HAProxy, as {@code port}s. */
    private Set<Integer> serving(String backend) {
        Set<Integer> ports = new TreeSet<>();
        try (RuntimeApi.Session session =
                new UnixRuntimeApi(folder.resolve("ha.sock"), Duration.ofSeconds(2)).connect()) {
            for (Slot slot :
                    Slot.parse(session.send("show servers state"))
                            .getOrDefault(backend, List.of())) {
                if (slot.isInService()) {
                    ports.add(slot.endpoint().port());
                }
            }
        } catch (IOException e) {
            return Set.of(-1);
        }
        return ports;
    }

    private void awaitServing(Integer... ports) {
        await().atMost(15, SECONDS)
                .pollInterval(Duration.ofMillis(10))
                .untilAsserted(() -> assertThat(serving("web")).containsExactlyInAnyOrder(ports));
    }

    private String file() throws IOException {
        return Files.readString(folder.resolve("haproxy.cfg"));
    }

    @Test
    void followsWhatTheRegistrySays() throws IOException {
        registry.put("web", "w1", "127.0.0.1", 20001);
        registry.put("web", "w2", "", 20002);
        start(web(""));
        awaitServing(20001, 20002);
        registry.put("web", "w3", "127.0.0.1", 20003);
        awaitServing(20001, 20002, 20003);
        registry.remove("web", "w1");
        awaitServing(20002, 20003);
        await().atMost(5, SECONDS)
                .untilAsserted(() ->
                        assertThat(file())
                                .contains(":20002 id", ":20003 id")
                                .doesNotContain("20001"));
    }

    @Test
    void aKilledBackendFailsNoRequestAndIsOutWithinASecond() throws Exception {
        try (var one = new BackendServer("one");
                var two = new BackendServer("two");
                var three = new BackendServer("three")) {
            for (BackendServer backend : List.of(one, two, three)) {
                registry.put("web", "w" + backend.port(), "127.0.0.1", backend.port());
            }
            start(web(""));
            awaitServing(one.port(), two.port(), three.port());
            int before;
            try (var load = new LoadClient(frontend, 200)) {
                await().atMost(10, SECONDS).until(() -> load.answersOf("two") > 50);
                two.kill();
                before = load.sent();
                await().atMost(10, SECONDS).until(() -> state("web", two.port()) == 0);
                assertThat(load.sent() - before)
                        .as("requests until HAProxy had it out")
                        .isLessThan(600);
                await().atMost(10, SECONDS).until(() -> load.sent() > 600);
                load.close();
                assertThat(load.failures()).isEmpty();
            }
        }
    }

    private int state(String backend, int port) throws IOException {
        try (RuntimeApi.Session session =
                new UnixRuntimeApi(folder.resolve("ha.sock"), Duration.ofSeconds(2)).connect()) {
            return Slot.parse(session.send("show servers state " + backend)).get(backend).stream()
                    .filter(slot -> slot.endpoint().port() == port)
                    .mapToInt(Slot::operational)
                    .findFirst()
                    .orElse(-1);
        }
    }
}
