package registry.server.txn;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import registry.api.KvWrite;
import registry.api.Session;
import registry.api.Txn;
import registry.api.TxnResult;
import registry.api.TxnResult.Failure;
import registry.api.json.Json;
import registry.server.TestServer;
import registry.server.rpc.Method;
import registry.server.rpc.Question;

class TxnEndpointTest {
    private static final String UNKNOWN = "11111111-2222-3333-4444-555555555555";

    private final TestServer test = new TestServer();

    @AfterEach
    void close() {
        test.close();
    }

    private static String json(String... ops) {
        return "{\"Ops\":[" + String.join(",", ops).replace('\'', '"') + "]}";
    }

    private TxnResult apply(String... ops) {
        return test.server.call(Method.TXN_APPLY, Json.read(json(ops).getBytes(UTF_8), Txn.class));
    }

    private TxnResult read(String... ops) {
        return Json.read(test.get(Question.TXN_READ, json(ops)).body(), TxnResult.class);
    }

    private static List<String> reasons(TxnResult result) {
        assertThat(result.errors()).isNotNull();
        assertThat(result.results()).isNull();
        return result.errors().stream().map(Failure::what).toList();
    }

    private static String kv(String verb, String key, String... members) {
        String more = List.of(members).stream().map(m -> "," + m).collect(Collectors.joining());
        return "{'KV':{'Verb':'%s','Key':'%s'%s}}".formatted(verb, key, more);
    }

    private String session(String behavior, Duration lockDelay) {
        test.register("{\"Node\":\"n\",\"Address\":\"10.0.0.1\"}");
        return test.server.call(
                Method.SESSION_CREATE,
                new Session("", "", "n", lockDelay.toNanos(), behavior, "", List.of(), null, 0, 0));
    }

    @Test
    void stepsSeeWhatThoseBeforeHaveMadeAndAllHaveOneIndex() {
        TxnResult result =
                apply(
                        kv("set", "a", "'Value':'YQ=='", "'Flags':7"),
                        kv("get", "a"),
                        kv("set", "b"),
                        kv("get-tree", ""),
                        kv("delete", "b"),
                        kv("check-not-exists", "b"));
        assertThat(reasons(result)).containsExactly("Must provide key");
        result =
                apply(
                        kv("set", "t/a", "'Value':'YQ=='", "'Flags':7"),
                        kv("get", "t/a"),
                        kv("set", "t/b"),
                        kv("get-tree", "t/"),
                        kv("delete", "t/b"),
                        kv("check-not-exists", "t/b"));
        assertThat(result.errors()).isNull();
        assertThat(result.results())
                .extracting(row -> row.kv().key() + "=" + text(row.kv().value()))
                .containsExactly("t/a=", "t/a=a", "t/b=", "t/a=a", "t/b=");
        assertThat(result.results())
                .extracting(row -> row.kv().modifyIndex())
                .containsOnly(test.index(Question.KV_GET, "t/a"));
    }

    private static String text(byte[] value) {
        return value == null ? "" : new String(value, UTF_8);
    }

    @Test
    void nothingIsDoneAndNobodyWokenWhenAnyStepCannotBeDone() {
        test.put("k", "old");
        long index = test.index(Question.KV_GET, "k");
        var watcher = test.park(Question.KV_GET, "k", index);
        var nodes = test.park(Question.CATALOG_NODES, "", test.index(Question.CATALOG_NODES, ""));
        TxnResult result =
                apply(
                        kv("set", "k", "'Value':'YQ=='"),
                        "{'Node':{'Verb':'set','Node':{'Node':'x','Address':'a'}}}",
                        kv("check-index", "k", "'Index':1"),
                        kv("delete-tree", "k"),
                        kv("get", "k"));
        assertThat(result.errors())
                .extracting(failure -> failure.opIndex() + " " + failure.what())
                .containsExactly(
                        "2 failed index check for key \"k\", current modify index "
                                + (index + 1)
                                + " != 1",
                        "4 key \"k\" doesn't exist");
        assertThat(watcher).isNotDone();
        assertThat(nodes).isNotDone();
        assertThat(test.text(Question.KV_GET, "k", "raw")).isEqualTo("old");
        assertThat(test.index(Question.KV_GET, "k")).isEqualTo(index);
        assertThat(test.text(Question.CATALOG_NODES, "")).doesNotContain("\"x\"");
    }

