package registry.agent.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import registry.api.ApiException;

/**
 * What holds for every request, through each door. Expected answers are those captured of Consul
 * 1.9.8.
 */
@ParameterizedClass
@EnumSource(TestApi.Through.class)
class DispatcherTest {
    @Parameter TestApi.Through through;

    private TestApi api;

    @BeforeEach
    void start() throws IOException {
        api =
                TestApi.start(
                        through,
                        """
                        {"http_config": {"response_headers": {"Access-Control-Allow-Origin": "*"},
                                         "block_endpoints": ["/v1/agent/self"]}}
                        """);
    }

    @AfterEach
    void stop() {
        api.close();
    }

    @Test
    void rootSaysWhoAnswers() throws IOException {
        var answer = api.send("GET", "/");
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.text()).isEqualTo("Consul Agent");
        assertThat(answer.header("Content-Type")).isEqualTo("text/plain; charset=utf-8");
        assertThat(answer.header("Vary")).isNull();
        assertThat(answer.header("Access-Control-Allow-Origin")).isEqualTo("*");
    }

    @ParameterizedTest
    @CsvSource({"/nope", "/v1/nope", "/v1", "/v1/", "/v1/catalog/nodes/x", "/v1/kvx"})
    void unknownPathsAreEmpty404s(String path) throws IOException {
        var answer = api.send("GET", path);
        assertThat(answer.status()).isEqualTo(404);
        assertThat(answer.body()).isEmpty();
        assertThat(answer.header("Content-Type")).isNull();
        assertThat(answer.header("Content-Length")).isEqualTo("0");
        assertThat(answer.header("Vary")).isNull();
        assertThat(answer.header("Access-Control-Allow-Origin")).isEqualTo("*");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "POST|/v1/catalog/nodes|OPTIONS,GET",
                "DELETE|/v1/catalog/datacenters|OPTIONS,GET",
                "POST|/v1/kv/x|OPTIONS,GET,PUT,DELETE",
                "PATCH|/v1/kv/x|OPTIONS,GET,PUT,DELETE",
                "GET|/v1/agent/check/pass/x|OPTIONS,PUT",
                "GET|/v1/agent/join/127.0.0.1|OPTIONS,PUT",
                "HEAD|/v1/kv/x|OPTIONS,GET,PUT,DELETE",
                "HEAD|/v1/catalog/nodes|OPTIONS,GET"
            })
    void wrongMethodsAreToldTheRightOnes(String method, String path, String allow)
            throws IOException {
        var answer = api.send(method, path);
        String text = "method " + method + " not allowed";
        assertThat(answer.status()).isEqualTo(405);
        assertThat(answer.header("Allow")).isEqualTo(allow);
        assertThat(answer.header("Content-Length")).isEqualTo("" + text.length());
        assertThat(answer.text()).isEqualTo(method.equals("HEAD") ? "" : text);
        assertThat(answer.header("Vary")).isEqualTo("Accept-Encoding");
        assertThat(answer.header("X-Consul-Default-ACL-Policy")).isEqualTo("allow");
    }

    @Test
    void optionsNameTheMethods() throws IOException {
        var answer = api.send("OPTIONS", "/v1/kv/x");
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.header("Allow")).isEqualTo("OPTIONS,GET,PUT,DELETE");
        assertThat(answer.header("Content-Type")).isNull();
        assertThat(answer.body()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "GET|/v1/kv//double|/v1/kv/double",
                "GET|/v1//kv/x|/v1/kv/x",
                "GET|/v1/kv/a/../b|/v1/kv/b",
                "GET|/v1/kv/./b?keys&x=1|/v1/kv/b?keys&x=1",
                "GET|/v1/kv/%2F%2Fa%20b|/v1/kv/a%20b",
                "PUT|/v1/kv//lead|/v1/kv/lead",
                "GET|/v1/kv|/v1/kv/"
            })
    void uncleanPathsAreMoved(String method, String path, String location) throws IOException {
        var answer = api.send(method, path);
        assertThat(answer.status()).isEqualTo(301);
        assertThat(answer.header("Location")).isEqualTo(location);
        assertThat(answer.header("Vary")).isNull();
        if (method.equals("GET")) {
            assertThat(answer.header("Content-Type")).isEqualTo("text/html; charset=utf-8");
            assertThat(answer.text())
                    .isEqualTo(
                            "<a href=\""
                                    + location.replace("&", "&amp;")
                                    + "\">Moved Permanently</a>.\n\n");
        } else {
            assertThat(answer.header("Content-Type")).isNull();
            assertThat(answer.body()).isEmpty();
        }
    }

    @Test
    void unprintablePathsAreRefusedUnread() throws IOException {
        var answer = api.send("GET", "/v1/kv/a%0Ab");
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.body()).isEmpty();
        assertThat(answer.header("Vary")).isNull();
        assertThat(api.send("GET", "/v1/kv/a%C2%A0b").status()).isEqualTo(400);
    }

    @Test
    void brokenEncodingsAreRefused() throws IOException {
        assertThat(api.send("GET", "/v1/kv/a%zz").status()).isEqualTo(400);
        assertThat(api.send("GET", "/v1/kv/a%ff").status()).isEqualTo(400);
        assertThat(api.send("GET", "/v1/catalog/nodes?x=%e9").status()).isEqualTo(200);
        var answer = api.send("GET", "/v1/catalog/nodes?token=%zz");
        assertThat(answer.status()).isEqualTo(500);
        assertThat(answer.body()).isEmpty();
        assertThat(answer.header("Vary")).isEqualTo("Accept-Encoding");
    }

    @Test
    void keysMayHoldWhatPathsMay() throws IOException {
        assertThat(api.send("PUT", "/v1/kv/sp%20ace%2Fcaf%C3%A9;x=%25", new byte[] {1}).text())
                .isEqualTo("true");
        assertThat(api.servers.values).containsOnlyKeys("sp ace/café;x=%");
        assertThat(api.send("GET", "/v1/kv/sp%20ace/caf%C3%A9;x=%25?raw").body())
                .containsExactly(1);
    }

    @Test
    void readsSayTheirIndex() throws IOException {
        var answer = api.send("GET", "/v1/catalog/nodes");
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.header("Content-Type")).isEqualTo("application/json");
        assertThat(answer.header("X-Consul-Index")).isEqualTo("7");
        assertThat(answer.header("X-Consul-KnownLeader")).isEqualTo("true");
        assertThat(answer.header("X-Consul-LastContact")).isEqualTo("0");
        assertThat(answer.header("X-Consul-Effective-Consistency")).isEqualTo("leader");
        assertThat(answer.header("Date")).isNotNull();
        assertThat(answer.header("Server")).isNull();
        assertThat(answer.text()).isEqualTo("[]");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "?index=abc|Invalid index",
                "?index=-1|Invalid index",
                "?index=18446744073709551616|Invalid index",
                "?wait=abc|Invalid wait time",
                "?wait=10|Invalid wait time",
                "?stale&consistent|Cannot specify ?stale with ?consistent, conflicting semantics.",
                "?cached&consistent|Cannot specify ?cached with ?consistent, conflicting semantics.",
                "?max_stale=x|Invalid max_stale value \"x\""
            })
    void wrongParametersAreExplained(String query, String text) throws IOException {
        var answer = api.send("GET", "/v1/catalog/nodes" + query);
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.text()).isEqualTo(text);
        assertThat(answer.header("Content-Type")).isEqualTo("text/plain; charset=utf-8");
        assertThat(answer.header("X-Content-Type-Options")).isEqualTo("nosniff");
        assertThat(answer.header("X-Consul-Index")).isNull();
    }

    @ParameterizedTest
    @CsvSource({"stale,stale", "max_stale=5s,stale", "consistent,consistent", "leader,leader"})
    void theConsistencyIsToldBack(String query, String word) throws IOException {
        var answer = api.send("GET", "/v1/catalog/nodes?" + query);
        assertThat(answer.header("X-Consul-Effective-Consistency")).isEqualTo(word);
    }

    @Test
    void cachedAnswersLookLikeACaches() throws IOException {
        var first = api.send("GET", "/v1/catalog/services?cached");
        assertThat(first.header("X-Cache")).isEqualTo("MISS");
        assertThat(first.header("Age")).isNull();
        var second = api.send("GET", "/v1/catalog/services?cached", "Cache-Control: max-age=0");
        assertThat(second.header("X-Cache")).isEqualTo("HIT");
        assertThat(second.header("Age")).isEqualTo("0");
        var wrong = api.send("GET", "/v1/catalog/services?cached", "Cache-Control: max-age=x");
        assertThat(wrong.status()).isEqualTo(400);
        assertThat(wrong.text()).isEqualTo("Invalid Cache-Control header.");
    }

    @Test
    void otherDatacentersHaveNoPath() throws IOException {
        var catalog = api.send("GET", "/v1/catalog/nodes?dc=nope");
        assertThat(catalog.status()).isEqualTo(500);
        assertThat(catalog.text()).isEqualTo("No path to datacenter");
        assertThat(catalog.header("X-Consul-Index")).isEqualTo("1");
        assertThat(catalog.header("X-Consul-KnownLeader")).isEqualTo("false");
        for (String path :
                new String[] {"/v1/kv/x", "/v1/health/service/web", "/v1/status/leader"}) {
            var answer = api.send("GET", path + "?dc=nope");
            assertThat(answer.status()).isEqualTo(500);
            assertThat(answer.text()).isEqualTo("No path to datacenter");
            assertThat(answer.header("X-Consul-Index")).isNull();
        }
        assertThat(api.send("GET", "/v1/kv/x?dc=dc1").status()).isEqualTo(404);
    }

    @Test
    void thereIsOneNamespace() throws IOException {
        assertThat(api.send("GET", "/v1/catalog/nodes?ns=foo").status()).isEqualTo(200);
        var query = api.send("GET", "/v1/kv/x?ns=foo");
        assertThat(query.status()).isEqualTo(400);
        assertThat(query.text())
                .isEqualTo(
                        "Bad request: Invalid query parameter: \"ns\" - Namespaces are a Consul Enterprise feature");
        var header = api.send("GET", "/v1/kv/x", "X-Consul-Namespace: foo");
        assertThat(header.text())
                .isEqualTo(
                        "Bad request: Invalid header: \"X-Consul-Namespace\" - Namespaces are a Consul Enterprise feature");
        var body =
                api.send(
                        "PUT",
                        "/v1/catalog/register",
                        json("{'Node': 'n', 'Address': '10.9.9.9', 'Namespace': 'foo'}"));
        assertThat(body.status()).isEqualTo(400);
        assertThat(body.text())
                .isEqualTo(
                        "Request decode failed: json: unknown field \"Namespace\" - Namespaces are a Consul Enterprise feature");
    }

    @Test
    void tokensAreTakenAndIgnored() throws IOException {
        assertThat(api.send("GET", "/v1/catalog/nodes?token=x").status()).isEqualTo(200);
        assertThat(api.send("GET", "/v1/catalog/nodes", "X-Consul-Token: x").status())
                .isEqualTo(200);
        assertThat(api.send("GET", "/v1/catalog/nodes", "Authorization: Bearer x").status())
                .isEqualTo(200);
    }

    @Test
    void prettyIsIndentedByFour() throws IOException {
        api.servers.body = "[{\"Node\":\"n1\"}]".getBytes(StandardCharsets.UTF_8);
        assertThat(api.send("GET", "/v1/catalog/nodes?pretty").text())
                .isEqualTo("[\n    {\n        \"Node\": \"n1\"\n    }\n]\n");
        assertThat(api.send("GET", "/v1/status/leader?pretty=0").text())
                .isEqualTo("\"127.0.0.1:8300\"\n");
    }

    @Test
    void largeAnswersAreCompressedForThoseWhoTakeIt() throws IOException {
        api.servers.body = ("[\"" + "z".repeat(1396) + "\"]").getBytes(StandardCharsets.UTF_8);
        assertThat(api.servers.body).hasSize(1400);
        var zipped = api.send("GET", "/v1/catalog/nodes", "Accept-Encoding: deflate, gzip;q=0.5");
        assertThat(zipped.header("Content-Encoding")).isEqualTo("gzip");
        assertThat(new GZIPInputStream(new ByteArrayInputStream(zipped.body())).readAllBytes())
                .isEqualTo(api.servers.body);
        for (String header :
                new String[] {"X: y", "Accept-Encoding: gzip;q=0", "Accept-Encoding: br"}) {
            var plain = api.send("GET", "/v1/catalog/nodes", header);
            assertThat(plain.header("Content-Encoding")).isNull();
            assertThat(plain.body()).isEqualTo(api.servers.body);
        }
        api.servers.body = ("[\"" + "z".repeat(1395) + "\"]").getBytes(StandardCharsets.UTF_8);
        assertThat(
                        api.send("GET", "/v1/catalog/nodes", "Accept-Encoding: gzip")
                                .header("Content-Encoding"))
                .isNull();
    }

    @Test
    void longAnswersComeInChunks() throws IOException {
        try (Wire wire = api.wire()) {
            for (int length : new int[] {2047, 2048, 2049, 300_000}) {
                api.servers.body = "z".repeat(length).getBytes(StandardCharsets.UTF_8);
                wire.get("/v1/catalog/nodes");
                var answer = wire.response();
                assertThat(answer.body()).isEqualTo(api.servers.body);
                assertThat(answer.header("Content-Length"))
                        .isEqualTo(length > 2048 ? null : "" + length);
            }
            wire.send("GET /v1/catalog/nodes HTTP/1.0\r\n\r\n");
            assertThat(wire.response().body()).isEqualTo(api.servers.body);
        }
    }

    @Test
    void blockedEndpointsAreForbidden() throws IOException {
        var answer = api.send("GET", "/v1/agent/self");
        assertThat(answer.status()).isEqualTo(403);
        assertThat(answer.text()).isEqualTo("Endpoint is blocked by agent configuration");
    }

    @Test
    void refusalsOfTheServersKeepTheirText() throws IOException {
        api.servers.failure = ApiException.noLeader();
        var read = api.send("GET", "/v1/kv/x");
        assertThat(read.status()).isEqualTo(500);
        assertThat(read.text()).isEqualTo("No cluster leader");
        var write = api.send("PUT", "/v1/kv/x", new byte[] {1});
        assertThat(write.status()).isEqualTo(500);
        assertThat(write.text()).isEqualTo("No cluster leader");
        api.servers.failure = new ApiException(ApiException.Kind.OVERLOADED, "busy");
        assertThat(api.send("PUT", "/v1/kv/x", new byte[] {1}).status()).isEqualTo(503);
    }

    @Test
    void blockingReadsWaitForAChange() throws Exception {
        try (Wire wire = api.wire()) {
            wire.get("/v1/catalog/nodes?index=7&wait=20s");
            org.awaitility.Awaitility.await().until(() -> !api.servers.held.isEmpty());
            api.servers.change();
            var answer = wire.response();
            assertThat(answer.status()).isEqualTo(200);
            assertThat(answer.header("X-Consul-Index")).isEqualTo("8");
            wire.get("/v1/catalog/nodes?index=7&wait=20s");
            assertThat(wire.response().header("X-Consul-Index")).isEqualTo("8");
            wire.get("/v1/catalog/nodes?index=8&wait=20ms");
            assertThat(wire.response().header("X-Consul-Index")).isEqualTo("8");
        }
    }

    @Test
    void questionsCarryWhatTheMethodReads() throws IOException {
        api.send("GET", "/v1/health/service/web?passing&tag=a&tag=b&node-meta=k:v&x=y&near=_agent");
        var question = api.servers.asked.getLast();
        assertThat(question.name()).isEqualTo("web");
        assertThat(new TreeMap<>(question.params()))
                .isEqualTo(
                        new TreeMap<>(
                                Map.of(
                                        "near", java.util.List.of("n1"),
                                        "passing", java.util.List.of(""),
                                        "tag", java.util.List.of("a", "b"),
                                        "node-meta", java.util.List.of("k:v"))));
        var wrong = api.send("GET", "/v1/health/service/web?passing=maybe");
        assertThat(wrong.status()).isEqualTo(400);
        assertThat(wrong.text()).isEqualTo("Invalid value for ?passing");
        assertThat(wrong.header("X-Consul-Index")).isEqualTo("7");
    }

    private static byte[] json(String text) {
        return text.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    }
}
