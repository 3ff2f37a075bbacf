package registry.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import registry.api.KvWrite;
import registry.server.rpc.Question;

/** One test per row of consul-api 5.6: which indexes a write moves, and that it moves no others. */
class IndexRulesTest {
    private final TestServer test = new TestServer();
    private Map<String, Long> before = new LinkedHashMap<>();

    @BeforeEach
    void twoNodesWithTwoServices() {
        for (String node : List.of("n1", "n2")) {
            for (String service : List.of("web", "db")) {
                test.register(
                        """
                        {"Node":"%s","Address":"10.0.0.1","Service":{"Service":"%s"},
                         "Checks":[{"CheckID":"c-%s","ServiceID":"%s","Status":"passing"},
                                   {"CheckID":"node","Status":"passing"}]}\
                        """
                                .formatted(node, service, service, service));
            }
        }
        test.register(
                "{\"Node\":\"n1\",\"Address\":\"10.0.0.1\",\"Service\":{\"Service\":\"only\"}}");
        test.put("a/b", "1");
        before = indexes();
    }

    @AfterEach
    void close() {
        test.close();
    }

    private Map<String, Long> indexes() {
        Map<String, Long> now = new LinkedHashMap<>();
        now.put("nodes", test.index(Question.CATALOG_NODES, ""));
        now.put("services", test.index(Question.CATALOG_SERVICES, ""));
        now.put("checks", test.index(Question.HEALTH_STATE, "any"));
        now.put("web", test.index(Question.HEALTH_SERVICE, "web"));
        now.put("db", test.index(Question.HEALTH_SERVICE, "db"));
        now.put("only", test.index(Question.HEALTH_SERVICE, "only"));
        now.put("absent", test.index(Question.HEALTH_SERVICE, "absent"));
        now.put("kv", test.index(Question.KV_GET, "", "keys"));
        now.put("a/", test.index(Question.KV_GET, "a/", "keys"));
        return now;
    }

    private void moved(String... names) {
        Map<String, Long> now = indexes();
        List<String> moved = new ArrayList<>();
        now.forEach((name, index) -> {
            if (!index.equals(before.get(name))) {
                assertThat(index).as(name).isEqualTo(test.consensus.index());
                moved.add(name);
            }
        });
        assertThat(moved).containsExactly(names);
    }

    @Test
    void nodeAdded() {
        test.register("{\"Node\":\"n3\",\"Address\":\"10.0.0.3\"}");
        moved("nodes");
    }

    @Test
    void nodeChanged() {
        test.register("{\"Node\":\"n2\",\"Address\":\"10.0.0.9\"}");
        moved("nodes", "web", "db");
    }

    @Test
    void serviceAdded() {
        test.register(
                "{\"Node\":\"n2\",\"SkipNodeUpdate\":true,\"Service\":{\"ID\":\"web2\",\"Service\":\"web\"}}");
        moved("services", "web");
    }

    @Test
    void serviceChanged() {
        test.register(
                "{\"Node\":\"n2\",\"SkipNodeUpdate\":true,\"Service\":{\"Service\":\"web\",\"Port\":9}}");
        moved("services", "web");
    }

    @Test
    void serviceRemoved() {
        test.deregister("{\"Node\":\"n2\",\"ServiceID\":\"web\"}");
        moved("services", "checks", "web");
    }

    @Test
    void lastInstanceRemoved() {
        test.deregister("{\"Node\":\"n1\",\"ServiceID\":\"only\"}");
        moved("services", "checks", "only", "absent");
    }

    @Test
    void instanceRenamed() {
        test.register(
                "{\"Node\":\"n1\",\"SkipNodeUpdate\":true,\"Service\":{\"ID\":\"only\",\"Service\":\"new\"}}");
        moved("services", "only", "absent");
        assertThat(test.index(Question.HEALTH_SERVICE, "new")).isEqualTo(test.consensus.index());
    }

    @Test
    void serviceCheckAdded() {
        test.register(
                "{\"Node\":\"n2\",\"SkipNodeUpdate\":true,\"Checks\":[{\"Name\":\"x\",\"ServiceID\":\"web\"}]}");
        moved("checks", "web");
    }

    @Test
    void serviceCheckChanged() {
        test.register(
                "{\"Node\":\"n2\",\"SkipNodeUpdate\":true,\"Checks\":[{\"CheckID\":\"c-web\",\"ServiceID\":\"web\",\"Status\":\"passing\",\"Output\":\"o\"}]}");
        moved("checks", "web");
    }

