package registry.server.health;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import registry.server.TestServer;
import registry.server.rpc.Question;

class HealthEndpointTest {
    private static final String NODE = "Node/Node";
    private final TestServer test = new TestServer();

    @BeforeEach
    void fourInstances() {
        test.register(
                """
                {"Node":"h1","Address":"10.0.0.1","NodeMeta":{"os":"linux"},
                 "Service":{"ID":"api1","Service":"api","Port":1,"Tags":["blue","x"]},
                 "Checks":[{"Name":"nodeok","Status":"passing"},
                           {"Name":"svc","CheckID":"a-svc1","ServiceID":"api1","Status":"passing"}]}\
                """);
        test.register(
                """
                {"Node":"h2","Address":"10.0.0.2","Service":{"ID":"api2","Service":"api","Tags":["Blue"]},
                 "Checks":[{"Name":"svc","CheckID":"svc2","ServiceID":"api2","Status":"warning"}]}\
                """);
        test.register(
                """
                {"Node":"h3","Address":"10.0.0.3","Service":{"ID":"api3","Service":"api"},
                 "Checks":[{"Name":"node","Status":"critical"}]}\
                """);
        test.register(
                "{\"Node\":\"h4\",\"Address\":\"10.0.0.4\",\"Service\":{\"ID\":\"api4\",\"Service\":\"api\"}}");
    }

    @AfterEach
    void close() {
        test.close();
    }

    @Test
    void nodeChecksComeBeforeTheInstancesOwn() {
        assertThat(test.text(Question.HEALTH_SERVICE, "api"))
                .containsSubsequence("\"CheckID\":\"nodeok\"", "\"CheckID\":\"a-svc1\"");
        assertThat(test.list(Question.HEALTH_SERVICE, "api", NODE))
                .containsExactly("h1", "h2", "h3", "h4");
    }

    @ParameterizedTest
    @ValueSource(strings = {"passing", "passing=1", "passing=t", "passing=TRUE", "passing=True"})
    void passingKeepsInstancesAllOfWhoseChecksPass(String passing) {
        assertThat(test.list(Question.HEALTH_SERVICE, "api", NODE, passing))
                .containsExactly("h1", "h4");
    }

    @ParameterizedTest
    @ValueSource(strings = {"passing=0", "passing=f", "passing=false"})
    void falseDoesNotFilter(String passing) {
        assertThat(test.list(Question.HEALTH_SERVICE, "api", NODE, passing)).hasSize(4);
    }

    @Test
    void anotherValueOfPassingIsRefused() {
        assertThatThrownBy(() -> test.text(Question.HEALTH_SERVICE, "api", "passing=maybe"))
                .hasRootCauseMessage("Invalid value for ?passing");
    }

    @Test
    void tagsAndNodeMetaSelect() {
        assertThat(test.list(Question.HEALTH_SERVICE, "api", NODE, "tag=blue"))
                .containsExactly("h1", "h2");
        assertThat(test.list(Question.HEALTH_SERVICE, "api", NODE, "tag=blue", "tag=x"))
                .containsExactly("h1");
        assertThat(test.list(Question.HEALTH_SERVICE, "api", NODE, "node-meta=os:linux"))
                .containsExactly("h1");
        assertThat(test.list(Question.HEALTH_CHECKS, "api", "CheckID", "node-meta=os:linux"))
                .containsExactly("a-svc1");
        assertThat(test.list(Question.HEALTH_STATE, "any", "CheckID", "node-meta=os:linux"))
                .containsExactly("a-svc1", "nodeok");
    }

    @Test
    void statesSelectChecks() {
        assertThat(test.list(Question.HEALTH_STATE, "any", "CheckID"))
                .containsExactly("a-svc1", "nodeok", "svc2", "node");
        assertThat(test.list(Question.HEALTH_STATE, "critical", "CheckID")).containsExactly("node");
        assertThat(test.list(Question.HEALTH_STATE, "warning", "CheckID")).containsExactly("svc2");
        assertThat(test.text(Question.HEALTH_STATE, "unknown")).isEqualTo("[]");
    }

    @Test
    void unknownNamesHaveNoChecks() {
        assertThat(test.text(Question.HEALTH_NODE, "nope")).isEqualTo("[]");
        assertThat(test.text(Question.HEALTH_CHECKS, "nope")).isEqualTo("[]");
        assertThat(test.text(Question.HEALTH_SERVICE, "nope")).isEqualTo("[]");
    }

    @Test
    void namesAreNeeded() {
        assertThatThrownBy(() -> test.text(Question.HEALTH_NODE, ""))
                .hasRootCauseMessage("Missing node name");
        assertThatThrownBy(() -> test.text(Question.HEALTH_CHECKS, ""))
                .hasRootCauseMessage("Missing service name");
        assertThat(test.text(Question.HEALTH_SERVICE, "")).isEqualTo("[]");
        assertThatThrownBy(() -> test.text(Question.HEALTH_STATE, ""))
                .hasRootCauseMessage("Missing check state");
    }
}
