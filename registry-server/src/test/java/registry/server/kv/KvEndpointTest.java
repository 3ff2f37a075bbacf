package registry.server.kv;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import registry.api.KvWrite;
import registry.api.KvWrite.Verb;
import registry.server.TestServer;
import registry.server.leader.Members;
import registry.server.rpc.Method;
import registry.server.rpc.Question;

class KvEndpointTest {
    private final TestServer test = new TestServer();

    @AfterEach
    void close() {
        test.close();
    }

    private boolean locked(Verb verb, String key, String session) {
        return test.server.call(
                Method.KV_APPLY, new KvWrite(verb, key, "v".getBytes(UTF_8), 0, 0, session));
    }

    private boolean found(String key, String... params) {
        return test.get(Question.KV_GET, key, params).found();
    }

    @Test
    void aPairIsShownAsConsulShowsIt() {
        test.kv(Verb.SET, "a", "hello", 42, 0);
        assertThat(test.text(Question.KV_GET, "a"))
                .isEqualTo(
                        "[{\"LockIndex\":0,\"Key\":\"a\",\"Flags\":42,\"Value\":\"aGVsbG8=\",\"CreateIndex\":1,\"ModifyIndex\":1}]");
        test.kv(Verb.SET, "a", "", -1, 0);
        assertThat(test.text(Question.KV_GET, "a"))
                .contains("\"Flags\":18446744073709551615,\"Value\":null");
        assertThat(test.get(Question.KV_GET, "a", "raw").body()).isEmpty();
        assertThat(found("a", "raw")).isTrue();
        assertThat(found("none", "raw")).isFalse();
    }

    @Test
    void casComparesTheModifyIndex() {
        assertThat(test.kv(Verb.CAS, "a", "1", 0, 99)).isFalse();
        assertThat(test.kv(Verb.CAS, "a", "1", 0, 0)).isTrue();
        assertThat(test.kv(Verb.CAS, "a", "2", 0, 0)).isFalse();
        assertThat(test.kv(Verb.CAS, "a", "2", 0, 2)).isTrue();
        assertThat(test.kv(Verb.CAS, "a", "3", 0, 2)).isFalse();
        assertThat(test.text(Question.KV_GET, "a", "raw")).isEqualTo("2");
    }

    @Test
    void deletionsAreTrueUnlessTheirConditionFails() {
        test.put("a", "1");
        assertThat(test.kv(Verb.DELETE_CAS, "a", "", 0, 0)).isFalse();
        assertThat(test.kv(Verb.DELETE_CAS, "a", "", 0, 7)).isFalse();
        assertThat(test.kv(Verb.DELETE_CAS, "nokey", "", 0, 7)).isTrue();
        assertThat(test.kv(Verb.DELETE_CAS, "a", "", 0, 1)).isTrue();
        assertThat(test.kv(Verb.DELETE, "a", "", 0, 0)).isTrue();
        assertThat(found("a")).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "d/|''|[\"d/\",\"d/1\",\"d/2/x\",\"d/2/y\"]",
                "d/|/|[\"d/\",\"d/1\",\"d/2/\"]",
                "''|/|[\"a\",\"d/\",\"e\"]",
                "d|/|[\"d/\"]",
                "d/2/|x|[\"d/2/x\",\"d/2/y\"]",
            })
    void namesAreCutBehindTheSeparator(String prefix, String separator, String names) {
        for (String key : new String[] {"a", "d/", "d/1", "d/2/x", "d/2/y", "e"}) {
            test.put(key, "1");
        }
        assertThat(test.text(Question.KV_GET, prefix, "keys", "separator=" + separator))
                .isEqualTo(names);
    }

    @Test
    void treesAreSortedByTheBytesOfTheirKeys() {
        for (String key : new String[] {"\ud83d\ude00", "\uffee", "B", "a"}) {
            test.put(key, "1");
        }
        assertThat(test.list(Question.KV_GET, "", "Key", "recurse"))
                .containsExactly("B", "a", "\uffee", "\ud83d\ude00");
    }

    @Test
    void nothingBelowAPrefixIsNotFoundButAllNamesAre() {
        assertThat(test.text(Question.KV_GET, "", "keys")).isEqualTo("[]");
        assertThat(found("", "recurse")).isFalse();
        assertThat(found("x", "keys")).isFalse();
        assertThat(found("x", "recurse")).isFalse();
        assertThat(test.index(Question.KV_GET, "x")).isEqualTo(1);
    }

    @Test
    void aTreeIsDeletedByItsPrefix() {
        for (String key : new String[] {"d", "d/1", "d/2", "e"}) {
            test.put(key, "1");
        }
        test.kv(Verb.DELETE_TREE, "d/", "", 0, 0);
        assertThat(test.text(Question.KV_GET, "", "keys")).isEqualTo("[\"d\",\"e\"]");
        test.kv(Verb.DELETE_TREE, "", "", 0, 0);
        assertThat(test.text(Question.KV_GET, "", "keys")).isEqualTo("[]");
    }

    @ParameterizedTest
    @EnumSource(value = Verb.class, mode = EnumSource.Mode.EXCLUDE, names = "DELETE_TREE")
    void aKeyIsNeeded(Verb verb) {
        assertThatThrownBy(() -> test.kv(verb, "", "", 0, 0)).hasMessage("Missing key name");
        assertThatThrownBy(() -> test.get(Question.KV_GET, ""))
                .hasRootCauseMessage("Missing key name");
    }

    @Test
    void locksNeedASession() {
        assertThatThrownBy(() -> locked(Verb.LOCK, "a", "")).hasMessage("missing session");
        assertThatThrownBy(() -> locked(Verb.LOCK, "a", "nope"))
                .hasMessage("failed session lookup: index error: UUID must be 36 characters");
        String session = "a2a651ae-74d7-02b3-96c2-36aa78638eb9";
        assertThatThrownBy(() -> locked(Verb.LOCK, "a", session))
                .hasMessage("invalid session \"" + session + "\"");
        assertThat(locked(Verb.UNLOCK, "a", "nope")).isFalse();
        test.put("a", "1");
        assertThat(locked(Verb.UNLOCK, "a", session)).isFalse();
        assertThat(test.text(Question.KV_GET, "a", "raw")).isEqualTo("1");
    }

    @Test
    void aPrefixsIndexDoesNotFallWhenItsDeletionsAreForgotten() {
        test.put("a/1", "1");
        test.put("a/2", "1");
        test.kv(Verb.DELETE, "a/2", "", 0, 0);
        test.put("b", "1");
        assertThat(test.index(Question.KV_GET, "a/", "recurse")).isEqualTo(3);
        test.nanos.addAndGet(Duration.ofMinutes(14).toNanos());
        test.members.put("x", "", 0, Members.State.LEAVING);
        test.nanos.addAndGet(Duration.ofMinutes(2).toNanos());
        test.members.put("x", "", 0, Members.State.LEAVING);
        org.awaitility.Awaitility.await().until(() -> test.consensus.index() == 5);
        assertThat(test.index(Question.KV_GET, "a/", "recurse")).isEqualTo(3);
        assertThat(test.index(Question.KV_GET, "", "recurse")).isEqualTo(4);
    }
}
