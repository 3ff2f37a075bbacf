package registry.server.session;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import registry.api.KvWrite;
import registry.api.KvWrite.Verb;
import registry.api.Session;
import registry.server.TestServer;
import registry.server.leader.Members;
import registry.server.rpc.Method;
import registry.server.rpc.Question;

class SessionEndpointTest {
    private static final long SECOND = 1_000_000_000;

    private final TestServer test = new TestServer();

    @BeforeEach
    void register() {
        test.register(
                "{\"Node\":\"x\",\"Address\":\"10.0.0.1\",\"Checks\":[{\"CheckID\":\"c\",\"Name\":\"c\",\"Status\":\"passing\"}]}");
    }

    @AfterEach
    void close() {
        test.close();
    }

    private String create(String behavior, String ttl, long lockDelay, String... checks) {
        return test.server.call(
                Method.SESSION_CREATE,
                new Session("", "", "x", lockDelay, behavior, ttl, List.of(checks), null, 0, 0));
    }

    private boolean kv(Verb verb, String key, String session) {
        return test.server.call(
                Method.KV_APPLY, new KvWrite(verb, key, "v".getBytes(UTF_8), 0, 0, session));
    }

    private boolean lives(String session) {
        return !test.text(Question.SESSION_INFO, session).equals("[]");
    }

    private void pass(Duration time) {
        test.nanos.addAndGet(time.toNanos());
    }

    @Test
    void aLockHasOneHolderUntilItIsReleased() {
        String a = create("", "", 0);
        String b = create("", "", 0);
        assertThat(kv(Verb.LOCK, "k", a)).isTrue();
        assertThat(kv(Verb.LOCK, "k", b)).isFalse();
        assertThat(kv(Verb.UNLOCK, "k", b)).isFalse();
        assertThat(kv(Verb.LOCK, "k", a)).as("again").isTrue();
        assertThat(test.text(Question.KV_GET, "k"))
                .contains("\"LockIndex\":1", "\"Session\":\"" + a);
        assertThat(kv(Verb.UNLOCK, "k", a)).isTrue();
        assertThat(kv(Verb.LOCK, "k", b)).as("no delay after a release").isTrue();
        test.put("k", "plain");
        assertThat(test.text(Question.KV_GET, "k"))
                .contains("\"LockIndex\":2", "\"Session\":\"" + b);
    }

    @Test
    void aLockOutlivesItsHolderForTheLockDelay() {
        String a = create("", "", 5 * SECOND);
        String b = create("", "", 0);
        kv(Verb.LOCK, "k", a);
        test.server.call(Method.SESSION_DESTROY, a);
        assertThat(test.text(Question.KV_GET, "k")).doesNotContain("Session");
        assertThat(kv(Verb.LOCK, "k", b)).isFalse();
        pass(Duration.ofMillis(4_999));
        assertThat(kv(Verb.LOCK, "k", b)).isFalse();
        pass(Duration.ofMillis(1));
        assertThat(kv(Verb.LOCK, "k", b)).isTrue();
    }

    @Test
    void keysGoWithASessionThatDeletes() {
        String a = create("delete", "", 0);
        kv(Verb.LOCK, "k", a);
        var watcher = test.park(Question.KV_GET, "k", test.index(Question.KV_GET, "k"));
        test.server.call(Method.SESSION_DESTROY, a);
        assertThat(TestServer.get(watcher).found()).isFalse();
    }

    @Test
    void sessionsEndWithTheirCheckAndTheirNodeInTheSameStep() {
        String bound = create("", "", 0, "c");
        String free = create("", "", 0);
        kv(Verb.LOCK, "k", bound);
        kv(Verb.LOCK, "l", free);
        test.register(
                "{\"Node\":\"x\",\"Address\":\"10.0.0.1\",\"Checks\":[{\"CheckID\":\"c\",\"Name\":\"c\",\"Status\":\"critical\"}]}");
        assertThat(lives(bound)).isFalse();
        assertThat(lives(free)).isTrue();
        long index = test.index(Question.KV_GET, "k");
        assertThat(index)
                .isEqualTo(test.index(Question.SESSION_LIST, ""))
                .isEqualTo(test.index(Question.HEALTH_NODE, "x"));
        var watcher = test.park(Question.KV_GET, "l", test.index(Question.KV_GET, "l"));
        test.deregister("{\"Node\":\"x\"}");
        assertThat(TestServer.get(watcher).index())
                .isEqualTo(test.index(Question.SESSION_LIST, ""))
                .isEqualTo(test.index(Question.CATALOG_NODES, ""));
        assertThat(lives(free)).isFalse();
    }

    /** The term begins with a full time for all sessions; after this it has begun. */
    private void awaitBegunTerm() {
        for (String member : List.of("m1", "m2")) {
            test.members.put(member, "10.0.0.2", 0, Members.State.ALIVE);
            await().atMost(Duration.ofSeconds(10))
                    .until(() -> !test.text(Question.HEALTH_NODE, member).equals("[]"));
        }
    }

    @Test
    void aSessionEndsWhenItsTimeIsUpTwiceAndNotBefore() {
        awaitBegunTerm();
        String a = create("", "10s", 0);
        pass(Duration.ofMillis(19_999));
        assertThat(test.server.call(Method.SESSION_RENEW, a).id()).isEqualTo(a);
        pass(Duration.ofMillis(19_999));
        test.put("any", "command");
        assertThat(lives(a)).isTrue();
        pass(Duration.ofMillis(1));
        await().atMost(Duration.ofSeconds(5)).until(() -> !lives(a));
        assertThatThrownBy(() -> test.server.call(Method.SESSION_RENEW, a))
                .hasMessage("Session id '" + a + "' not found");
    }

    @Test
    void refusesWhatConsulRefuses() {
        assertThatThrownBy(() -> create("foo", "", 0)).hasMessage("Invalid Behavior setting 'foo'");
        assertThatThrownBy(() -> create("", "9s", 0))
                .hasMessage("Invalid Session TTL '9000000000', must be between [10s=24h0m0s]");
        assertThatThrownBy(() -> create("", "abc", 0))
                .hasMessage("Session TTL 'abc' invalid: time: invalid duration \"abc\"");
        assertThatThrownBy(() -> create("", "", 0, "nope"))
                .hasMessage("Missing check 'nope' registration");
    }
}