    @Test
    void locksInATransaction() {
        String one = session("release", Duration.ofSeconds(5));
        String other = session("release", Duration.ZERO);
        String lock = "'Session':'" + one + "'";
        String otherLock = "'Session':'" + other + "'";
        assertThat(apply(kv("lock", "k", lock)).results())
                .extracting(row -> row.kv().session())
                .containsExactly(one);
        assertThat(reasons(apply(kv("lock", "k", otherLock))))
                .containsExactly("failed to lock key \"k\", lock is already held");
        assertThat(reasons(apply(kv("unlock", "k", otherLock))))
                .containsExactly(
                        "failed to unlock key \"k\", lock isn't held, or is held by another session");
        assertThat(read(kv("check-session", "k", lock)).errors()).isNull();
        test.server.call(Method.SESSION_DESTROY, one);
        assertThat(reasons(apply(kv("lock", "k", otherLock))))
                .containsExactly("failed to lock key \"k\" due to lock delay");
        test.nanos.addAndGet(Duration.ofSeconds(5).toNanos());
        assertThat(apply(kv("lock", "k", otherLock), kv("unlock", "k", otherLock)).errors())
                .isNull();
        assertThat(reasons(apply(kv("lock", "k", "'Session':'" + UNKNOWN + "'"))))
                .containsExactly("invalid session \"" + UNKNOWN + "\"");
        assertThat(reasons(apply(kv("lock", "k")))).containsExactly("missing session");
        assertThat(reasons(apply(kv("unlock", "k")))).containsExactly("missing session");
    }

    @Test
    void whatFollowsFromAStepIsThereForTheNext() {
        String holder = session("delete", Duration.ofSeconds(5));
        assertThat(
                        test.server.call(
                                Method.KV_APPLY,
                                new KvWrite(KvWrite.Verb.LOCK, "k", new byte[] {1}, 0, 0, holder)))
                .isTrue();
        TxnResult result =
                apply(
                        "{'Node':{'Verb':'delete','Node':{'Node':'n'}}}",
                        kv("check-not-exists", "k"),
                        kv("set", "k"));
        assertThat(result.errors()).isNull();
        assertThat(test.text(Question.SESSION_LIST, "")).isEqualTo("[]");
        assertThat(test.index(Question.KV_GET, "k"))
                .isEqualTo(test.index(Question.SESSION_LIST, ""))
                .isEqualTo(test.index(Question.CATALOG_NODES, ""));
    }

    @Test
    void theCatalogueInATransaction() {
        TxnResult made =
                apply(
                        "{'Node':{'Verb':'cas','Node':{'Node':'n','Address':'10.0.0.1'}}}",
                        "{'Service':{'Verb':'cas','Node':'n','Service':{'Service':'s','Port':80}}}",
                        "{'Check':{'Verb':'cas','Check':{'Node':'n','Name':'c','ServiceID':'s','Status':'passing'}}}");
        assertThat(made.errors()).isNull();
        assertThat(made.results().getFirst().node().datacenter()).isEqualTo("dc1");
        assertThat(made.results().get(1).service().id()).isEqualTo("s");
        assertThat(made.results().get(2).check().serviceName()).isEqualTo("s");
        long index = test.index(Question.CATALOG_NODES, "");
        assertThat(
                        reasons(
                                apply(
                                        "{'Node':{'Verb':'cas','Node':{'Node':'n','Address':'b'}}}",
                                        "{'Service':{'Verb':'cas','Node':'n','Service':{'Service':'s','ModifyIndex':99}}}",
                                        "{'Check':{'Verb':'delete-cas','Check':{'Node':'n','CheckID':'c','ModifyIndex':99}}}",
                                        "{'Node':{'Verb':'delete-cas','Node':{'Node':'no'}}}",
                                        "{'Service':{'Verb':'set','Node':'no','Service':{'Service':'s'}}}",
                                        "{'Check':{'Verb':'set','Check':{'Node':'n','Name':'d','ServiceID':'no'}}}")))
                .containsExactly(
                        "failed to set node \"n\", index is stale",
                        "failed to set service \"s\" on node \"n\", index is stale",
                        "failed to delete check \"c\" on node \"n\", index is stale",
                        "failed to delete node \"no\", index is stale",
                        "Missing node registration",
                        "Missing service registration on node \"n\"");
        String at = "'ModifyIndex':" + index;
        TxnResult gone =
                apply(
                        "{'Check':{'Verb':'delete-cas','Check':{'Node':'n','CheckID':'c',"
                                + at
                                + "}}}",
                        "{'Service':{'Verb':'delete-cas','Node':'n','Service':{'ID':'s',"
                                + at
                                + "}}}",
                        "{'Node':{'Verb':'delete-cas','Node':{'Node':'n'," + at + "}}}");
        assertThat(gone.errors()).isNull();
        assertThat(gone.results()).isEmpty();
        assertThat(test.text(Question.CATALOG_NODES, "")).isEqualTo("[]");
    }