    @Test
    void serviceCheckRemoved() {
        test.deregister("{\"Node\":\"n2\",\"CheckID\":\"c-web\"}");
        moved("checks", "web");
    }

    @Test
    void nodeCheckAdded() {
        test.register("{\"Node\":\"n2\",\"SkipNodeUpdate\":true,\"Checks\":[{\"Name\":\"x\"}]}");
        moved("checks", "web", "db");
    }

    @Test
    void nodeCheckChanged() {
        test.register(
                "{\"Node\":\"n2\",\"SkipNodeUpdate\":true,\"Checks\":[{\"CheckID\":\"node\",\"Status\":\"warning\"}]}");
        moved("checks", "web", "db");
    }

    @Test
    void nodeCheckRemoved() {
        test.deregister("{\"Node\":\"n2\",\"CheckID\":\"node\"}");
        moved("services", "checks", "web", "db");
    }

    @Test
    void nodeRemoved() {
        test.deregister("{\"Node\":\"n1\"}");
        moved("nodes", "services", "checks", "web", "db", "only", "absent");
    }

    @Test
    void bareNodeRemoved() {
        test.register("{\"Node\":\"n3\",\"Address\":\"10.0.0.3\"}");
        before = indexes();
        test.deregister("{\"Node\":\"n3\"}");
        moved("nodes");
    }

    @Test
    void keySet() {
        test.put("a/c", "1");
        moved("kv", "a/");
    }

    @Test
    void keyElsewhereSet() {
        test.put("b", "1");
        moved("kv");
    }

    @Test
    void keyDeleted() {
        test.put("a/c", "1");
        before = indexes();
        test.kv(KvWrite.Verb.DELETE, "a/b", "", 0, 0);
        moved("kv", "a/");
    }

    @Test
    void treeDeleted() {
        test.put("a/c/d", "1");
        before = indexes();
        test.kv(KvWrite.Verb.DELETE_TREE, "a/c", "", 0, 0);
        moved("kv", "a/");
    }

    @Test
    void whatChangesNothingMovesNothing() {
        test.register(
                """
                {"Node":"n1","Address":"10.0.0.1","Service":{"Service":"web"},
                 "Checks":[{"CheckID":"c-web","ServiceID":"web","Status":"passing"},
                           {"CheckID":"node","Status":"passing"}]}\
                """);
        test.register("{\"Node\":\"n1\",\"SkipNodeUpdate\":true}");
        test.put("a/b", "1");
        test.kv(KvWrite.Verb.CAS, "a/b", "2", 0, 1);
        test.kv(KvWrite.Verb.DELETE, "zz", "", 0, 0);
        test.kv(KvWrite.Verb.DELETE_TREE, "zz", "", 0, 0);
        test.deregister("{\"Node\":\"nope\"}");
        test.deregister("{\"Node\":\"n1\",\"ServiceID\":\"nope\"}");
        test.deregister("{\"Node\":\"n1\",\"CheckID\":\"nope\"}");
        moved();
    }

    @Test
    void aRefusedRegistrationKeepsNothingOfItself() {
        org.assertj.core.api.Assertions.assertThatThrownBy(() ->
                test.register(
                        "{\"Node\":\"n9\",\"Address\":\"1.1.1.1\",\"Checks\":[{\"Name\":\"x\",\"ServiceID\":\"nope\"}]}"));
        moved();
        assertThat(test.list(Question.CATALOG_NODES, "", "Node")).containsExactly("n1", "n2");
    }

    @Test
    void namesOnceSeenLeaveNoIndexBehind() throws Exception {
        long size = snapshotSize();
        for (int i = 0; i < 100; i++) {
            test.register(
                    "{\"Node\":\"x%d\",\"Address\":\"1.1.1.1\",\"Service\":{\"Service\":\"s%d\"}}"
                            .formatted(i, i));
            test.deregister("{\"Node\":\"x" + i + "\"}");
        }
        assertThat(snapshotSize()).isLessThan(size + 100);
    }

    private long snapshotSize() throws Exception {
        var out = new java.io.ByteArrayOutputStream();
        test.consensus.applier().snapshot().writeTo(out);
        return out.size();
    }
}
