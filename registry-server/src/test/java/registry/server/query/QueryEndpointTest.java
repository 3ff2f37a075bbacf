package registry.server.query;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import registry.api.PreparedQuery;
import registry.api.PreparedQueryWrite;
import registry.api.PreparedQueryWrite.Verb;
import registry.api.Session;
import registry.api.json.Json;
import registry.server.TestServer;
import registry.server.rpc.Method;
import registry.server.rpc.Question;

class QueryEndpointTest {
    private final TestServer test = new TestServer();

    @BeforeEach
    void someInstances() {
        register(
                "q1", "10.0.0.1", "pq", "\"Tags\":[\"a\",\"B\"],\"Meta\":{\"m\":\"1\"}", "passing");
        register("q2", "10.0.0.2", "pq", "\"Tags\":[\"a\"]", "warning");
        register("q3", "10.0.0.3", "pq", "\"Tags\":[\"a\"]", "critical");
    }

    @AfterEach
    void close() {
        test.close();
    }

    private void register(String node, String address, String service, String more, String status) {
        test.register(
                """
                {"Node":"%s","Address":"%s","NodeMeta":{"rack":"%s"},
                 "Service":{"ID":"%s-1","Service":"%s","Port":1,%s},
                 "Checks":[{"Name":"s","CheckID":"s-%s","ServiceID":"%s-1","Status":"%s"}]}\
                """
                        .formatted(
                                node, address, node, service, service, more, node, service,
                                status));
    }

    private String apply(Verb verb, String id, String json) {
        PreparedQuery query = Json.read(json.getBytes(UTF_8), PreparedQuery.class);
        return test.server.call(
                Method.QUERY_APPLY,
                new PreparedQueryWrite(verb, id.isEmpty() ? query : query.withId(id)));
    }

    private String create(String json) {
        return apply(Verb.CREATE, "", json);
    }

    /** A query named {@code q} for the service {@code pq}. */
    private String create(String name, String more) {
        return create("{\"Name\":\"%s\",\"Service\":{\"Service\":\"pq\"%s}}".formatted(name, more));
    }

    private List<String> run(String name, String... params) {
        return Json.tree(test.get(Question.QUERY_EXECUTE, name, params).body())
                .path("Nodes")
                .findValuesAsText("Address")
                .stream()
                .filter(address -> !address.isEmpty())
                .toList();
    }

    private Set<String> found(String name, String... params) {
        return new TreeSet<>(run(name, params));
    }

    private String explained(String name) {
        return Json.tree(test.get(Question.QUERY_EXPLAIN, name).body()).path("Query").toString();
    }

