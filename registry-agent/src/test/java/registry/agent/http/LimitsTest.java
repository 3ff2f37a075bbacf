package registry.agent.http;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import registry.agent.metrics.Metrics;
import registry.api.KvWrite;

/**
 * What is too much, too deep, too slow or from the wrong place is refused with a reason, through
 * each door.
 */
@ParameterizedClass
@EnumSource(TestApi.Through.class)
class LimitsTest {
    @Parameter TestApi.Through through;

    private TestApi api;

    @BeforeEach
    void start() throws IOException {
        api = TestApi.start(through, "{\"limits\": {\"http_max_conns_per_client\": 20}}");
    }

    @AfterEach
    void stop() {
        api.close();
    }

    @Test
    void valuesMayBeHalfAMebibyte() throws IOException {
        assertThat(api.send("PUT", "/v1/kv/max", new byte[524288]).text()).isEqualTo("true");
        var answer = api.send("PUT", "/v1/kv/max", new byte[524289]);
        assertThat(answer.status()).isEqualTo(413);
        assertThat(answer.text())
                .isEqualTo(
                        "Request body(524289 bytes) too large, max size: 524288 bytes. See https://www.consul.io/docs/agent/options.html#kv_max_value_size.");
        assertThat(api.servers.called).hasSize(1);
    }

