package registry.it.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import registry.it.Cluster;
import registry.it.Launcher;
import registry.it.Node;
import registry.it.NodeLogs;

/**
 * Who is in the cluster and who is alive, as all nodes see it; their gossip is encrypted. The long
 * forms are in {@link GossipSoakIT}.
 */
@ExtendWith(NodeLogs.class)
final class GossipIT {
    private static final String KEY = "pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s=";
    private static final String NEXT_KEY = "i0P+gFTkLPg0h53eNYjydg==";

    /** A shared machine may be busy; what is meant to be held is printed, and asked of the soak. */
    private static final Duration BUSY = Duration.ofSeconds(2);

    private static final Duration SILENT = Duration.ofSeconds(8);

    private static Cluster cluster;
    private Sightings sightings;

    @BeforeAll
    static void start() {
        cluster = Cluster.of(3).clients(2).with("encrypt", KEY).start();
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @BeforeEach
    void whole() {
        cluster.awaitMembers(5);
        sightings = new Sightings(cluster);
    }

    @AfterEach
    void heal() {
        if (cluster.hasNetwork()) {
            cluster.heal();
        }
        for (Node node : cluster.nodes()) {
            if (!node.agent().isAlive()) {
                node.restart();
            }
        }
    }

    private static List<Node> others(Node... but) {
        var others = new ArrayList<>(cluster.nodes());
        others.removeAll(List.of(but));
        return others;
    }

    private static void report(String what, Duration took) {
        System.out.printf("gossip: %s: %d ms%n", what, took.toMillis());
    }

    @Test
    void aDeadProcessIsSeenByAllAtOnceAndComesBack() throws Exception {
        Node victim = cluster.node("c1");
        long killed = System.nanoTime();
        victim.agent().process().destroyForcibly();
        Duration took = Sightings.untilAllSee(others(victim), "c1", Sightings.FAILED, killed);
        report("a dead process is seen by all after", took);
        assertThat(took).isLessThan(BUSY);
        victim.kill();
        victim.restart();
        Sightings.untilAllSee(cluster.nodes(), "c1", Sightings.ALIVE, System.nanoTime());
        assertThat(sightings.calledDead()).containsOnlyKeys("c1");
    }

    @Test
    void whoLeavesHasLeftAndTheCommandsShowIt() throws Exception {
        Node leaver = cluster.node("c2");
        Node asked = cluster.node("s1");
        long began = System.nanoTime();
        Thread.startVirtualThread(leaver::leave);
        Duration took = Sightings.untilAllSee(others(leaver), "c2", Sightings.LEFT, began);
        report("who leaves has left for all after (with the start of the command)", took);
        Awaitility.await()
                .atMost(BUSY)
                .untilAsserted(() ->
                        assertThat(
                                        asked.client()
                                                .get("/v1/catalog/nodes", Duration.ofSeconds(2))
                                                .text())
                                .doesNotContain("\"c2\""));
        leaver.agent().awaitExit(Duration.ofSeconds(20));

        assertThat(asked.cli("members").out())
                .startsWith("Node  Address         Status  Type    Build  Protocol  DC   Segment\n")
                .contains(
                        "c2    %s:8301  left    client  1.9.8  2         dc1  <default>"
                                .formatted(leaver.address()))
                .contains(
                        "s1    %s:8301  alive   server  1.9.8  2         dc1  <all>"
                                .formatted(asked.address()));
        assertThat(asked.cli("members", "-status=left", "-detailed").out().lines().skip(1))
                .singleElement()
                .asString()
                .startsWith("c2    " + leaver.address() + ":8301  left    acls=0,build=1.9.8:,");
        assertThat(asked.cli("members", "-status=failed").exit()).isEqualTo(2);
        assertThat(asked.cli("members", "-wan").out().lines()).hasSize(4);
        assertThat(asked.cli("force-leave", "-prune", "c2"))
                .isEqualTo(new Launcher.Result(0, "", ""));
        Sightings.untilAllSee(others(leaver), "c2", 0, System.nanoTime());
    }

    @Test
    void aHostThatFallsSilentIsSeenAndItsWayBackHealsTheCluster() throws Exception {
        Assumptions.assumeTrue(cluster.hasNetwork());
        Node lost = cluster.node("c1");
        long cut = System.nanoTime();
        cluster.isolate(lost);
        Duration took = Sightings.untilAllSee(others(lost), "c1", Sightings.FAILED, cut);
        report("a silent host is seen by all after", took);
        assertThat(took).isLessThan(SILENT);
        assertThat(cluster.node("s1").cli("force-leave", "c1").exit()).isZero();
        Sightings.untilAllSee(others(lost), "c1", Sightings.LEFT, System.nanoTime());
        cluster.heal();
        long healed = System.nanoTime();
        Duration back = Sightings.untilAllSee(cluster.nodes(), "c1", Sightings.ALIVE, healed);
        report("two parts are one again after", back);
        for (Node other : others(lost)) {
            Sightings.untilAllSee(cluster.nodes(), other.name(), Sightings.ALIVE, healed);
        }
    }

    @Test
    void aPausedNodeAccusesNobodyAndComesBack() throws Exception {
        Node paused = cluster.node("c2");
        paused.pause();
        LockSupport.parkNanos(Duration.ofSeconds(10).toNanos());
        paused.resume();
        long resumed = System.nanoTime();
        Duration back = Sightings.untilAllSee(cluster.nodes(), "c2", Sightings.ALIVE, resumed);
        report("a node that was paused for 10 s is back after", back);
        for (Node other : others(paused)) {
            Sightings.untilAllSee(cluster.nodes(), other.name(), Sightings.ALIVE, resumed);
        }
        assertThat(sightings.calledDead().keySet()).isSubsetOf("c2");
    }

    @Test
    void lossAndBlockedDatagramsKillNobody() throws Exception {
        Assumptions.assumeTrue(cluster.hasNetwork());
        cluster.loseEverywhere(20);
        LockSupport.parkNanos(Duration.ofSeconds(8).toNanos());
        assertThat(sightings.calledDead()).as("20 % lost each way").isEmpty();
        cluster.heal();
        cluster.blockUdp();
        LockSupport.parkNanos(Duration.ofSeconds(5).toNanos());
        assertThat(sightings.calledDead()).as("UDP blocked").isEmpty();
        Node victim = cluster.node("c1");
        long killed = System.nanoTime();
        victim.kill();
        Duration took = Sightings.untilAllSee(others(victim), "c1", Sightings.FAILED, killed);
        report("without UDP a dead process is seen by all after", took);
        assertThat(took).isLessThan(BUSY);
    }

    @Test
    void theKeyIsChangedOnAllNodesAndOutlivesThem() throws Exception {
        Node asked = cluster.node("c1");
        assertThat(asked.cli("keyring", "-list").out())
                .isEqualTo(
                        "==> Gathering installed encryption keys...\n\nWAN:\n  %1$s [3/3]\n\ndc1 (LAN):\n  %1$s [5/5]\n"
                                .formatted(KEY));
        rotate(asked, KEY, NEXT_KEY);
        assertThat(asked.cli("keyring", "-list").out())
                .contains(NEXT_KEY + " [5/5]")
                .doesNotContain(KEY);
        Node restarted = cluster.node("c2");
        restarted.kill();
        restarted.restart();
        cluster.awaitMembers(5);
        rotate(asked, NEXT_KEY, KEY);
        assertThat(sightings.calledDead().keySet()).isSubsetOf("c2");
    }

    private static void rotate(Node asked, String from, String to) {
        for (String step : List.of("-install=" + to, "-use=" + to, "-remove=" + from)) {
            Launcher.Result result = asked.cli("keyring", step);
            assertThat(result.exit()).as(result.all()).isZero();
        }
    }
}