    @Test
    void aQueryIsShownAsConsulShowsIt() {
        String id =
                create(
                        """
                        {"Name":"my-query","Service":{"Service":"pq","Failover":{"NearestN":2,
                         "Datacenters":["dc1"]},"Tags":["a","!c"],"NodeMeta":{"z":"1"}},
                         "DNS":{"TTL":"10s"}}\
                        """);
        String shown =
                "{\"ID\":\"%s\",\"Name\":\"my-query\",\"Session\":\"\",\"Token\":\"\",\"Template\":{\"Type\":\"\",\"Regexp\":\"\",\"RemoveEmptyTags\":false},\"Service\":{\"Service\":\"pq\",\"Failover\":{\"NearestN\":2,\"Datacenters\":[\"dc1\"]},\"OnlyPassing\":false,\"IgnoreCheckIDs\":null,\"Near\":\"\",\"Tags\":[\"a\",\"!c\"],\"NodeMeta\":{\"z\":\"1\"},\"ServiceMeta\":null,\"Connect\":false},\"DNS\":{\"TTL\":\"10s\"},\"CreateIndex\":4,\"ModifyIndex\":4}"
                        .formatted(id);
        assertThat(test.text(Question.QUERY_LIST, "")).isEqualTo("[" + shown + "]");
        assertThat(test.text(Question.QUERY_GET, id)).isEqualTo("[" + shown + "]");
        assertThat(test.text(Question.QUERY_EXPLAIN, "MY-query"))
                .isEqualTo(
                        "{\"Query\":%s,\"Index\":0,\"LastContact\":0,\"KnownLeader\":true,\"ConsistencyLevel\":\"leader\",\"NotModified\":false}"
                                .formatted(shown));
        assertThat(test.text(Question.QUERY_EXECUTE, id))
                .isEqualTo(
                        "{\"Service\":\"pq\",\"Nodes\":[],\"DNS\":{\"TTL\":\"10s\"},\"Datacenter\":\"dc1\",\"Failovers\":0,\"Index\":0,\"LastContact\":0,\"KnownLeader\":true,\"ConsistencyLevel\":\"leader\",\"NotModified\":false}");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "''|10.0.0.1 10.0.0.2",
                ",\"OnlyPassing\":true|10.0.0.1",
                ",\"IgnoreCheckIDs\":[\"s-q3\"]|10.0.0.1 10.0.0.2 10.0.0.3",
                ",\"OnlyPassing\":true,\"IgnoreCheckIDs\":[\"s-q2\"]|10.0.0.1 10.0.0.2",
                ",\"Tags\":[\"A\",\"b\"]|10.0.0.1",
                ",\"Tags\":[\"a\",\"!b\"]|10.0.0.2",
                ",\"NodeMeta\":{\"rack\":\"q2\"}|10.0.0.2",
                ",\"ServiceMeta\":{\"m\":\"1\"}|10.0.0.1",
                ",\"Connect\":true|''",
            })
    void itFindsWhatIsHealthyAndWanted(String more, String addresses) {
        create("q", more);
        assertThat(String.join(" ", found("q"))).isEqualTo(addresses);
    }

    @Test
    void theOrderIsDrawnAnewAndTheLimitComesAfterIt() {
        create("q", "");
        var firsts = new TreeSet<String>();
        for (int i = 0; i < 200; i++) {
            List<String> one = run("q", "limit=1");
            assertThat(one).hasSize(1);
            firsts.addAll(one);
        }
        assertThat(firsts).containsExactly("10.0.0.1", "10.0.0.2");
        assertThat(run("q", "limit=0")).hasSize(2);
    }

    @Test
    void theOwnNodeComesFirst() {
        create("q", "");
        create("agents", ",\"Near\":\"_agent\"");
        for (int i = 0; i < 50; i++) {
            assertThat(run("q", "near=Q2").getFirst()).isEqualTo("10.0.0.2");
            assertThat(run("agents", "agent=q2").getFirst()).isEqualTo("10.0.0.2");
            assertThat(run("agents", "agent=q2", "near=q1").getFirst()).isEqualTo("10.0.0.1");
            assertThat(run("q", "near=_ip", "ip=10.0.0.2").getFirst()).isEqualTo("10.0.0.2");
        }
        assertThat(run("q", "near=_ip", "ip=10.9.9.9")).hasSize(2);
        assertThat(run("q", "near=nobody")).hasSize(2);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{}|Invalid prepared query: Must be bound to a session",
                "{\"Name\":\"e\",\"Service\":{}}|Invalid prepared query: Must provide a Service name to query",
                "{\"Name\":\"e\",\"Service\":{\"Service\":\"p\",\"Failover\":{\"NearestN\":-1}}}|Invalid prepared query: Bad NearestN '-1', must be >= 0",
                "{\"Name\":\"e\",\"Service\":{\"Service\":\"p\"},\"DNS\":{\"TTL\":\"-1s\"}}|Invalid prepared query: DNS TTL '-1000000000', must be >=0",
                "{\"Name\":\"e\",\"Service\":{\"Service\":\"p\"},\"DNS\":{\"TTL\":\"x\"}}|Invalid prepared query: Bad DNS TTL 'x': time: invalid duration \"x\"",
                "{\"Session\":\"nope\",\"Service\":{\"Service\":\"p\"}}|invalid session: index error: UUID must be 36 characters",
                "{\"Session\":\"6142352d-7202-9757-e8db-09ce102f9a01\",\"Service\":{\"Service\":\"p\"}}|invalid session \"6142352d-7202-9757-e8db-09ce102f9a01\"",
                "{\"Name\":\"e\",\"ID\":\"x\"}|ID must be empty when creating a new prepared query",
                "{\"Template\":{\"Type\":\"foo\"},\"Service\":{\"Service\":\"x\"}}|failed compiling template: Bad Template.Type 'foo'",
                "{\"Name\":\"e\",\"Token\":\"<hidden>\"}|Invalid prepared query: Bad Token '<hidden>', it looks like a query definition with a redacted token was submitted",
                "{\"Name\":\"MY-Query\",\"Service\":{\"Service\":\"p\"}}|name 'MY-Query' aliases an existing query name",
            })
    void whatIsNoQueryIsRefusedWithConsulsWords(String json, String text) {
        create("my-query", "");
        assertThatThrownBy(() -> create(json)).hasMessage(text);
    }

    @Test
    void aNameMustNotBeAnothersId() {
        String id = create("q", "");
        assertThatThrownBy(() -> create(id, ""))
                .hasMessage("name '" + id + "' aliases an existing query ID");
    }

    @Test
    void updatesReplaceAndMayKeepTheirName() {
        String id = create("q", "");
        create("other", "");
        apply(Verb.UPDATE, id, "{\"Name\":\"q\",\"Service\":{\"Service\":\"db\"}}");
        assertThat(explained("q")).contains("\"Service\":\"db\"", "\"CreateIndex\":4");
        assertThat(run("q")).isEmpty();
        assertThatThrownBy(() ->
                        apply(
                                Verb.UPDATE,
                                id,
                                "{\"Name\":\"other\",\"Service\":{\"Service\":\"db\"}}"))
                .hasMessage("name 'other' aliases an existing query name");
        apply(Verb.UPDATE, id, "{\"Name\":\"renamed\",\"Service\":{\"Service\":\"pq\"}}");
        assertThat(run("renamed")).hasSize(2);
        assertThatThrownBy(() -> run("q")).hasRootCauseMessage("Query not found");
    }

    @Test
    void whatIsNotThereCannotBeChanged() {
        String id = create("q", "");
        apply(Verb.DELETE, id, "{}");
        assertThat(test.text(Question.QUERY_LIST, "")).isEqualTo("[]");
        String text = "Cannot modify non-existent prepared query: '" + id + "'";
        assertThatThrownBy(() -> apply(Verb.DELETE, id, "{}")).hasMessage(text);
        // As in Consul, this is said before what is wrong with the query.
        assertThatThrownBy(() -> apply(Verb.UPDATE, id, "{}")).hasMessage(text);
        assertThatThrownBy(() -> apply(Verb.UPDATE, "nope", "{}"))
                .hasMessage(
                        "Prepared Query lookup failed: failed prepared query lookup: index error: UUID must be 36 characters");
        assertThatThrownBy(() -> test.get(Question.QUERY_GET, id))
                .isInstanceOf(CompletionException.class)
                .hasRootCauseMessage("Query not found");
        assertThatThrownBy(() -> test.get(Question.QUERY_GET, "nope"))
                .hasRootCauseMessage(
                        "failed prepared query lookup: index error: UUID must be 36 characters");
    }

    @Test
    void whoWaitsHearsOfChangesAndOfNothingElse() {
        String id = create("q", "");
        long index = test.index(Question.QUERY_LIST, "");
        var list = test.park(Question.QUERY_LIST, "", index);
        var one = test.park(Question.QUERY_GET, id, index);
        test.put("k", "v");
        apply(Verb.UPDATE, id, "{\"Name\":\"q\",\"Service\":{\"Service\":\"pq\"}}");
        assertThat(list).isNotDone();
        assertThat(one).isNotDone();
        apply(Verb.DELETE, id, "{}");
        assertThat(TestServer.get(list).index()).isGreaterThan(index);
        assertThatThrownBy(() -> TestServer.get(one)).hasRootCauseMessage("Query not found");
    }

    @Test
    void aQueryGoesWithItsSession() {
        String session =
                test.server.call(
                        Method.SESSION_CREATE,
                        Json.read("{\"Node\":\"q1\"}".getBytes(UTF_8), Session.class));
        String id =
                create("{\"Session\":\"%s\",\"Service\":{\"Service\":\"pq\"}}".formatted(session));
        create("q", "");
        assertThat(found(id)).hasSize(2);
        var waiting = test.park(Question.QUERY_LIST, "", test.index(Question.QUERY_LIST, ""));
        test.deregister("{\"Node\":\"q1\"}");
        assertThat(new String(TestServer.get(waiting).body(), UTF_8)).doesNotContain(id);
        assertThatThrownBy(() -> run(id)).hasRootCauseMessage("Query not found");
        assertThat(run("q")).hasSize(1);
        assertThatThrownBy(() ->
                        create(
                                "{\"Session\":\"%s\",\"Service\":{\"Service\":\"pq\"}}"
                                        .formatted(session)))
                .hasMessage("invalid session \"" + session + "\"");
    }

    @Test
    void theLongestPrefixWinsAndAnExactNameOverAll() {
        create(template("", "any"));
        create(template("geo-", "geo"));
        create(template("geo-db-", "db"));
        create("{\"Name\":\"geo-db-1\",\"Service\":{\"Service\":\"exact\"}}");
        assertThat(explained("geo-db-1")).contains("\"Service\":\"exact\"");
        assertThat(explained("GEO-DB-2")).contains("\"Service\":\"db\"");
        assertThat(explained("geo-x")).contains("\"Service\":\"geo\"");
        assertThat(explained("geo")).contains("\"Service\":\"any\"");
        assertThatThrownBy(() -> create(template("", "any")))
                .hasMessage("a query template with an empty name already exists");
        assertThatThrownBy(() -> explained("x".repeat(256))).hasRootCauseMessage("Query not found");
    }

    @Test
    void aTemplateIsNotRunByItsId() {
        String id = create(template("geo-", "geo"));
        assertThatThrownBy(() -> run(id))
                .hasRootCauseMessage(
                        "prepared query templates can only be resolved up by name, not by ID");
    }

    private static String template(String name, String service) {
        return "{\"Name\":\"%s\",\"Template\":{\"Type\":\"name_prefix_match\"},\"Service\":{\"Service\":\"%s\"}}"
                .formatted(name, service);
    }

    @Test
    void aTemplateIsFilledInFromTheName() {
        create(
                """
                {"Name":"geo-","Template":{"Type":"name_prefix_match",
                 "Regexp":"^geo-(.*?)-([^\\\\-]+?)$"},
                 "Service":{"Service":"${match(1)}","Tags":["${match(2)}"]}}\
                """);
        assertThat(explained("geo-pq-a"))
                .contains("\"Name\":\"geo-\"", "\"Service\":\"pq\"", "\"Tags\":[\"a\"]");
        assertThat(found("geo-pq-b")).containsExactly("10.0.0.1");
    }
}
