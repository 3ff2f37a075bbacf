package registry.api.json;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import registry.api.AgentService;
import registry.api.CatalogRegistration;
import registry.api.CatalogService;
import registry.api.HealthCheck;
import registry.api.HealthCheckDefinition;
import registry.api.KvPair;
import registry.api.Node;
import registry.api.NodeService;
import registry.api.ServiceAddress;
import registry.api.Weights;

class JsonTest {
    record Box(@Nullable Object value) {}

    record Texts(
            String text,
            @Nullable String maybe,
            List<String> list,
            @Nullable List<String> maybeList,
            SortedMap<String, String> map,
            @Nullable SortedMap<String, String> maybeMap,
            byte @Nullable [] bytes,
            int number) {}

    private static final NodeService SERVICE =
            new NodeService(
                    "",
                    "bs1",
                    "bs",
                    List.of(),
                    "",
                    null,
                    null,
                    1,
                    new Weights(1, 1),
                    false,
                    209,
                    210);

    private static String text(@Nullable Object value) {
        return new String(Json.write(value), UTF_8);
    }

    private static <T> T read(String json, Class<T> type) {
        return Json.read(json.getBytes(UTF_8), type);
    }

    @ParameterizedTest
    @CsvSource({
        "id,ID",
        "serviceId,ServiceID",
        "checkId,CheckID",
        "serviceIds,ServiceIDs",
        "ttl,TTL",
        "http,HTTP",
        "https,HTTPS",
        "httpsPort,HTTPSPort",
        "tlsSkipVerify,TLSSkipVerify",
        "dnsTtl,DNSTTL",
        "grpcUseTls,GRPCUseTLS",
        "tcp,TCP",
        "nodeMeta,NodeMeta",
        "deregisterCriticalServiceAfter,DeregisterCriticalServiceAfter",
        "idle,Idle",
        "x,X"
    })
    void componentsGetConsulsNames(String component, String name) {
        assertThat(new GoNames().translate(component)).isEqualTo(name);
    }

    @Test
    void nodeServiceIsAsCaptured() {
        assertThat(text(SERVICE))
                .isEqualTo(
                        """
                        {"ID":"bs1","Service":"bs","Tags":[],"Address":"","Meta":null,"Port":1,\
                        "Weights":{"Passing":1,"Warning":1},"EnableTagOverride":false,\
                        "Proxy":{"MeshGateway":{},"Expose":{}},"Connect":{},\
                        "CreateIndex":209,"ModifyIndex":210}\
                        """);
        assertThat(Json.read(Json.write(SERVICE), NodeService.class)).isEqualTo(SERVICE);
    }

    @Test
    void nodeIsAsCaptured() {
        var meta = new TreeMap<>(Map.of("b", "2", "a", "1"));
        assertThat(text(new Node("", "n1", "10.0.0.1", "dc1", null, meta, 80, 81)))
                .isEqualTo(
                        """
                        {"ID":"","Node":"n1","Address":"10.0.0.1","Datacenter":"dc1",\
                        "TaggedAddresses":null,"Meta":{"a":"1","b":"2"},\
                        "CreateIndex":80,"ModifyIndex":81}\
                        """);
    }

    @Test
    void catalogServiceIsAsCaptured() {
        var node = new Node("", "b1", "10.0.0.1", "dc1", null, null, 1, 1);
        assertThat(text(CatalogService.of(node, SERVICE)))
                .isEqualTo(
                        """
                        {"ID":"","Node":"b1","Address":"10.0.0.1","Datacenter":"dc1",\
                        "TaggedAddresses":null,"NodeMeta":null,"ServiceKind":"","ServiceID":"bs1",\
                        "ServiceName":"bs","ServiceTags":[],"ServiceAddress":"",\
                        "ServiceWeights":{"Passing":1,"Warning":1},"ServiceMeta":{},"ServicePort":1,\
                        "ServiceEnableTagOverride":false,\
                        "ServiceProxy":{"MeshGateway":{},"Expose":{}},"ServiceConnect":{},\
                        "CreateIndex":209,"ModifyIndex":210}\
                        """);
    }

