package registry.it.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import registry.it.Cluster;
import registry.it.Launcher;
import registry.it.Node;
import registry.it.NodeLogs;

/**
 * Three servers, and two that come later, through all that may happen to them. Each test begins and
 * ends with three that are well. Figures are printed; the limits here are wide enough for a machine
 * that has other things to do.
 */
@ExtendWith(NodeLogs.class)
final class ServersIT {
    private static final Duration ASK = Duration.ofSeconds(1);
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> FIGURES = Collections.synchronizedList(new ArrayList<>());

    private static Cluster cluster;

    @BeforeAll
    static void start() {
        long began = System.nanoTime();
        cluster = Cluster.of(3).later(2).start();
        figure("three servers started", List.of(millis(began)));
    }

    @AfterAll
    static void stop() {
        cluster.close();
        FIGURES.forEach(System.out::println);
    }

    @AfterEach
    void threeAreWell() {
        await().atMost(LONG)
                .untilAsserted(() ->
                        assertThat(founders())
                                .allMatch(node -> voters(node).equals(addresses(founders())))
                                .allMatch(ServersIT::reads));
    }

    @Test
    void aLeaderIsKilled() {
        List<Long> times = new ArrayList<>();
        for (int round = 0; round < rounds(3); round++) {
            Node leader = cluster.awaitLeader();
            leader.kill();
            times.add(untilWritten(without(leader)));
            leader.restart();
            awaitVoters(founders());
        }
        figure("leader killed -> next write", times);
        assertThat(times).allMatch(time -> time < 10_000);
    }

    @Test
    void aLeaderIsFrozenThenTheNextOneAtOnce() {
        List<Long> times = new ArrayList<>();
        for (int round = 0; round < rounds(1); round++) {
            Node first = cluster.awaitLeader();
            first.pause();
            times.add(untilWritten(without(first)));
            first.resume();
            Node second = cluster.awaitLeader();
            second.pause();
            times.add(untilWritten(without(second)));
            second.resume();
        }
        figure("leader frozen, and the next one at once -> next write", times);
        assertThat(times).allMatch(time -> time < 10_000);
    }

    @Test
    void aLeaderIsCutOff() {
        Assumptions.assumeTrue(cluster.hasNetwork());
        List<Long> times = new ArrayList<>();
        for (int round = 0; round < rounds(1); round++) {
            Node leader = cluster.awaitLeader();
            cluster.isolate(leader);
            times.add(untilWritten(without(leader)));
            assertThat(status(leader, "/v1/kv/servers?consistent")).isNotEqualTo(200);
            cluster.heal();
            await().atMost(LONG).until(() -> reads(leader));
        }
        figure("leader cut off -> next write", times);
        assertThat(times).allMatch(time -> time < 10_000);
    }

    @Test
    void allAreKilledAtOnce() {
        List<Long> times = new ArrayList<>();
        for (int round = 0; round < rounds(1); round++) {
            Node any = cluster.awaitLeader();
            String value = "before " + round;
            await().atMost(LONG).until(() -> writes(any, "/v1/kv/kept", value));
            cluster.kill(founders());
            long began = System.nanoTime();
            founders().forEach(Node::spawn);
            untilWritten(founders());
            times.add(millis(began));
            await().atMost(LONG).until(() -> reads(any));
            assertThat(text(any, "/v1/kv/kept?raw&consistent")).isEqualTo(value);
        }
        figure("all killed, started again -> writable", times);
        assertThat(times).allMatch(time -> time < 20_000);
    }

    @Test
    void whoLeavesIsGoneFromVotersAndCatalogue() {
        for (boolean asLeader : List.of(false, true)) {
            Node leader = cluster.awaitLeader();
            Node leaving = asLeader ? leader : without(leader).getFirst();
            Node other = without(leaving).getLast();
            // Right after a partition TCP still waits to repeat what was lost: a second or more.
            cluster.awaitMembers(3);
            long began = System.nanoTime();
            var left =
                    CompletableFuture.supplyAsync(() -> status(leaving, "PUT", "/v1/agent/leave"));
            await().pollInterval(Duration.ofMillis(10))
                    .atMost(LONG)
                    .until(() -> !text(other, "/v1/catalog/nodes").contains(quoted(leaving)));
            long gone = millis(began);
            long written = untilWritten(without(leaving));
            assertThat(left.join()).isEqualTo(200);
            assertThat(leaving.agent().awaitExit(LONG)).isZero();
            assertThat(voters(other)).isEqualTo(addresses(without(leaving)));
            figure(
                    (asLeader ? "leader" : "follower")
                            + " leaves -> gone from the catalogue, next write after that",
                    List.of(gone, written));
            assertThat(gone).isLessThan(10_000);
            leaving.restart();
            awaitVoters(founders());
        }
    }

