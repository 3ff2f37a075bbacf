package registry.server.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import registry.api.ApiException;
import registry.server.TestServer;
import registry.server.rpc.Question;

class CatalogEndpointTest {
    private static final String ID = "40e4a748-2192-161a-0510-9bf59fe950b5";
    private final TestServer test = new TestServer();

    @AfterEach
    void close() {
        test.close();
    }

    private void refused(String registration, String text) {
        assertThatThrownBy(() -> test.register(registration))
                .isInstanceOfSatisfying(
                        ApiException.class,
                        e -> assertThat(e.kind()).isEqualTo(ApiException.Kind.REFUSED))
                .hasMessage(text);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{}|Must provide node",
                "{\"Node\":\"e1\"}|Must provide address if SkipNodeUpdate is not set",
                "{\"Address\":\"1.2.3.4\"}|Must provide node",
                "{\"Node\":\"e1\",\"Address\":\"a\",\"ID\":\"x\"}|Bad node ID: uuid string is wrong length",
                "{\"Node\":\"e1\",\"Address\":\"a\",\"Service\":{\"ID\":\"x\"}}|Must provide service name with ID",
                "{\"Node\":\"e1\",\"Address\":\"a\",\"Service\":{\"Service\":\"x\",\"Address\":\"0.0.0.0\"}}|Invalid service address",
                "{\"Node\":\"e1\",\"Address\":\"a\",\"Service\":{\"Service\":\"x\",\"Address\":\"[::]\"}}|Invalid service address",
                "{\"Node\":\"e1\",\"Address\":\"a\",\"Checks\":[{\"Node\":\"other\",\"Name\":\"c\"}]}|check node \"other\" does not match node \"e1\"",
                "{\"Node\":\"e1\",\"Address\":\"a\",\"Checks\":[{\"Name\":\"c\",\"ServiceID\":\"nope\"}]}|failed inserting check: Missing service registration on node \"e1\"",
                "{\"Node\":\"e1\",\"Address\":\"a\",\"Checks\":[{}]}|failed inserting check: Must provide a check ID or name",
            })
    void registrationsAreRefusedInConsulsWords(String registration, String text) {
        refused(registration, text);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"\":\"v\"}|Key cannot be blank",
                "{\"a b\":\"v\"}|Key contains invalid characters",
                "{\"consul-x\":\"v\"}|Key prefix 'consul-' is reserved for internal use",
            })
    void serviceMetadataHasLimits(String meta, String reason) {
        assertThatThrownBy(() ->
                        test.register(
                                "{\"Node\":\"e1\",\"Address\":\"a\",\"Service\":{\"Service\":\"x\",\"Meta\":%s}}"
                                        .formatted(meta)))
                .hasMessageStartingWith(
                        "failed inserting service: Invalid Service Meta for node e1 and serviceID x: ")
                .hasMessageEndingWith(reason);
    }

    @Test
    void agentsMayUseReservedNodeMetadata() {
        assertThat(
                        test.register(
                                "{\"Node\":\"e1\",\"Address\":\"a\",\"NodeMeta\":{\"consul-network-segment\":\"\"}}"))
                .isTrue();
    }

    @Test
    void deregistrationNeedsANode() {
        assertThatThrownBy(() -> test.deregister("{}")).hasMessage("Must provide node");
        assertThat(test.deregister("{\"Node\":\"nope\"}")).isTrue();
    }

    @Test
    void defaultsAreFilledIn() {
        test.register(
                """
                {"Node":"e1","Address":"a","Service":{"Service":"redis"},
                 "Checks":[{"Name":"n","ServiceID":"redis",
                            "Definition":{"TCP":"localhost:1","Interval":"5s"}}]}\
                """);
        assertThat(test.text(Question.CATALOG_SERVICE_NODES, "redis"))
                .contains("\"ServiceID\":\"redis\"")
                .contains("\"ServiceWeights\":{\"Passing\":1,\"Warning\":1}")
                .contains("\"Datacenter\":\"dc1\"");
        assertThat(test.text(Question.HEALTH_CHECKS, "redis"))
                .contains("\"CheckID\":\"n\"")
                .contains("\"Status\":\"critical\"")
                .contains("\"ServiceName\":\"redis\"")
                .contains("\"Type\":\"tcp\"");
    }

    @Test
    void aNodeIdWithAnotherNameRenames() {
        test.register(
                "{\"Node\":\"foo\",\"Address\":\"a\",\"ID\":\"%s\",\"Service\":{\"Service\":\"s\"}}"
                        .formatted(ID));
        test.register("{\"Node\":\"foo2\",\"Address\":\"a\",\"ID\":\"%s\"}".formatted(ID));
        assertThat(test.list(Question.CATALOG_NODES, "", "Node")).containsExactly("foo2");
        assertThat(test.list(Question.CATALOG_NODES, "", "CreateIndex")).containsExactly("1");
        assertThat(test.text(Question.CATALOG_SERVICES, "")).isEqualTo("{}");
    }

    @Test
    void aHealthyNodesNameIsReserved() {
        test.register(
                """
                {"Node":"n1","Address":"127.0.0.1","ID":"11111111-2222-3333-4444-555555555501",
                 "Checks":[{"CheckID":"serfHealth","Name":"Serf","Status":"passing"}]}\
                """);
        refused(
                "{\"Node\":\"N1\",\"Address\":\"192.168.10.13\",\"ID\":\"50e4a748-2192-161a-0510-9bf59fe950b5\"}",
                "failed inserting node: Error while renaming Node ID: \"50e4a748-2192-161a-0510-9bf59fe950b5\": Node name N1 is reserved by node 11111111-2222-3333-4444-555555555501 with name n1 (127.0.0.1)");
        test.register(
                """
                {"Node":"n1","Address":"127.0.0.1","ID":"11111111-2222-3333-4444-555555555501",
                 "Checks":[{"CheckID":"serfHealth","Name":"Serf","Status":"critical"}]}\
                """);
        test.register(
                "{\"Node\":\"N1\",\"Address\":\"192.168.10.13\",\"ID\":\"50e4a748-2192-161a-0510-9bf59fe950b5\"}");
        assertThat(test.list(Question.CATALOG_NODES, "", "Node")).containsExactly("N1");
    }

    @Test
    void namesAreFoundInAnyCase() {
        test.register(
                """
                {"Node":"Foo","Address":"a","ID":"%s","Service":{"ID":"AbC","Service":"Web"},
                 "Checks":[{"Name":"c"}]}\
                """
                        .formatted(ID));
        test.register(
                "{\"Node\":\"FOO\",\"SkipNodeUpdate\":true,\"Service\":{\"ID\":\"abc\",\"Service\":\"web\"}}");
        assertThat(test.list(Question.CATALOG_SERVICE_NODES, "WEB", "ServiceID"))
                .containsExactly("abc");
        assertThat(test.text(Question.CATALOG_NODE, "foo")).contains("\"Node\":\"Foo\"");
        assertThat(test.text(Question.CATALOG_NODE, ID)).contains("\"Node\":\"Foo\"");
        assertThat(test.text(Question.CATALOG_NODE, ID.substring(0, 13))).isEqualTo("null");
        assertThat(test.list(Question.HEALTH_NODE, "fOO", "Node")).containsExactly("Foo");
        test.register("{\"Node\":\"foo\",\"Address\":\"a\",\"ID\":\"%s\"}".formatted(ID));
        assertThat(test.list(Question.HEALTH_NODE, "foo", "Node")).containsExactly("foo");
        assertThat(test.list(Question.CATALOG_NODES, "", "Node")).containsExactly("foo");
    }

    @Test
    void tagsAndNodeMetaSelect() {
        test.register(
                """
                {"Node":"a","Address":"a","NodeMeta":{"os":"linux"},
                 "Service":{"Service":"redis","Tags":["primary","v1"]}}\
                """);
        test.register(
                "{\"Node\":\"b\",\"Address\":\"b\",\"Service\":{\"Service\":\"redis\",\"Tags\":[\"\"]}}");
        String method = Question.CATALOG_SERVICE_NODES;
        assertThat(test.list(method, "redis", "Node")).containsExactly("a", "b");
        assertThat(test.list(method, "redis", "Node", "tag=PRIMARY", "tag=v1"))
                .containsExactly("a");
        assertThat(test.list(method, "redis", "Node", "tag=primary", "tag=zz")).isEmpty();
        assertThat(test.list(method, "redis", "Node", "tag=")).containsExactly("b");
        assertThat(test.list(method, "redis", "Node", "node-meta=os:linux")).containsExactly("a");
        assertThat(test.list(method, "redis", "Node", "node-meta=os")).isEmpty();
        assertThat(test.text(Question.CATALOG_SERVICES, ""))
                .isEqualTo("{\"redis\":[\"primary\",\"v1\",\"\"]}");
        assertThat(test.text(Question.CATALOG_SERVICES, "", "node-meta=os:linux"))
                .isEqualTo("{\"redis\":[\"primary\",\"v1\"]}");
        assertThat(test.list(Question.CATALOG_NODES, "", "Node", "node-meta=os:linux"))
                .containsExactly("a");
    }

    @Test
    void nothingIsEmptyInConsulsWay() {
        assertThat(test.text(Question.CATALOG_NODES, "")).isEqualTo("[]");
        assertThat(test.text(Question.CATALOG_SERVICES, "")).isEqualTo("{}");
        assertThat(test.text(Question.CATALOG_SERVICE_NODES, "nope")).isEqualTo("[]");
        assertThat(test.text(Question.CATALOG_NODE, "nope")).isEqualTo("null");
        assertThat(test.text(Question.CATALOG_NODE_SERVICES, "nope"))
                .isEqualTo("{\"Node\":null,\"Services\":null}");
        assertThat(test.text(Question.CATALOG_NODE_SERVICES, "nope", "pretty"))
                .isEqualTo("{\n    \"Node\": null,\n    \"Services\": null\n}\n");
        assertThat(test.index(Question.CATALOG_NODE, "nope")).isEqualTo(1);
    }

    @Test
    void nodesNeedANameAndNoServiceIsNameless() {
        assertThat(test.text(Question.CATALOG_SERVICE_NODES, "")).isEqualTo("[]");
        assertThatThrownBy(() -> test.text(Question.CATALOG_NODE, ""))
                .hasRootCauseMessage("Missing node name");
        assertThatThrownBy(() -> test.text(Question.CATALOG_NODE_SERVICES, ""))
                .hasRootCauseMessage("Missing node name");
    }

    @Test
    void aNodeShowsItsServicesById() {
        test.register(
                "{\"Node\":\"n\",\"Address\":\"a\",\"Service\":{\"ID\":\"b\",\"Service\":\"s\"}}");
        test.register(
                "{\"Node\":\"n\",\"Address\":\"a\",\"Service\":{\"ID\":\"a\",\"Service\":\"s\"}}");
        test.register(
                "{\"Node\":\"n-1\",\"Address\":\"a\",\"Service\":{\"ID\":\"z\",\"Service\":\"s\"}}");
        assertThat(test.text(Question.CATALOG_NODE, "n"))
                .containsSubsequence("\"Services\":{\"a\":{\"ID\":\"a\"", "\"b\":{\"ID\":\"b\"")
                .doesNotContain("\"z\"")
                .endsWith("}}}");
    }

    @Test
    void checksFollowTheirServiceAwayAndToAnotherName() {
        test.register(
                """
                {"Node":"n","Address":"a","Service":{"ID":"i","Service":"old","Tags":["t"]},
                 "Checks":[{"Name":"c","ServiceID":"i"}]}\
                """);
        test.register(
                "{\"Node\":\"n\",\"Address\":\"a\",\"Service\":{\"ID\":\"i\",\"Service\":\"new\"}}");
        assertThat(test.list(Question.HEALTH_CHECKS, "old", "CheckID")).isEmpty();
        assertThat(test.list(Question.HEALTH_CHECKS, "new", "CheckID")).containsExactly("c");
        test.deregister("{\"Node\":\"n\",\"ServiceID\":\"I\"}");
        assertThat(test.list(Question.HEALTH_NODE, "n", "CheckID")).isEmpty();
    }
}