    @Test
    void taggedAddressesOfAServiceAreOmittedWhenEmpty() {
        var with =
                new NodeService(
                        "",
                        "a",
                        "a",
                        List.of(),
                        "",
                        new TreeMap<>(Map.of("lan", new ServiceAddress("1.2.3.4", 80))),
                        null,
                        1,
                        new Weights(1, 1),
                        false,
                        1,
                        1);
        assertThat(text(with))
                .contains("\"TaggedAddresses\":{\"lan\":{\"Address\":\"1.2.3.4\",\"Port\":80}}");
        assertThat(text(SERVICE)).doesNotContain("TaggedAddresses").doesNotContain("Kind");
    }

    @Test
    void healthCheckIsAsCaptured() {
        var definition =
                read(
                        """
                        {"TCP":"localhost:8888","Interval":"5s","TimeoutDuration":1000000000,
                         "DeregisterCriticalServiceAfter":"30s"}\
                        """,
                        HealthCheckDefinition.class);
        var check =
                new HealthCheck(
                        "foo",
                        "service:redis1",
                        "Redis",
                        "passing",
                        "",
                        "",
                        "redis1",
                        "redis",
                        List.of("v1"),
                        "tcp",
                        definition,
                        63,
                        63);
        assertThat(text(check))
                .isEqualTo(
                        """
                        {"Node":"foo","CheckID":"service:redis1","Name":"Redis","Status":"passing",\
                        "Notes":"","Output":"","ServiceID":"redis1","ServiceName":"redis",\
                        "ServiceTags":["v1"],"Type":"tcp","Definition":{"Interval":"5s",\
                        "Timeout":"1s","DeregisterCriticalServiceAfter":"30s",\
                        "TCP":"localhost:8888"},"CreateIndex":63,"ModifyIndex":63}\
                        """);
        assertThat(Json.read(Json.write(check), HealthCheck.class)).isEqualTo(check);
    }

    @Test
    void emptyDefinitionIsAnEmptyObject() {
        assertThat(text(HealthCheckDefinition.NONE)).isEqualTo("{}");
        assertThat(read("{}", HealthCheckDefinition.class)).isEqualTo(HealthCheckDefinition.NONE);
    }

    @Test
    void agentServiceIsAsCaptured() {
        var service =
                new AgentService(
                        "",
                        "web",
                        "web",
                        List.of(),
                        new TreeMap<>(),
                        0,
                        "",
                        null,
                        new Weights(1, 1),
                        false,
                        null,
                        "dc1");
        assertThat(text(service))
                .startsWith(
                        "{\"ID\":\"web\",\"Service\":\"web\",\"Tags\":[],\"Meta\":{},\"Port\":0,\"Address\":\"\",\"Weights\":");
    }

    @Test
    void bytesAreBase64AndNullStaysNull() {
        assertThat(text(new KvPair(0, "a", 42, "hello".getBytes(UTF_8), null, 88, 89)))
                .isEqualTo(
                        """
                        {"LockIndex":0,"Key":"a","Flags":42,"Value":"aGVsbG8=",\
                        "CreateIndex":88,"ModifyIndex":89}\
                        """);
        assertThat(text(new KvPair(0, "a", 0, null, null, 1, 1))).contains("\"Value\":null");
    }

    @Test
    void flagsAreUnsigned() {
        byte[] json = Json.write(new KvPair(0, "a", -1, null, null, 1, 1));
        assertThat(new String(json, UTF_8)).contains("\"Flags\":18446744073709551615");
        assertThat(Json.read(json, KvPair.class).flags()).isEqualTo(-1);
        assertThatThrownBy(() -> read("{\"Flags\":18446744073709551616}", KvPair.class))
                .isInstanceOf(UncheckedIOException.class);
        assertThat(read("{}", KvPair.class).flags()).isZero();
    }

    @Test
    void whatEndsAScriptIsEscapedAsInGo() {
        assertThat(text(new Box("<a>&\u2028\u2029\b\f\n\t\u001f\"\\/é€")))
                .isEqualTo(
                        "{\"Value\":\"\\u003ca\\u003e\\u0026\\u2028\\u2029\\u0008\\u000c\\n\\t\\u001f\\\"\\\\/é€\"}");
        assertThat(text(Map.of("<k>", "v"))).isEqualTo("{\"\\u003ck\\u003e\":\"v\"}");
    }

