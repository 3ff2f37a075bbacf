package registry.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import registry.api.ApiException;
import registry.api.KvWrite;
import registry.server.rpc.Consistency;
import registry.server.rpc.Question;
import registry.server.rpc.Reply;

class ServerTest {
    private final TestServer test = new TestServer();

    @AfterEach
    void close() {
        test.close();
    }

    @Test
    void whatWasWrittenIsRead() {
        assertThat(test.put("a", "1")).isTrue();
        assertThat(test.text(Question.KV_GET, "a", "raw")).isEqualTo("1");
        assertThat(
                        test.register(
                                "{\"Node\":\"b1\",\"Address\":\"10.0.0.1\",\"Service\":{\"Service\":\"bs\",\"Port\":1}}"))
                .isTrue();
        assertThat(test.text(Question.HEALTH_SERVICE, "bs"))
                .isEqualTo(
                        """
                        [{"Node":{"ID":"","Node":"b1","Address":"10.0.0.1","Datacenter":"dc1",\
                        "TaggedAddresses":null,"Meta":null,"CreateIndex":2,"ModifyIndex":2},\
                        "Service":{"ID":"bs","Service":"bs","Tags":[],"Address":"","Meta":null,\
                        "Port":1,"Weights":{"Passing":1,"Warning":1},"EnableTagOverride":false,\
                        "Proxy":{"MeshGateway":{},"Expose":{}},"Connect":{},\
                        "CreateIndex":2,"ModifyIndex":2},"Checks":[]}]\
                        """);
    }

    @Test
    void withoutALeaderNothingIsAnsweredButStaleQuestions() {
        test.put("a", "1");
        test.consensus.depose();
        var question = TestServer.question(Question.KV_GET, "a", 0, Duration.ZERO);
        assertThatThrownBy(() -> TestServer.get(test.ask(question)))
                .isInstanceOf(CompletionException.class)
                .hasRootCauseMessage("No cluster leader");
        assertThatThrownBy(() -> test.put("a", "2"))
                .isInstanceOf(ApiException.class)
                .hasMessage("No cluster leader");
        Reply stale =
                TestServer.get(
                        test.ask(
                                new Question(
                                        Question.KV_GET,
                                        "a",
                                        question.params(),
                                        Consistency.STALE,
                                        0,
                                        Duration.ZERO)));
        assertThat(stale.found()).isTrue();
        assertThat(stale.knownLeader()).isFalse();
    }

    @Test
    void nothingIsAnsweredWhileTheStateIsUnknown() {
        test.consensus.depose();
        var stale =
                new Question(
                        Question.CATALOG_NODES,
                        "",
                        java.util.Map.of(),
                        Consistency.STALE,
                        0,
                        Duration.ZERO);
        assertThatThrownBy(() -> TestServer.get(test.ask(stale)))
                .hasRootCauseMessage("No cluster leader");
        // A newcomer that has only heard of its leader yet.
        test.consensus.follow("another");
        assertThatThrownBy(() -> TestServer.get(test.ask(stale)))
                .hasRootCauseMessage("No cluster leader");
        test.consensus.elect();
        test.put("a", "1");
        test.consensus.follow("another");
        assertThat(TestServer.get(test.ask(stale)).knownLeader()).isTrue();
    }

    @Test
    void heldQuestionsFailWhenLeadershipIsLost() {
        test.put("a", "1");
        var held = test.park(Question.KV_GET, "a", 1);
        assertThat(held).isNotDone();
        test.consensus.depose();
        assertThatThrownBy(() -> TestServer.get(held)).hasRootCauseMessage("No cluster leader");
    }

    @Test
    void consistentQuestionsAskTheQuorumFirst() {
        test.put("a", "1");
        var consistent =
                new Question(
                        Question.KV_GET,
                        "a",
                        java.util.Map.of(),
                        Consistency.CONSISTENT,
                        0,
                        Duration.ZERO);
        assertThat(TestServer.get(test.ask(consistent)).index()).isEqualTo(1);
        test.consensus.depose();
        assertThatThrownBy(() -> TestServer.get(test.ask(consistent)))
                .hasRootCauseMessage("No cluster leader");
    }

    @Test
    void leaderAndPeersAreAddresses() {
        assertThat(test.server.leader()).isEqualTo("127.0.0.1:8300");
        assertThat(test.server.peers()).containsExactly("127.0.0.1:8300");
        test.consensus.depose();
        assertThat(test.server.leader()).isEmpty();
    }

    @Test
    void refusalsComeBackAsTheyWereMeant() {
        assertThatThrownBy(() -> test.kv(KvWrite.Verb.LOCK, "a", "", 0, 0))
                .isInstanceOf(ApiException.class)
                .hasMessage("missing session");
    }
}