    @Test
    void aWipedServerComesBackAsSomebodyElse() {
        for (int expect : new int[] {3, 1}) {
            Node leader = cluster.awaitLeader();
            Node wiped = without(leader).getFirst();
            untilWritten(founders());
            String before = raftId(wiped);
            wiped.kill();
            wiped.wipe();
            wiped.agent().reconfigure("bootstrap_expect", expect);
            long began = System.nanoTime();
            wiped.restart();
            await().atMost(LONG).until(() -> voters(leader).equals(addresses(founders())));
            await().atMost(LONG).until(() -> voters(wiped).equals(addresses(founders())));
            figure("wiped, expects " + expect + " -> votes again", List.of(millis(began)));
            assertThat(raftId(wiped)).isNotEqualTo(before);
            assertThat(clusterId(wiped)).isEqualTo(clusterId(leader));
            assertThat(text(wiped, "/v1/kv/servers?stale")).isNotEmpty();
        }
    }

    @Test
    void anAddressChanges() {
        Assumptions.assumeTrue(cluster.hasNetwork());
        Node leader = cluster.awaitLeader();
        Node moved = without(leader).getFirst();
        String before = raftId(moved);
        for (String address : List.of("10.42.0.77", moved.address())) {
            run(moved, "ip", "addr", "replace", address + "/24", "dev", "eth0");
            moved.kill();
            moved.agent().reconfigure("bind_addr", address);
            moved.restart();
            await().atMost(LONG).until(() -> voters(leader).contains(address + ":8300"));
            assertThat(voters(leader)).hasSize(3);
            assertThat(raftId(moved)).isEqualTo(before);
            Node killed = cluster.awaitLeader();
            assertThat(killed).isSameAs(leader);
        }
    }

    @Test
    void allRestartOneAfterTheOtherInAnyOrder() {
        var order = new ArrayList<>(founders());
        long seed = System.nanoTime();
        Collections.shuffle(order, new java.util.Random(seed));
        for (Node node : order) {
            node.agent().signal("TERM");
            node.agent().awaitExit(LONG);
            untilWritten(without(node));
            node.restart();
            await("seed " + seed).atMost(LONG).until(() -> reads(node));
        }
        assertThat(voters(cluster.awaitLeader())).isEqualTo(addresses(founders()));
    }

    @Test
    void moreServersComeAndGo() {
        List<Node> later =
                cluster.servers().stream().filter(node -> !founders().contains(node)).toList();
        long began = System.nanoTime();
        cluster.restart(later);
        awaitVoters(cluster.servers());
        figure("two servers more -> they vote", List.of(millis(began)));
        for (int fault = 0; fault < 2; fault++) {
            Node leader = cluster.awaitLeader();
            leader.kill();
        }
        long written = untilWritten(running());
        figure("two of five killed -> next write", List.of(written));
        for (Node node : cluster.servers()) {
            if (!node.agent().isAlive()) {
                node.restart();
            }
        }
        awaitVoters(cluster.servers());
        later.forEach(Node::leave);
        awaitVoters(founders());
    }