    @Test
    void mapKeysAreSorted() {
        assertThat(text(Map.of("b", 1, "a", 2, "C", 3))).isEqualTo("{\"C\":3,\"a\":2,\"b\":1}");
    }

    @Test
    void prettyIsIndentedByFourBlanksWithANewlineAtTheEnd() {
        var value = new TreeMap<String, Object>();
        value.put("a", List.of());
        value.put("b", Map.of());
        value.put("c", List.of(1, Map.of("x", "a\"{[,:]}\\")));
        value.put("d", null);
        assertThat(new String(Json.writePretty(value), UTF_8))
                .isEqualTo(
                        """
                        {
                            "a": [],
                            "b": {},
                            "c": [
                                1,
                                {
                                    "x": "a\\"{[,:]}\\\\"
                                }
                            ],
                            "d": null
                        }
                        """);
        assertThat(new String(Json.writePretty(List.of()), UTF_8)).isEqualTo("[]\n");
        assertThat(new String(Json.writePretty(null), UTF_8)).isEqualTo("null\n");
    }

    @Test
    void aNameInAnotherCaseIsAnUnknownName() {
        assertThat(read("{\"node\":\"n\",\"Address\":\"a\"}", CatalogRegistration.class))
                .satisfies(r -> {
                    assertThat(r.node()).isEmpty();
                    assertThat(r.address()).isEqualTo("a");
                });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{\"Text\":null,\"Maybe\":null,\"List\":null,\"MaybeList\":null,\"Map\":null,"
                        + "\"MaybeMap\":null,\"Bytes\":null,\"Number\":null}"
            })
    void missingIsEmptyUnlessNullable(String json) {
        assertThat(read(json, Texts.class))
                .isEqualTo(new Texts("", null, List.of(), null, new TreeMap<>(), null, null, 0));
    }

    @Test
    void nullInsideOfListsAndMapsIsEmptyText() {
        var texts = read("{\"List\":[\"a\",null],\"MaybeMap\":{\"k\":null}}", Texts.class);
        assertThat(texts.list()).containsExactly("a", "");
        assertThat(texts.maybeMap()).containsEntry("k", "");
        var registration = read("{\"Checks\":[null]}", CatalogRegistration.class);
        assertThat(registration.checks()).isEmpty();
    }

    @Test
    void halfASurrogatePairIsReplaced() {
        var texts = read("{\"Text\":\"a\\ud800b\\ud83d\\ude00\\udc00\"}", Texts.class);
        assertThat(texts.text()).isEqualTo("a\uFFFDb\ud83d\ude00\uFFFD");
        assertThat(text(texts)).contains("\ud83d\ude00");
    }

    @Test
    void numbersAreNotTexts() {
        assertThatThrownBy(() -> read("{\"Text\":1}", Texts.class))
                .isInstanceOf(UncheckedIOException.class);
        assertThatThrownBy(() -> read("{\"Number\":\"1\"}", Texts.class))
                .isInstanceOf(UncheckedIOException.class);
    }

    @Test
    void depthIsLimited() {
        var deep = new ArrayList<Object>();
        for (int i = 0; i < Json.MAX_DEPTH + 1; i++) {
            deep = new ArrayList<>(Arrays.asList((Object) deep));
        }
        byte[] json = Json.write(deep);
        assertThatThrownBy(() -> Json.tree(json)).isInstanceOf(UncheckedIOException.class);
    }

    @Test
    void durationsAreGoText() {
        record Timed(Duration a) {}
        assertThat(text(new Timed(Duration.ofSeconds(90)))).isEqualTo("{\"A\":\"1m30s\"}");
        assertThat(read("{\"A\":1000}", Timed.class).a()).isEqualTo(Duration.ofNanos(1000));
        assertThat(read("{\"A\":\"10s\"}", Timed.class).a()).isEqualTo(Duration.ofSeconds(10));
        assertThatThrownBy(() -> read("{\"A\":\"10\"}", Timed.class))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("missing unit in duration \"10\"");
    }
}