    @Test
    void allThatIsWrongBeforeTheLogIsTold() {
        assertThat(
                        apply(
                                        kv("set", "a"),
                                        kv("set", ""),
                                        "{'Node':{'Verb':'set','Node':{'Address':'a'}}}",
                                        "{'Node':{'Verb':'set','Node':{'Node':'n','ID':'x'}}}",
                                        "{'Service':{'Verb':'set','Node':'n','Service':{'ID':'s'}}}")
                                .errors())
                .extracting(failure -> failure.opIndex() + " " + failure.what())
                .containsExactly(
                        "1 Must provide key",
                        "2 Must provide node",
                        "3 Bad node ID: uuid string is wrong length",
                        "4 Must provide service name with ID");
        assertThat(test.get(Question.KV_GET, "a").found()).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"KV\":{\"Verb\":\"get\",\"Key\":\"no\"}} | key \"no\" doesn't exist",
                "{\"KV\":{\"Verb\":\"check-index\",\"Key\":\"no\"}} | failed to check index, key \"no\" doesn't exist",
                "{\"KV\":{\"Verb\":\"check-session\",\"Key\":\"no\"}} | failed to check session, key \"no\" doesn't exist",
                "{\"KV\":{\"Verb\":\"check-session\",\"Key\":\"k\",\"Session\":\"x\"}} | failed session check for key \"k\", current session \"\" != \"x\"",
                "{\"KV\":{\"Verb\":\"check-not-exists\",\"Key\":\"k\"}} | key \"k\" exists",
                "{\"KV\":{\"Verb\":\"foo\",\"Key\":\"k\"}} | unknown KV verb \"foo\"",
                "{\"Node\":{\"Verb\":\"get\",\"Node\":{\"Node\":\"no\"}}} | node \"no\" doesn't exist",
                "{\"Node\":{\"Verb\":\"foo\",\"Node\":{\"Node\":\"no\"}}} | unknown Node verb \"foo\"",
                "{\"Service\":{\"Verb\":\"get\",\"Node\":\"no\",\"Service\":{\"ID\":\"s\"}}} | service \"s\" on node \"no\" doesn't exist",
                "{\"Service\":{\"Verb\":\"foo\",\"Service\":{}}} | unknown Service verb \"foo\"",
                "{\"Check\":{\"Verb\":\"get\",\"Check\":{\"Node\":\"no\",\"CheckID\":\"c\"}}} | check \"c\" on node \"no\" doesn't exist",
                "{\"Check\":{\"Verb\":\"foo\",\"Check\":{}}} | unknown Check verb \"foo\""
            })
    void readsThatFailSayWhy(String op, String reason) {
        test.put("k", "v");
        assertThat(reasons(read(op))).containsExactly(reason);
    }

    @Test
    void readsComeFromOneStateAndWriteNothing() {
        assertThat(read().results()).isEmpty();
        assertThat(read("{}").results()).isEmpty();
        assertThat(read(kv("get-or-empty", "no")).results())
                .extracting(row -> row.kv().key())
                .containsExactly("no");
        test.put("k", "v");
        long index = test.index(Question.KV_GET, "k");
        TxnResult result = read(kv("get", "k"), kv("check-index", "k", "'Index':" + index));
        assertThat(result.results())
                .extracting(row -> text(row.kv().value()))
                .containsExactly("v", "");
        var refused =
                test.ask(
                        TestServer.question(
                                Question.TXN_READ, json(kv("set", "k")), 0, Duration.ZERO));
        assertThat(refused).isCompletedExceptionally();
        assertThat(test.index(Question.KV_GET, "k")).isEqualTo(index);
    }
}