    @Test
    void anOperatorSeesAndMovesTheLeader() throws Exception {
        Node leader = cluster.awaitLeader();
        Node next = without(leader).getFirst();
        String list = next.cli("operator", "raft", "list-peers").out();
        assertThat(list.lines()).hasSize(4);
        assertThat(list)
                .containsPattern(leader.name() + " .*" + leader.address() + ":8300 +leader +true");
        String id = JSON.readTree(text(next, "/v1/agent/self")).at("/Config/NodeID").asText();
        await().atMost(LONG)
                .untilAsserted(() -> {
                    next.cli("operator", "raft", "transfer-leader", "-id=" + id);
                    assertThat(cluster.leader()).contains(next);
                });
        await().atMost(LONG).until(() -> status(leader, "/v1/operator/autopilot/health") == 200);
        JsonNode health = JSON.readTree(text(leader, "/v1/operator/autopilot/health"));
        assertThat(health.path("FailureTolerance").asInt()).isEqualTo(1);
        assertThat(next.cli("operator", "raft", "remove-peer", "-id=" + id).all())
                .contains("is alive and would be taken in again");
        Node dead = without(next).getFirst();
        dead.kill();
        await().atMost(LONG)
                .untilAsserted(() ->
                        assertThat(
                                        next.cli(
                                                        "operator",
                                                        "raft",
                                                        "remove-peer",
                                                        "-address=" + dead.address() + ":8300")
                                                .exit())
                                .isZero());
        assertThat(voters(next)).isEqualTo(addresses(without(dead)));
        dead.restart();
        awaitVoters(founders());
    }

    /** Some more for figures. */
    private static int rounds(int otherwise) {
        return Integer.getInteger("registry.soak.rounds", otherwise);
    }

    private static List<Node> founders() {
        return cluster.servers().subList(0, 3);
    }

    private static List<Node> running() {
        return cluster.servers().stream().filter(node -> node.agent().isAlive()).toList();
    }

    private static List<Node> without(Node node) {
        return founders().stream().filter(other -> other != node).toList();
    }

    private static Set<String> addresses(List<Node> nodes) {
        var addresses = new TreeSet<String>();
        nodes.forEach(node -> addresses.add(node.address() + ":8300"));
        return addresses;
    }

    private static void awaitVoters(List<Node> nodes) {
        await().atMost(LONG)
                .pollInterval(Duration.ofMillis(20))
                .untilAsserted(() ->
                        assertThat(nodes)
                                .allSatisfy(node ->
                                        assertThat(voters(node)).isEqualTo(addresses(nodes))));
    }

    /** As this server knows them; none while it does not answer. */
    private static Set<String> voters(Node node) {
        try {
            var voters = new TreeSet<String>();
            JSON.readTree(text(node, "/v1/status/peers"))
                    .forEach(peer -> voters.add(peer.asText()));
            return voters;
        } catch (IOException e) {
            return Set.of();
        }
    }

    private static boolean reads(Node node) {
        int status = status(node, "/v1/kv/servers?consistent");
        return status == 200 || status == 404;
    }

    private static String raftId(Node node) {
        return stat(node, "raft_id");
    }

    private static String clusterId(Node node) {
        return stat(node, "cluster_id");
    }

    private static String stat(Node node, String name) {
        try {
            return JSON.readTree(text(node, "/v1/agent/self")).at("/Stats/raft/" + name).asText();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static String quoted(Node node) {
        return "\"Node\":\"" + node.name() + "\"";
    }

    private static int status(Node node, String path) {
        return status(node, "GET", path);
    }

    private static int status(Node node, String method, String path) {
        try {
            return node.client().send(method, path, new byte[0], ASK).status();
        } catch (IOException e) {
            return 0;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Empty text for whatever is no answer. */
    private static String text(Node node, String path) {
        try {
            var answer = node.client().get(path, ASK);
            return answer.isOk() ? answer.text() : "";
        } catch (IOException e) {
            return "";
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Milliseconds until one of these has acknowledged a write. */
    private static long untilWritten(List<Node> over) {
        long began = System.nanoTime();
        await().pollInSameThread()
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(10))
                .atMost(LONG)
                .until(() -> over.stream().anyMatch(ServersIT::writes));
        return millis(began);
    }

    private static boolean writes(Node node) {
        return writes(node, "/v1/kv/servers", "x");
    }

    private static boolean writes(Node node, String path, String value) {
        try {
            return node.client().put(path, value.getBytes(UTF_8), ASK).isOk();
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void run(Node node, String... words) {
        var command = new ArrayList<>(node.entry());
        command.addAll(Arrays.asList(words));
        var result = Launcher.run(command, Map.of("PATH", "/usr/sbin:/sbin:/usr/bin:/bin"), "");
        assertThat(result.exit()).as(result.all()).isZero();
    }

    private static long millis(long since) {
        return (System.nanoTime() - since) / 1_000_000;
    }

    private static void figure(String what, List<Long> millis) {
        FIGURES.add("servers: " + what + ": " + millis + " ms");
    }
}
