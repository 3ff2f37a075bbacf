package registry.server.coordinate;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import registry.api.Coordinate;
import registry.api.NodeCoordinate;
import registry.api.PreparedQuery;
import registry.api.PreparedQueryWrite;
import registry.api.json.Json;
import registry.server.TestServer;
import registry.server.leader.Members;
import registry.server.rpc.Method;
import registry.server.rpc.Question;
import registry.server.state.StateStore;
import registry.server.state.Watches;

class CoordinateEndpointTest {
    private final TestServer test = new TestServer();

    @AfterEach
    void close() {
        test.close();
    }

    private void node(String name) {
        test.register(
                """
                {"Node":"%s","Address":"10.0.0.1","Service":{"ID":"s","Service":"web"},
                 "Checks":[{"CheckID":"c","Name":"c","ServiceID":"s","Status":"passing"}]}\
                """
                        .formatted(name));
    }

    /** On a line, in seconds from its beginning. */
    private static Coordinate at(double place) {
        return new Coordinate(List.of(place, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0), 1.5, 0, 1e-5);
    }

    private void put(String name, double place) {
        test.server.call(Method.COORDINATE_UPDATE, new NodeCoordinate(name, "", at(place)));
    }

    /** What waits is written: the leader's duties run when there is news of members. */
    private void written() {
        test.members.put("nobody", "", 0, Members.State.LEAVING);
    }

    private void place(String name, double place) {
        node(name);
        put(name, place);
        written();
        await().atMost(10, SECONDS)
                .untilAsserted(() ->
                        assertThat(test.text(Question.COORDINATE_NODES, ""))
                                .contains("\"" + name + "\""));
    }

    @Test
    void coordinatesAreWrittenInBatchesAndShownAsConsulShowsThem() {
        node("co");
        put("co", 0.5);
        put("nobody", 0.5);
        written();
        String shown =
                "[{\"Node\":\"co\",\"Segment\":\"\",\"Coord\":{\"Vec\":[0.5,0,0,0,0,0,0,0],\"Error\":1.5,\"Adjustment\":0,\"Height\":0.00001}}]";
        await().atMost(10, SECONDS)
                .untilAsserted(() ->
                        assertThat(test.text(Question.COORDINATE_NODES, "")).isEqualTo(shown));
        assertThat(test.text(Question.COORDINATE_NODE, "CO")).isEqualTo(shown);
        assertThat(test.text(Question.COORDINATE_NODES, "", "segment=x")).isEqualTo("[]");
        assertThat(test.text(Question.COORDINATE_NODES, "", "segment=")).isEqualTo(shown);
        assertThatThrownBy(() -> test.get(Question.COORDINATE_NODE, "nobody"))
                .hasRootCauseMessage("");
    }

    @Test
    void whatIsNoCoordinateIsRefused() {
        for (Coordinate bad :
                List.of(
                        new Coordinate(List.of(0.0, 0.0), 1.5, 0, 0),
                        at(Double.NaN),
                        at(Double.POSITIVE_INFINITY))) {
            assertThatThrownBy(() ->
                            test.server.call(
                                    Method.COORDINATE_UPDATE, new NodeCoordinate("n", "", bad)))
                    .hasMessage("incompatible coordinate");
        }
    }

    @Test
    void whatIsKnownIsNotWrittenAgainAndTooMuchIsDropped() {
        var endpoint = new CoordinateEndpoint(new StateStore(new Watches(waiters -> {})));
        for (int i = 0; i < 1_000; i++) {
            endpoint.update(new NodeCoordinate("n" + i, "", at(1)));
            endpoint.update(new NodeCoordinate("N0", "", at(i)));
        }
        List<List<NodeCoordinate>> batches = endpoint.take();
        assertThat(batches).hasSize(5).allMatch(batch -> batch.size() == 128);
        assertThat(batches.getFirst().getFirst()).isEqualTo(new NodeCoordinate("N0", "", at(999)));
        assertThat(endpoint.take()).isEmpty();

        place("n1", 1);
        long index = test.index(Question.COORDINATE_NODES, "");
        put("n1", 1);
        place("n2", 1);
        long second = test.index(Question.COORDINATE_NODES, "");
        put("n1", 1);
        written();
        place("n3", 1);
        assertThat(second).isGreaterThan(index);
        assertThat(Json.tree(test.get(Question.COORDINATE_NODES, "").body())).hasSize(3);
    }

