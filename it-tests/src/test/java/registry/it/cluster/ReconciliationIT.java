package registry.it.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import registry.api.client.RegistryClient.Answer;
import registry.it.Cluster;
import registry.it.Node;

/** The catalogue follows the members, and what agents have said stays said. */
final class ReconciliationIT {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int ROUNDS = 2;

    private static Cluster cluster;
    private static Node s1;
    private static Node c1;
    private static Node c2;

    @BeforeAll
    static void start() {
        cluster = Cluster.of(3).clients(2).start();
        cluster.awaitMembers(5);
        s1 = cluster.node("s1");
        c1 = cluster.node("c1");
        c2 = cluster.node("c2");
    }

    @AfterAll
    static void stop() {
        if (cluster != null) {
            cluster.close();
        }
    }

    private static JsonNode json(Node node, String path) throws Exception {
        Answer answer = node.client().get(path, PATIENCE);
        assertThat(answer.status()).as("%s: %s", path, answer.text()).isEqualTo(200);
        return JSON.readTree(answer.body());
    }

    private static void put(Node node, String path, String body) throws Exception {
        Answer answer = node.client().put(path, body.getBytes(UTF_8), PATIENCE);
        assertThat(answer.status()).as("%s: %s", path, answer.text()).isEqualTo(200);
    }

    /** The state of a node's serfHealth; empty when it has none. */
    private static String health(Node seenBy, Node of) throws Exception {
        for (JsonNode check : json(seenBy, "/v1/health/node/" + of.name())) {
            if (check.get("CheckID").asText().equals("serfHealth")) {
                return check.get("Status").asText();
            }
        }
        return "";
    }

