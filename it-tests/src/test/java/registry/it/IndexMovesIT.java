package registry.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Which write moves the index of which question, and which it leaves alone: a question whose index
 * stays does not wake its waiters. Node {@code ix-a} carries {@code ix-web} and {@code ix-db}, node
 * {@code ix-b} carries {@code ix-far}.
 */
@ExtendWith(Agents.class)
final class IndexMovesIT {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final String WEB =
            "{'Node':'ix-a','Address':'10.1.0.1','SkipNodeUpdate':true,'Service':{'ID':'web1','Service':'ix-web','Port':%d}}";

    /** What is asked, by the word that the tests use for it. */
    private static final Map<String, String> QUESTIONS =
            Map.of(
                    "nodes", "/v1/catalog/nodes",
                    "services", "/v1/catalog/services",
                    "checks", "/v1/health/state/any",
                    "web", "/v1/health/service/ix-web",
                    "db", "/v1/health/service/ix-db",
                    "far", "/v1/health/service/ix-far",
                    "kv", "/v1/kv/ix/?recurse",
                    "other kv", "/v1/kv/ix-other/?recurse");

    private final LauncherProcess agent;

    IndexMovesIT(LauncherProcess agent) {
        this.agent = agent;
    }

    @BeforeEach
    void registerTwoNodes() throws Exception {
        register(
                "{'Node':'ix-a','Address':'10.1.0.1','Service':{'ID':'web1','Service':'ix-web','Port':80}}");
        register(
                "{'Node':'ix-a','Address':'10.1.0.1','Service':{'ID':'db1','Service':'ix-db','Port':81}}");
        register(
                "{'Node':'ix-b','Address':'10.1.0.2','Service':{'ID':'far1','Service':'ix-far','Port':82}}");
        put("/v1/kv/ix/key", "one");
        put("/v1/kv/ix-other/key", "one");
    }

    @AfterEach
    void removeThem() throws Exception {
        deregister("{'Node':'ix-a'}");
        deregister("{'Node':'ix-b'}");
        deregister("{'Node':'ix-c'}");
        agent.client().send("DELETE", "/v1/kv/ix?recurse", new byte[0], PATIENCE);
    }

    @Test
    void aNewNodeMovesNodes() throws Exception {
        var moved = movedBy(() -> register("{'Node':'ix-c','Address':'10.1.0.3'}"));
        assertThat(moved).containsExactlyInAnyOrder("nodes");
    }

    @Test
    void aChangedNodeMovesNodesAndEachOfItsServices() throws Exception {
        var moved = movedBy(() -> register("{'Node':'ix-a','Address':'10.1.0.9'}"));
        assertThat(moved).containsExactlyInAnyOrder("nodes", "web", "db");
    }

    @Test
    void aNewServiceMovesServicesAndItself() throws Exception {
        var moved =
                movedBy(() ->
                        register(
                                "{'Node':'ix-b','Address':'10.1.0.2','SkipNodeUpdate':true,'Service':{'ID':'web2','Service':'ix-web'}}"));
        assertThat(moved).containsExactlyInAnyOrder("services", "web");
    }

    @Test
    void aChangedServiceMovesServicesAndItself() throws Exception {
        assertThat(movedBy(() -> register(WEB.formatted(90))))
                .containsExactlyInAnyOrder("services", "web");
    }

    @Test
    void aRemovedInstanceMovesServicesItsChecksAndItself() throws Exception {
        register(
                "{'Node':'ix-b','Address':'10.1.0.2','Service':{'ID':'web2','Service':'ix-web'},'Check':{'CheckID':'w2','Name':'w2','ServiceID':'web2','Status':'passing'}}");
        var moved = movedBy(() -> deregister("{'Node':'ix-b','ServiceID':'web2'}"));
        assertThat(moved).containsExactlyInAnyOrder("services", "checks", "web");
    }

    @Test
    void theLastInstanceLeavesItsIndexToAllAbsentServices() throws Exception {
        long absent = index("/v1/health/service/ix-never");
        deregister("{'Node':'ix-a','ServiceID':'web1'}");
        long removed = index("/v1/health/service/ix-web");
        assertThat(removed).isGreaterThan(absent);
        assertThat(index("/v1/health/service/ix-never")).isEqualTo(removed);
        assertThat(index("/v1/catalog/service/ix-never")).isEqualTo(removed);
        register(WEB.formatted(80));
        assertThat(index("/v1/health/service/ix-web")).isGreaterThan(removed);
        assertThat(index("/v1/health/service/ix-never")).isEqualTo(removed);
    }

