package registry.haproxy;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** A companion follows the registry and says how it is. */
final class CompanionTest extends CompanionSite {
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
    void keepsTheLastOnesWhenAllVanish() throws Exception {
        try (var one = new BackendServer("one")) {
            registry.put("web", "w1", "127.0.0.1", one.port());
            start(web(""));
            awaitServing(one.port());
            try (var load = new LoadClient(frontend, 100)) {
                await().atMost(10, SECONDS).until(() -> load.answersOf("one") > 10);
                registry.remove("web", "w1");
                int before = load.sent();
                await().atMost(10, SECONDS).until(() -> load.sent() > before + 100);
                load.close();
                assertThat(load.failures()).isEmpty();
            }
            assertThat(serving("web")).containsExactly(one.port());
        }
    }

    @Test
    void dropsThemWhereThatIsThePolicy() throws Exception {
        registry.put("web", "w1", "127.0.0.1", 20001);
        start(web("on_empty: drop"));
        awaitServing(20001);
        registry.remove("web", "w1");
        awaitServing();
        registry.put("web", "w1", "127.0.0.1", 20001);
        awaitServing(20001);
    }

    /**
     * Reload signals in quick succession get lost: 15 of 20 bursts ended stale when they were
     * merely sent.
     */
    @Test
    void burstsOfStructuralChangesNeverEndStale() throws Exception {
        var random = new SplittableRandom(20261125);
        registry.put("web", "w1", "127.0.0.1", 20001);
        start(web(""));
        awaitServing(20001);
        for (int burst = 0; burst < 4; burst++) {
            RendererConfig last = null;
            for (int change = 0; change < 12; change++) {
                last =
                        config(
                                web(
                                        "backend: [\"http-response set-header X-Change b"
                                                + burst
                                                + "c"
                                                + change
                                                + "\"]"));
                renderer.replace(last);
                LockSupport.parkNanos(random.nextLong(120_000_000));
            }
            long wanted = new ConfigRenderer(last).version(Map.of("web", 8));
            await().atMost(20, SECONDS).until(() -> loaded() == wanted);
            assertThat(serving("web")).containsExactly(20001);
            assertThat(file()).contains("b" + burst + "c11");
        }
    }

    @Test
    void onlyOneCompanionPerFolder() throws Exception {
        start(web(""));
        assertThatThrownBy(() -> new Renderer(config(web("")), true, Redirect.DISCARD))
                .hasMessageContaining("another registry-haproxy");
    }

    @Test
    void routesChangeWithoutAReloadAndStandInTheFile() throws Exception {
        try (var shop = new BackendServer("shop");
                var blog = new BackendServer("blog")) {
            registry.put("shop", "s", "127.0.0.1", shop.port());
            registry.put("blog", "b", "127.0.0.1", blog.port());
            start(routed("[shop.example.org]", "[/]", "[\"*.blog.example.org\"]", "[/]"));
            await().atMost(15, SECONDS)
                    .until(() -> answer("shop.example.org:80", "/x").endsWith("shop"));
            await().atMost(5, SECONDS)
                    .until(() -> answer("A.Blog.example.org", "/").endsWith("blog"));
            assertThat(answer("other.example.org", "/")).startsWith("HTTP/1.1 404");
            await().atMost(5, SECONDS).until(() -> masterPid() > 0);
            long before = loaded();
            renderer.replace(
                    config(
                            routed(
                                    "[shop.example.org]",
                                    "[/]",
                                    "[shop.example.org, \"*\"]",
                                    "[/blog]")));
            await().atMost(5, SECONDS)
                    .until(() -> answer("shop.example.org", "/blog").endsWith("blog"));
            assertThat(answer("shop.example.org", "/blog/x?y=1")).endsWith("blog");
            assertThat(answer("shop.example.org", "/blogs")).endsWith("shop");
            assertThat(answer("a.blog.example.org", "/")).startsWith("HTTP/1.1 404");
            assertThat(answer("a.blog.example.org", "/blog")).endsWith("blog");
            renderer.replace(config(routed("[\"*\"]", "[/blog]", "[never.example.org]", "[/]")));
            await().atMost(5, SECONDS).until(() -> answer("x", "/blog").endsWith("shop"));
            assertThat(loaded()).isEqualTo(before);
            assertThat(Files.readString(folder.resolve("data/routes-entrance.map")))
                    .isEqualTo("*/blog/ shop\nnever.example.org/ blog\n");
            // Somebody else's entry goes, and a restart has what the file says.
            RealHaproxy.ask(
                    folder.resolve("ha.sock"),
                    "add map " + folder.resolve("data/routes-entrance.map") + " evil/ blog");
            await().atMost(5, SECONDS).until(() -> answer("evil", "/").startsWith("HTTP/1.1 404"));
            assertThat(status()).contains("\"reloads\": 0");
        }
    }

