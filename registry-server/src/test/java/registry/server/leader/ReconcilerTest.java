package registry.server.leader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import registry.server.TestServer;
import registry.server.rpc.Question;

class ReconcilerTest {
    private final TestServer test = new TestServer();

    @BeforeEach
    void oneServer() {
        test.members.put("n1", "127.0.0.1", 8300, Members.State.ALIVE);
        await().until(() -> health("n1").contains("\"passing\""));
    }

    @AfterEach
    void close() {
        test.close();
    }

    private String health(String node) {
        return test.text(Question.HEALTH_NODE, node);
    }

    @Test
    void aServerGetsItsNodeItsHealthAndTheServiceConsul() {
        assertThat(health("n1"))
                .contains(
                        "\"CheckID\":\"serfHealth\",\"Name\":\"Serf Health Status\",\"Status\":\"passing\",\"Notes\":\"\",\"Output\":\"Agent alive and reachable\"");
        assertThat(test.text(Question.CATALOG_NODE, "n1"))
                .contains(
                        "\"consul\":{\"ID\":\"consul\",\"Service\":\"consul\",\"Tags\":[],\"Address\":\"\",\"Meta\":{\"non_voter\":\"false\",\"raft_version\":\"3\",\"read_replica\":\"false\",\"serf_protocol_current\":\"2\",\"serf_protocol_max\":\"5\",\"serf_protocol_min\":\"1\",\"version\":\"1.9.8\"},\"Port\":8300");
    }

    @Test
    void aFailedMemberTurnsCriticalAndBack() {
        test.members.put("n2", "10.0.0.2", 0, Members.State.ALIVE);
        await().until(() -> health("n2").contains("\"passing\""));
        test.members.put("n2", "10.0.0.2", 0, Members.State.FAILED);
        await().until(() -> health("n2").contains("\"Status\":\"critical\""));
        assertThat(health("n2")).contains("\"Output\":\"Agent not live or unreachable\"");
        test.members.put("n2", "10.0.0.2", 0, Members.State.ALIVE);
        await().until(() -> health("n2").contains("\"passing\""));
        assertThat(test.text(Question.CATALOG_SERVICES, "")).isEqualTo("{\"consul\":[]}");
    }

    @Test
    void aMemberThatLeftIsDeregistered() {
        test.members.put("n2", "10.0.0.2", 0, Members.State.ALIVE);
        await().until(() -> health("n2").contains("\"passing\""));
        test.members.put("n2", "10.0.0.2", 0, Members.State.LEFT);
        await().until(() -> test.text(Question.CATALOG_NODE, "n2").equals("null"));
        test.members.put("n1", "127.0.0.1", 8300, Members.State.LEFT);
        test.members.put("n3", "10.0.0.3", 0, Members.State.ALIVE);
        await().until(() -> health("n3").contains("\"passing\""));
        assertThat(test.text(Question.CATALOG_NODE, "n1")).isNotEqualTo("null");
    }

    @Test
    void whatTheAgentRegisteredIsKept() {
        test.register(
                """
                {"Node":"n2","Address":"10.0.0.2","TaggedAddresses":{"lan":"10.0.0.2"},
                 "NodeMeta":{"os":"linux"}}\
                """);
        test.members.put("n2", "10.0.0.2", 0, Members.State.ALIVE);
        await().until(() -> health("n2").contains("\"passing\""));
        test.members.put("n2", "10.0.0.99", 0, Members.State.ALIVE);
        await().until(() -> test.text(Question.CATALOG_NODE, "n2").contains("10.0.0.99"));
        assertThat(test.text(Question.CATALOG_NODE, "n2"))
                .contains("\"TaggedAddresses\":{\"lan\":\"10.0.0.2\"},\"Meta\":{\"os\":\"linux\"}");
    }

    @Test
    void nothingIsProposedWhenAllIsThere() {
        long index = test.consensus.index();
        test.members.put("n1", "127.0.0.1", 8300, Members.State.ALIVE);
        test.members.put("n2", "10.0.0.2", 0, Members.State.ALIVE);
        await().until(() -> health("n2").contains("\"passing\""));
        assertThat(test.consensus.index()).isEqualTo(index + 1);
    }

    @Test
    void aNodeThatGossipDoesNotKnowFailsAfterAGraceAndGoesAfterThreeDays() {
        test.members.put("n2", "10.0.0.2", 0, Members.State.ALIVE);
        await().until(() -> health("n2").contains("\"passing\""));
        test.members.forget("n2");
        test.members.put("n3", "10.0.0.3", 0, Members.State.ALIVE);
        await().until(() -> health("n3").contains("\"passing\""));
        assertThat(health("n2")).contains("\"passing\"");
        pass(Duration.ofSeconds(61));
        await().until(() -> health("n2").contains("\"critical\""));
        pass(Duration.ofHours(72));
        await().until(() -> test.text(Question.CATALOG_NODE, "n2").equals("null"));
    }

    private void pass(Duration time) {
        test.nanos.addAndGet(time.toNanos());
        test.members.put("n4", "10.0.0.4", 0, Members.State.LEAVING);
    }

    @Test
    void onlyALeaderReconciles() {
        test.consensus.depose();
        long index = test.consensus.index();
        test.members.put("n2", "10.0.0.2", 0, Members.State.ALIVE);
        assertThat(test.consensus.index()).isEqualTo(index);
        test.consensus.elect();
        await().until(() -> health("n2").contains("\"passing\""));
    }

    @Test
    void aClashOfNamesDoesNotHideTheOthers() {
        test.register(
                """
                {"Node":"n2","Address":"10.0.0.2","ID":"11111111-2222-3333-4444-555555555502",
                 "Checks":[{"CheckID":"serfHealth","Status":"passing"}]}\
                """);
        test.members.put(
                "n2", "10.0.0.9", 0, Members.State.ALIVE, "11111111-2222-3333-4444-555555555599");
        test.members.put("n3", "10.0.0.3", 0, Members.State.ALIVE);
        await().until(() -> health("n3").contains("\"passing\""));
        assertThat(test.text(Question.CATALOG_NODE, "n2")).contains("10.0.0.2");
    }
}