    @Test
    void aCheckOfAServiceMovesChecksAndThatService() throws Exception {
        String check =
                "{'Node':'ix-a','Address':'10.1.0.1','SkipNodeUpdate':true,'Check':{'CheckID':'c','Name':'c','ServiceID':'web1','Status':'%s','Output':'%s'}}";
        assertThat(movedBy(() -> register(check.formatted("passing", ""))))
                .containsExactlyInAnyOrder("checks", "web");
        assertThat(movedBy(() -> register(check.formatted("critical", ""))))
                .containsExactlyInAnyOrder("checks", "web");
        assertThat(movedBy(() -> register(check.formatted("critical", "why"))))
                .containsExactlyInAnyOrder("checks", "web");
        assertThat(movedBy(() -> deregister("{'Node':'ix-a','CheckID':'c'}")))
                .containsExactlyInAnyOrder("checks", "web");
    }

    @Test
    void aCheckOfANodeMovesChecksAndEachOfItsServices() throws Exception {
        String check =
                "{'Node':'ix-a','Address':'10.1.0.1','SkipNodeUpdate':true,'Check':{'CheckID':'n','Name':'n','Status':'%s'}}";
        assertThat(movedBy(() -> register(check.formatted("passing"))))
                .containsExactlyInAnyOrder("checks", "web", "db");
        assertThat(movedBy(() -> register(check.formatted("warning"))))
                .containsExactlyInAnyOrder("checks", "web", "db");
        // Consul moves services too when such a check goes; nothing in the list of services depends
        // on it.
        assertThat(movedBy(() -> deregister("{'Node':'ix-a','CheckID':'n'}")))
                .contains("checks", "web", "db")
                .doesNotContain("nodes", "far", "kv");
    }

    @Test
    void aRemovedNodeMovesAllThatItCarried() throws Exception {
        register(
                "{'Node':'ix-a','Address':'10.1.0.1','Check':{'CheckID':'n','Name':'n','Status':'passing'}}");
        var moved = movedBy(() -> deregister("{'Node':'ix-a'}"));
        assertThat(moved).containsExactlyInAnyOrder("nodes", "services", "checks", "web", "db");
    }

    @Test
    void aKeyMovesItsPrefixOnly() throws Exception {
        assertThat(movedBy(() -> put("/v1/kv/ix/key", "two"))).containsExactlyInAnyOrder("kv");
        assertThat(movedBy(() -> put("/v1/kv/ix/new", "one"))).containsExactlyInAnyOrder("kv");
        assertThat(
                        movedBy(() ->
                                agent.client()
                                        .send("DELETE", "/v1/kv/ix/new", new byte[0], PATIENCE)))
                .containsExactlyInAnyOrder("kv");
    }

    @Test
    void aWriteThatChangesNothingMovesNothing() throws Exception {
        String node =
                "{'Node':'ix-a','Address':'10.1.0.1','Check':{'CheckID':'n','Name':'n','Status':'passing'}}";
        register(node);
        assertThat(movedBy(() -> register(node))).isEmpty();
        assertThat(movedBy(() -> register(WEB.formatted(80)))).isEmpty();
        assertThat(movedBy(() -> put("/v1/kv/ix/key", "one"))).isEmpty();
        assertThat(movedBy(() -> deregister("{'Node':'ix-nobody'}"))).isEmpty();
    }

    /** A write. */
    private interface Write {
        void run() throws Exception;
    }

    /** Words of the questions whose index is larger after the write; none may be smaller. */
    private Set<String> movedBy(Write write) throws Exception {
        Map<String, Long> before = indexes();
        write.run();
        var moved = new TreeSet<String>();
        indexes()
                .forEach((word, index) -> {
                    assertThat(index)
                            .as("index of %s never falls", word)
                            .isGreaterThanOrEqualTo(before.get(word));
                    if (index > before.get(word)) {
                        moved.add(word);
                    }
                });
        return moved;
    }

    private Map<String, Long> indexes() throws Exception {
        var indexes = new LinkedHashMap<String, Long>();
        for (var question : QUESTIONS.entrySet()) {
            indexes.put(question.getKey(), index(question.getValue()));
        }
        return indexes;
    }

    private long index(String path) throws Exception {
        return agent.client()
                .get(path, PATIENCE)
                .index()
                .orElseThrow(() -> new AssertionError("no index: " + path));
    }

    private void register(String body) throws Exception {
        put("/v1/catalog/register", body.replace('\'', '"'));
    }

    private void deregister(String body) throws Exception {
        put("/v1/catalog/deregister", body.replace('\'', '"'));
    }

    private void put(String path, String body) throws Exception {
        var answer = agent.client().put(path, body.getBytes(StandardCharsets.UTF_8), PATIENCE);
        assertThat(answer.status()).as("PUT %s: %s", path, answer.text()).isEqualTo(200);
    }
}