    private static Duration timeUntil(Duration limit, Callable<Boolean> done) {
        long began = System.nanoTime();
        await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(5))
                .atMost(limit)
                .until(done);
        return Duration.ofNanos(System.nanoTime() - began);
    }

    private static String figures(List<Duration> times) {
        var sorted = new ArrayList<>(times);
        Collections.sort(sorted);
        return "p50 %d ms, max %d ms of %d"
                .formatted(
                        sorted.get(sorted.size() / 2).toMillis(),
                        sorted.getLast().toMillis(),
                        sorted.size());
    }

    @Test
    void aDeadNodeIsCriticalAndOneThatLeftIsGone() throws Exception {
        var dead = new ArrayList<Duration>();
        var gone = new ArrayList<Duration>();
        for (int round = 0; round < ROUNDS; round++) {
            await().atMost(PATIENCE).until(() -> health(s1, c2).equals("passing"));
            c2.agent().process().destroyForcibly();
            dead.add(timeUntil(PATIENCE, () -> health(s1, c2).equals("critical")));
            c2.kill();
            c2.restart();
            await().atMost(PATIENCE).until(() -> health(s1, c2).equals("passing"));
            put(c2, "/v1/agent/leave", "");
            gone.add(
                    timeUntil(
                            PATIENCE,
                            () ->
                                    s1.client()
                                            .get("/v1/catalog/node/c2", PATIENCE)
                                            .text()
                                            .startsWith("null")));
            c2.agent().awaitExit(PATIENCE);
            c2.restart();
        }
        System.out.printf(
                "dead process critical: %s; left and gone: %s%n", figures(dead), figures(gone));
        // Who is only silent is called dead after three seconds.
        assertThat(Collections.min(dead)).isLessThan(Duration.ofMillis(2_500));
        assertThat(Collections.min(gone)).isLessThan(Duration.ofMillis(2_500));
    }

    @Test
    void aMinorityMarksNobody() throws Exception {
        if (!cluster.hasNetwork()) {
            return;
        }
        cluster.awaitMembers(5);
        Node leader = cluster.awaitLeader();
        Node witness =
                cluster.servers().stream().filter(s -> s != leader).findFirst().orElseThrow();
        Map<String, Long> before = serfHealthIndexes(witness);
        cluster.isolate(leader, c1);
        Duration marked =
                timeUntil(
                        Duration.ofSeconds(20),
                        () ->
                                stale(witness, leader).equals("critical")
                                        && stale(witness, c1).equals("critical"));
        // The minority has found the others missing too, and may not say so.
        await().atMost(Duration.ofSeconds(20)).until(() -> alive(leader) == 2 && alive(c1) == 2);
        await().pollDelay(2, TimeUnit.SECONDS).until(() -> true);
        for (Node node : cluster.nodes()) {
            assertThat(stale(leader, node))
                    .as("%s, seen by the minority", node)
                    .isEqualTo("passing");
        }
        cluster.heal();
        Duration healed =
                timeUntil(
                        Duration.ofSeconds(30),
                        () ->
                                stale(witness, leader).equals("passing")
                                        && stale(witness, c1).equals("passing"));
        cluster.awaitMembers(5);
        Map<String, Long> after = serfHealthIndexes(witness);
        for (Node node : cluster.nodes()) {
            if (node != leader && node != c1) {
                assertThat(after.get(node.name()))
                        .as("%s was never marked", node)
                        .isEqualTo(before.get(node.name()));
            }
        }
        System.out.printf(
                "leader and a client cut off: critical after %d ms, passing %d ms after the end%n",
                marked.toMillis(), healed.toMillis());
    }

    private static String stale(Node seenBy, Node of) throws Exception {
        for (JsonNode check : json(seenBy, "/v1/health/node/" + of.name() + "?stale")) {
            if (check.get("CheckID").asText().equals("serfHealth")) {
                return check.get("Status").asText();
            }
        }
        return "";
    }

    private static long alive(Node seenBy) throws Exception {
        long alive = 0;
        for (JsonNode member : json(seenBy, "/v1/agent/members")) {
            alive += member.get("Status").asInt() == 1 ? 1 : 0;
        }
        return alive;
    }

    private static Map<String, Long> serfHealthIndexes(Node seenBy) throws Exception {
        var indexes = new HashMap<String, Long>();
        for (JsonNode check : json(seenBy, "/v1/health/state/any")) {
            if (check.get("CheckID").asText().equals("serfHealth")) {
                indexes.put(check.get("Node").asText(), check.get("ModifyIndex").asLong());
            }
        }
        return indexes;
    }

    @Test
    void whatIsRemovedBehindAnAgentsBackComesBack() throws Exception {
        put(
                c1,
                "/v1/agent/service/register",
                "{\"Name\":\"kept\",\"Check\":{\"CheckID\":\"kept-ttl\",\"TTL\":\"600s\",\"Status\":\"passing\"}}");
        Map<String, String> removals =
                Map.of(
                        "a service", "{\"Node\":\"c1\",\"ServiceID\":\"kept\"}",
                        "a check", "{\"Node\":\"c1\",\"CheckID\":\"kept-ttl\"}",
                        "serfHealth", "{\"Node\":\"c1\",\"CheckID\":\"serfHealth\"}",
                        "the node", "{\"Node\":\"c1\"}");
        for (var removal : removals.entrySet()) {
            await().atMost(PATIENCE).until(ReconciliationIT::isWhole);
            put(c2, "/v1/catalog/deregister", removal.getValue());
            Duration back = timeUntil(Duration.ofSeconds(70), ReconciliationIT::isWhole);
            System.out.printf(
                    "%s removed behind the agent's back: there again after %d ms%n",
                    removal.getKey(), back.toMillis());
            // Without a watch on its own node it would be up to a minute.
            assertThat(back).as(removal.getKey()).isLessThan(Duration.ofSeconds(20));
        }
        put(c1, "/v1/agent/service/deregister/kept", "");
    }

    private static boolean isWhole() throws Exception {
        JsonNode passing = json(c2, "/v1/health/service/kept?passing");
        return passing.size() == 1 && passing.get(0).get("Checks").size() == 2;
    }

    @Test
    void anAcknowledgedRegistrationOutlivesTheCrashOfAll() throws Exception {
        int services = 0;
        for (int round = 0; round < Integer.getInteger("registry.soak.rounds", 1); round++) {
            for (Node node : List.of(c1, c2)) {
                put(
                        node,
                        "/v1/agent/service/register",
                        "{\"Name\":\"sworn\",\"ID\":\"sworn-" + services++ + "\"}");
            }
            cluster.kill(cluster.nodes());
            cluster.restart(cluster.nodes());
            int expected = services;
            Duration there =
                    timeUntil(
                            Duration.ofSeconds(60),
                            () ->
                                    s1.client().get("/v1/catalog/service/sworn", PATIENCE).isOk()
                                            && json(s1, "/v1/catalog/service/sworn").size()
                                                    == expected);
            System.out.printf(
                    "all killed and started: %d registrations there %d ms after they were ready%n",
                    expected, there.toMillis());
        }
        // Without any server the agent takes the word, and keeps it.
        cluster.kill(cluster.servers());
        put(c1, "/v1/agent/service/register", "{\"Name\":\"sworn\",\"ID\":\"sworn-alone\"}");
        c1.kill();
        cluster.restart(cluster.servers());
        c1.restart();
        int expected = services + 1;
        await().atMost(Duration.ofSeconds(60))
                .until(() -> json(s1, "/v1/catalog/service/sworn").size() == expected);
    }
}
