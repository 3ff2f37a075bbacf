package registry.agent.gossip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static registry.agent.gossip.TestNode.awaitAll;
import static registry.agent.gossip.TestNode.awaitStatus;
import static registry.agent.gossip.TestNode.freePort;
import static registry.agent.gossip.TestNode.kill;
import static registry.agent.gossip.TestNode.node;
import static registry.agent.gossip.TestNode.start;
import static registry.agent.gossip.TestNode.statusOf;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jgroups.BytesMessage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import registry.api.Member;
import registry.api.json.Json;
import registry.server.leader.Members.State;

/** Members that are no more, and whom a node knew before. */
class MembersPastTest {
    private static final Duration A_SECOND = Duration.ofSeconds(1);

    @TempDir private Path folder;

    @Test
    void aFailedMemberIsForgottenAfterReconnectTimeoutByAll() throws Exception {
        int first = freePort();
        try (var n1 = start(node("n1", first).forgettingAfter(A_SECOND));
                var n2 = start(node("n2", freePort(), first).forgettingAfter(A_SECOND));
                var n3 = start(node("n3", freePort(), first))) {
            awaitAll(List.of(n1, n2, n3), 3);
            kill(n3);
            awaitStatus(n1, "n3", Member.FAILED);
            awaitAll(List.of(n1, n2), 2);
        }
    }

    /** What is told to all may be lost to one who is in a part of the view of his own. */
    @Test
    void whoHasMissedAWordLearnsOfItByComparing() throws Exception {
        int first = freePort();
        try (var n1 = start(node("n1", first));
                var n2 = start(node("n2", freePort(), first));
                var n3 = start(node("n3", freePort(), first));
                var n4 = start(node("n4", freePort(), first))) {
            awaitAll(List.of(n1, n2, n3, n4), 4);
            kill(n3);
            kill(n4);
            for (var node : List.of(n1, n2)) {
                awaitStatus(node, "n3", Member.FAILED);
                awaitStatus(node, "n4", Member.FAILED);
            }
            long now = System.currentTimeMillis();
            n1.table().merge(n1.table().find("n3").orElseThrow().in(State.LEFT, now), now);
            n1.table().forget("n4", now);
            awaitStatus(n2, "n3", Member.LEFT);
            awaitStatus(n2, "n4", 0);
        }
    }

    @Test
    void whatIsPrunedIsForgottenByAllAndNotLearntAgain() throws Exception {
        int first = freePort();
        try (var n1 = start(node("n1", first));
                var n2 = start(node("n2", freePort(), first));
                var n3 = start(node("n3", freePort(), first))) {
            awaitAll(List.of(n1, n2, n3), 3);
            n3.leave();
            n3.close();
            awaitStatus(n1, "n3", Member.LEFT);
            awaitStatus(n2, "n3", Member.LEFT);
            n2.forceLeave("n3", true);
            awaitAll(List.of(n1, n2), 2);
            n2.forceLeave("n1", true);
            try (var late = start(node("n4", freePort(), first))) {
                awaitAll(List.of(n1, n2, late), 3);
                assertThat(statusOf(n1, "n1")).as("is alive").isEqualTo(Member.ALIVE);
            }
        }
    }

    @Test
    void aNodeThatWasForcedOutComesBackByItsOwnWord() throws Exception {
        int first = freePort();
        int third = freePort();
        try (var n1 = start(node("n1", first));
                var n2 = start(node("n2", freePort(), first));
                var n3 = start(node("n3", third, first))) {
            awaitAll(List.of(n1, n2, n3), 3);
            kill(n3);
            awaitStatus(n1, "n3", Member.FAILED);
            n1.forceLeave("n3", false);
            awaitStatus(n2, "n3", Member.LEFT);
            try (var again = start(node("n3", third, first))) {
                awaitAll(List.of(n1, n2, again), 3);
            }
        }
    }

    /** All restart at once, and the configuration names nobody: the last view is enough. */
    @Test
    void theMembersOfTheLastViewAreRemembered() throws Exception {
        int first = freePort();
        int second = freePort();
        Path one = folder.resolve("n1/members.json");
        Path two = folder.resolve("n2/members.json");
        try (var n1 = start(node("n1", first).remembering(one));
                var n2 = start(node("n2", second, first).remembering(two))) {
            awaitAll(List.of(n1, n2), 2);
            await().untilAsserted(() -> {
                assertThat(one).content().contains("127.0.0.1:" + second);
                assertThat(two).content().contains("127.0.0.1:" + first);
            });
        }
        try (var n1 = start(node("n1", first).remembering(one));
                var n2 = start(node("n2", second).remembering(two))) {
            awaitAll(List.of(n1, n2), 2);
            n2.leave();
        }
        assertThat(two).content().as("left on purpose").doesNotContain("127.0.0.1");
    }

    /** As the side that was cut off does when two parts have met again. */
    @Test
    void whoIsInTheViewIsNotDeadByHearsay() throws Exception {
        int first = freePort();
        try (var n1 = start(node("n1", first));
                var n2 = start(node("n2", freePort(), first));
                var n3 = start(node("n3", freePort(), first))) {
            awaitAll(List.of(n1, n2, n3), 3);
            long later = System.currentTimeMillis() + 1_000;
            List<MemberRecord> rumours =
                    List.of(n1.word().in(State.FAILED, later), n3.word().in(State.FAILED, later));
            Set<Integer> seen = ConcurrentHashMap.newKeySet();
            for (JGroupsMembership member : List.of(n1, n2, n3)) {
                member.onChange(() -> member.members().forEach(known -> seen.add(known.status())));
            }
            n2.channel().send(new BytesMessage(null, Json.write(GossipMessage.about(rumours))));
            n2.publish(new TreeMap<>(Map.of("after", "rumour")));
            await().until(() ->
                    n3.all().stream().anyMatch(peer -> peer.facts().containsKey("after")));
            assertThat(seen).containsExactly(Member.ALIVE);
        }
    }

    @Test
    void whoeverTakesTheNodeIdOfALivingMemberIsRefused() throws Exception {
        int first = freePort();
        int second = freePort();
        try (var n1 = start(node("n1", first));
                var n2 = start(node("n2", second, first))) {
            awaitAll(List.of(n1, n2), 2);
            assertThatThrownBy(() -> start(node("other", freePort(), first).withId("id-n2")))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(
                            "node name \"n2\" with node id id-n2 belongs to a member that is alive at 127.0.0.1:"
                                    + second);
            awaitAll(List.of(n1, n2), 2);
        }
    }
}
