package registry.haproxy;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A whole companion with a real HAProxy, against a registry that speaks the blocking API. */
abstract class CompanionSite {
    @TempDir Path folder;
    final int frontend = RealHaproxy.freePort();
    final int entrance = RealHaproxy.freePort();
    StubRegistry registry;
    Renderer renderer;

    @BeforeEach
    void begin() throws IOException {
        registry = new StubRegistry();
    }

    @AfterEach
    void end() throws IOException {
        if (renderer != null) {
            renderer.close();
        }
        // One that a failed test has left without a companion.
        if (masterPid() > 0) {
            RealHaproxy.kill(masterPid());
        }
        registry.close();
    }

    void start(String service) throws IOException {
        renderer =
                new Renderer(
                        config(service),
                        true,
                        Redirect.appendTo(folder.resolve("haproxy.log").toFile()));
        renderer.start();
    }

    RendererConfig config(String services) {
        return InputReader.parse(folder.resolve("input.yaml"), text(services));
    }

    String text(String services) {
        return """
        agents: %s
        wait: 2s
        data_dir: data
        listen: 127.0.0.1:0
        haproxy:
          config: haproxy.cfg
          socket: ha.sock
          master_socket: master.sock
          binary: %s
        frontends:
          entrance:
            bind: 127.0.0.1:%d
        services:
        %s
        """
                .formatted(
                        registry.uri(),
                        RealHaproxy.binary(),
                        services.contains("route:") ? frontend : entrance,
                        services.indent(2));
    }

    String web(String more) {
        return """
        web:
          bind: 127.0.0.1:%d
          check: {path: /health}
        %s
        """
                .formatted(frontend, more.indent(2));
    }

    /** Who serves in the running HAProxy, as {@code port}s. */
    Set<Integer> serving(String backend) {
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

    void awaitServing(Integer... ports) {
        await().atMost(15, SECONDS)
                .pollInterval(Duration.ofMillis(10))
                .untilAsserted(() -> assertThat(serving("web")).containsExactlyInAnyOrder(ports));
    }

    String status() throws IOException {
        Path file = folder.resolve("data/status.json");
        return Files.exists(file) ? Files.readString(file) : "";
    }

    String file() throws IOException {
        return Files.readString(folder.resolve("haproxy.cfg"));
    }

    long loaded() {
        try (RuntimeApi.Session session =
                new UnixRuntimeApi(folder.resolve("ha.sock"), Duration.ofSeconds(2)).connect()) {
            return Engine.version(session);
        } catch (IOException e) {
            return -1;
        }
    }

    Master master() {
        return new Master(new UnixRuntimeApi(folder.resolve("master.sock"), Duration.ofSeconds(2)));
    }

    long masterPid() {
        try {
            return master().look().pid();
        } catch (IOException e) {
            return 0;
        }
    }

    CompletableFuture<String> askSlow() {
        return CompletableFuture.supplyAsync(
                () -> {
                    try (var socket = new Socket(InetAddress.getLoopbackAddress(), frontend)) {
                        socket.getOutputStream()
                                .write(
                                        "GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                                                .getBytes(US_ASCII));
                        return new String(socket.getInputStream().readAllBytes(), US_ASCII);
                    } catch (IOException e) {
                        return e.toString();
                    }
                },
                task -> Thread.ofVirtual().start(task));
    }

    String page(String path) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            URI uri = URI.create("http://127.0.0.1:" + renderer.statusPort() + path);
            HttpResponse<String> answer =
                    client.send(
                            HttpRequest.newBuilder(uri).build(),
                            HttpResponse.BodyHandlers.ofString());
            return answer.statusCode() + " " + answer.body();
        }
    }
}