    @Test
    void theyGoWithTheirNodeAndWhoWaitsHearsOfIt() {
        place("n1", 1);
        var waiting =
                test.park(Question.COORDINATE_NODES, "", test.index(Question.COORDINATE_NODES, ""));
        test.put("k", "v");
        assertThat(waiting).isNotDone();
        test.deregister("{\"Node\":\"N1\"}");
        assertThat(new String(TestServer.get(waiting).body(), UTF_8)).isEqualTo("[]");
    }

    @Test
    void nearPutsTheNearestFirstAndTheUnknownLast() {
        node("a-unknown");
        place("b", 0.030);
        place("c", 0.010);
        place("d", 0.020);
        List<String> fromD = List.of("d", "b", "c", "a-unknown");
        // To b it is as far as to c: equals keep their order.
        assertThat(nodesOf(Question.CATALOG_NODES, "", "Node", "near=D")).isEqualTo(fromD);
        assertThat(nodesOf(Question.CATALOG_SERVICE_NODES, "web", "Node", "near=d"))
                .isEqualTo(fromD);
        assertThat(nodesOf(Question.HEALTH_SERVICE, "web", "Node/Node", "near=d")).isEqualTo(fromD);
        assertThat(nodesOf(Question.HEALTH_CHECKS, "web", "Node", "near=d")).isEqualTo(fromD);
        assertThat(nodesOf(Question.HEALTH_STATE, "any", "Node", "near=d")).isEqualTo(fromD);
        List<String> byName = List.of("a-unknown", "b", "c", "d");
        assertThat(nodesOf(Question.CATALOG_NODES, "", "Node", "near=nobody")).isEqualTo(byName);
        assertThat(nodesOf(Question.CATALOG_NODES, "", "Node", "near=a-unknown")).isEqualTo(byName);
    }

    /** Nodes of the catalogue that this test has made. */
    private List<String> nodesOf(String method, String name, String field, String... params) {
        return test.list(method, name, field, params).stream()
                .filter(node -> node.length() == 1 || node.equals("a-unknown"))
                .toList();
    }

    /** Seen with three real agents: a node behind a slow link came after its neighbours. */
    @Test
    void nothingIsNearerToANodeThanItself() {
        place("b", 0);
        node("slow");
        test.server.call(
                Method.COORDINATE_UPDATE,
                new NodeCoordinate("slow", "", new Coordinate(at(0).vec(), 1.5, 0, 0.010)));
        written();
        await().atMost(10, SECONDS)
                .untilAsserted(() ->
                        assertThat(test.list(Question.CATALOG_NODES, "", "Node", "near=slow"))
                                .first()
                                .isEqualTo("slow"));
    }

    /** Nothing tells of it by an index, so it must not be the answer of before. */
    @Test
    void whatHasMovedIsSortedAnew() {
        place("b", 0.010);
        place("c", 0.020);
        place("d", 0);
        assertThat(nodesOf(Question.CATALOG_NODES, "", "Node", "near=d"))
                .containsExactly("d", "b", "c");
        put("b", 0.030);
        written();
        await().atMost(10, SECONDS)
                .untilAsserted(() ->
                        assertThat(nodesOf(Question.CATALOG_NODES, "", "Node", "near=d"))
                                .containsExactly("d", "c", "b"));
    }

    @Test
    void preparedQueriesFindTheNearest() {
        place("b", 0.030);
        place("c", 0.010);
        place("d", 0.020);
        test.server.call(
                Method.QUERY_APPLY,
                new PreparedQueryWrite(
                        PreparedQueryWrite.Verb.CREATE,
                        Json.read(
                                "{\"Name\":\"q\",\"Service\":{\"Service\":\"web\",\"Near\":\"b\"}}"
                                        .getBytes(UTF_8),
                                PreparedQuery.class)));
        for (int i = 0; i < 20; i++) {
            assertThat(ran()).containsExactly("b", "d", "c");
            assertThat(ran("near=c", "limit=2")).containsExactly("c", "d");
        }
    }

    private List<String> ran(String... params) {
        return Json.tree(test.get(Question.QUERY_EXECUTE, "q", params).body())
                .path("Nodes")
                .findValues("Checks")
                .stream()
                .map(checks -> checks.path(0).path("Node").asText())
                .toList();
    }
}