    private String routed(String shopHosts, String shopPaths, String blogHosts, String blogPaths) {
        return """
        shop:
          route: {frontend: entrance, hosts: %s, paths: %s}
        blog:
          route: {frontend: entrance, hosts: %s, paths: %s}
        """
                .formatted(shopHosts, shopPaths, blogHosts, blogPaths);
    }

    private String answer(String host, String path) throws IOException {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), frontend)) {
            socket.getOutputStream()
                    .write(
                            ("GET "
                                            + path
                                            + " HTTP/1.1\r\nHost: "
                                            + host
                                            + "\r\nConnection: close\r\n\r\n")
                                    .getBytes(US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), US_ASCII).strip();
        } catch (IOException e) {
            return e.toString();
        }
    }

    @Test
    void healthAndMetricsTellHowItIs() throws Exception {
        registry.put("web", "w1", "127.0.0.1", 20001);
        registry.put("web", "bad", "nowhere", 20001);
        start(web(""));
        awaitServing(20001);
        await().atMost(10, SECONDS)
                .until(() -> page("/health").equals("200 {\"status\":\"ok\"}\n"));
        await().atMost(10, SECONDS)
                .until(() -> page("/metrics").contains("\nregistry_haproxy_in_step 1\n"));
        assertThat(page("/metrics"))
                .startsWith("200 # HELP registry_haproxy_in_step ")
                .contains(
                        "# TYPE registry_haproxy_reloads_total counter\n",
                        "\nregistry_haproxy_service_instances{service=\"web\"} 1\n",
                        "\nregistry_haproxy_service_skipped{service=\"web\"} 1\n",
                        "\nregistry_haproxy_service_failing{service=\"web\"} 0\n");
        assertThat(page("/healthy")).startsWith("404");
        registry.stop();
        await().atMost(10, SECONDS)
                .until(() -> page("/metrics").contains("service_failing{service=\"web\"} 1"));
        renderer.replace(config(web("backend: [\"no such keyword\"]")));
        await().atMost(10, SECONDS)
                .until(() -> page("/health").matches("(?s)503 .*failing.*unknown keyword.*"));
    }

    /**
     * From a client without TLS to one proxy, from there verified to another, and to an instance.
     */
    @Test
    void tlsOnBothSides() throws Exception {
        TestCertificate.write(folder.resolve("both.pem"), folder.resolve("ca.pem"));
        int inner = RealHaproxy.freePort();
        try (var one = new BackendServer("one")) {
            registry.put("inner", "i", "127.0.0.1", one.port());
            registry.put("web", "w", "127.0.0.1", inner);
            String services =
                    """
                    inner:
                      bind: 127.0.0.1:%d
                      tls: {certificate: both.pem}
                    web:
                      bind: 127.0.0.1:%d
                      servers: dynamic
                      server_tls: {ca: ca.pem, name: %s}
                    """;
            start(services.formatted(inner, frontend, "localhost"));
            await().atMost(15, SECONDS).until(() -> answer("x", "/").endsWith("one"));
            renderer.replace(config(services.formatted(inner, frontend, "other.example.org")));
            await().atMost(10, SECONDS).until(() -> answer("x", "/").startsWith("HTTP/1.1 503"));
        }
    }
}