    /** Seen: the next request on the kept connection found it closed. */
    @Test
    void aHeadThatIsNoHttpIsToldThatItsConnectionEnds() throws IOException {
        var answer = api.send("GET", "/v1/kv/a%00b");
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.header("Connection")).isEqualTo("close");
    }

    @Test
    void valuesMayComeInChunks() throws IOException {
        try (Wire wire = api.wire()) {
            wire.send(
                    "PUT /v1/kv/c HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
            wire.send("5\r\nhello\r\n");
            wire.send("6\r\n world\r\n0\r\n\r\n");
            assertThat(wire.response().text()).isEqualTo("true");
            assertThat(api.servers.values.get("c"))
                    .isEqualTo("hello world".getBytes(StandardCharsets.UTF_8));
            wire.get("/v1/kv/c?raw");
            assertThat(wire.response().text()).isEqualTo("hello world");
        }
    }

    @Test
    void documentsMayBeTwoMebibytes() throws IOException {
        var answer = api.send("PUT", "/v1/catalog/register", new byte[(2 << 20) + 1]);
        assertThat(answer.status()).isEqualTo(413);
        assertThat(answer.text()).contains("max size: 2097152 bytes");
        assertThat(api.servers.called).isEmpty();
    }

    @Test
    void aHopelessBodyIsNotEvenRead() throws IOException {
        try (Wire wire = api.wire()) {
            wire.send(
                    "PUT /v1/kv/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n");
            assertThat(wire.response().status()).isEqualTo(413);
        }
        try (Wire wire = api.wire()) {
            wire.send(
                    "PUT /v1/kv/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 600000\r\nExpect: 100-continue\r\n\r\n");
            assertThat(wire.response().status()).isEqualTo(413);
        }
    }

    @Test
    void clientsThatAskBeforeTheySendAreTold() throws IOException {
        try (Wire wire = api.wire()) {
            wire.send(
                    "PUT /v1/kv/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
            wire.send("abc");
            assertThat(wire.response().text()).isEqualTo("true");
        }
    }

    @Test
    void deepDocumentsAreRefused() throws IOException {
        String deep = "{\"Node\":" + "[".repeat(100_000) + "]".repeat(100_000) + "}";
        var answer = api.send("PUT", "/v1/catalog/register", deep.getBytes(StandardCharsets.UTF_8));
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.text()).startsWith("Request decode failed: ");
    }

    @Test
    void compressedBodiesAreRefused() throws IOException {
        var answer = api.send("PUT", "/v1/kv/x", new byte[10], "Content-Encoding: gzip");
        assertThat(answer.status()).isEqualTo(415);
        assertThat(api.send("PUT", "/v1/kv/x", new byte[10], "Content-Encoding: identity").status())
                .isEqualTo(200);
    }

    @Test
    void largeHeadsAreRefused() throws IOException {
        var answer = api.send("GET", "/v1/kv/x", "X-Large: " + "x".repeat(20_000));
        assertThat(answer.status()).isEqualTo(431);
        assertThat(api.send("GET", "/v1/kv/" + "k".repeat(8_000)).status()).isEqualTo(404);
    }

    @Test
    void whatIsNotHttpIsRefused() throws IOException {
        for (String bytes :
                List.of(
                        "\0\1\2\r\n\r\n",
                        "GET\r\n\r\n",
                        "GET /\r\n\r\n",
                        "GET /v1/kv/x HTTP/9.9\r\nHost: x\r\n\r\n",
                        "GET /v1/kv/x HTTP/1.1\r\n\r\n",
                        "PUT /v1/kv/x HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
                        "PUT /v1/kv/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n")) {
            try (Wire wire = api.wire()) {
                wire.send(bytes);
                assertThat(wire.response().status()).as(bytes).isBetween(400, 499);
            }
        }
        try (Wire wire = api.wire()) {
            wire.send("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n");
            assertThat(wire.response().status()).isEqualTo(400);
        }
        assertThat(api.send("GET", "http://localhost/v1/kv/x").status()).isEqualTo(404);
        assertThat(api.send("GET", "/v1/kv/x").status()).isEqualTo(404);
    }

    @Test
    void slowSendersHoldNobodyUp() throws IOException {
        try (Wire slow = api.wire()) {
            slow.send("PUT /v1/kv/slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\na");
            for (char c : "bcd".toCharArray()) {
                assertThat(api.send("GET", "/v1/kv/none").status()).isEqualTo(404);
                slow.send(String.valueOf(c));
            }
            assertThat(slow.response().text()).isEqualTo("true");
            assertThat(((KvWrite) api.servers.called.getFirst()).value()).hasSize(4);
        }
    }

    @Test
    void oneConnectionTooManyIsToldWhichKeyToRaise() throws IOException {
        var wires = new ArrayList<Wire>();
        for (int n = 0; n < 20; n++) {
            Wire wire = api.wire();
            wires.add(wire);
            wire.get("/v1/kv/none");
            assertThat(wire.response().status()).isEqualTo(404);
        }
        var answer = api.send("GET", "/v1/kv/none");
        assertThat(answer.status()).isEqualTo(429);
        assertThat(answer.text()).contains("limits.http_max_conns_per_client");
        for (Wire wire : wires) {
            wire.close();
        }
        await().atMost(10, SECONDS)
                .untilAsserted(
                        () -> assertThat(api.send("GET", "/v1/kv/none").status()).isEqualTo(404));
    }

    @Test
    void foreignPagesMayNotWrite() throws IOException {
        byte[] body = {1};
        assertThat(api.send("PUT", "/v1/kv/x", body, "Host: 127.0.0.1:8500").status())
                .isEqualTo(200);
        var foreign =
                api.send(
                        "PUT",
                        "/v1/kv/x",
                        body,
                        "Host: 127.0.0.1:8500",
                        "Origin: http://evil.example");
        assertThat(foreign.status()).isEqualTo(403);
        assertThat(
                        api.send(
                                        "PUT",
                                        "/v1/kv/x",
                                        body,
                                        "Host: 127.0.0.1:8500",
                                        "Sec-Fetch-Site: cross-site")
                                .status())
                .isEqualTo(403);
        assertThat(api.send("PUT", "/v1/kv/x", body, "Host: x", "Origin: null").status())
                .isEqualTo(403);
        assertThat(
                        api.send(
                                        "PUT",
                                        "/v1/kv/x",
                                        body,
                                        "Host: localhost:8500",
                                        "Origin: http://localhost:8500",
                                        "Sec-Fetch-Site: same-origin")
                                .status())
                .isEqualTo(200);
    }

    @Test
    void browsersMayNotReadByAnyName() throws IOException {
        assertThat(
                        api.send(
                                        "GET",
                                        "/v1/catalog/nodes",
                                        "Host: rebound.example",
                                        "Sec-Fetch-Site: same-origin")
                                .status())
                .isEqualTo(403);
        assertThat(api.send("GET", "/v1/catalog/nodes", "Host: any.example").status())
                .isEqualTo(200);
        assertThat(
                        api.send(
                                        "GET",
                                        "/v1/catalog/nodes",
                                        "Host: consul.service.consul:8500",
                                        "Sec-Fetch-Site: none")
                                .status())
                .isEqualTo(200);
    }

    @Test
    void writesMayBeKeptToSomeNetworks() throws IOException {
        try (var guarded =
                TestApi.start(
                        through,
                        "{\"http_config\": {\"allow_write_http_from\": [\"10.0.0.0/8\"]}}")) {
            var answer = guarded.send("PUT", "/v1/kv/x", new byte[] {1});
            assertThat(answer.status()).isEqualTo(403);
            assertThat(answer.text()).isEqualTo("Access is restricted");
            assertThat(guarded.send("GET", "/v1/kv/x").status()).isEqualTo(404);
        }
        try (var open =
                TestApi.start(
                        through,
                        "{\"http_config\": {\"allow_write_http_from\": [\"127.0.0.0/8\"]}}")) {
            assertThat(open.send("PUT", "/v1/kv/x", new byte[] {1}).status()).isEqualTo(200);
        }
    }

    @Test
    void aTakenPortIsNamed() throws IOException {
        var config =
                TestApi.with(
                        TestApi.config("{}"),
                        "ports",
                        new registry.agent.config.AgentConfig.Ports(
                                -1, api.http.port(), -1, -1, -1, -1));
        try (var second =
                new HttpApi(
                        config,
                        api.servers,
                        api.local,
                        id -> List.of(),
                        new FakeMembers(),
                        null,
                        new Metrics(config.telemetry(), "", List.of()))) {
            assertThat(
                            org.assertj.core.api.Assertions.catchThrowableOfType(
                                    IOException.class, second::start))
                    .hasMessageContaining("127.0.0.1:" + api.http.port())
                    .hasMessageContaining("in use");
        }
    }
}
