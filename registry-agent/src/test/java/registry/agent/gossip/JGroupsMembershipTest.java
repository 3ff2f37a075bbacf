package registry.agent.gossip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static registry.agent.gossip.TestNode.LOOPBACK;
import static registry.agent.gossip.TestNode.awaitAll;
import static registry.agent.gossip.TestNode.freePort;
import static registry.agent.gossip.TestNode.kill;
import static registry.agent.gossip.TestNode.node;
import static registry.agent.gossip.TestNode.start;
import static registry.agent.gossip.TestNode.statusOf;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.BinaryOperator;
import org.jgroups.BytesMessage;
import org.jgroups.MergeView;
import org.jgroups.View;
import org.jgroups.protocols.pbcast.GMS;
import org.junit.jupiter.api.Test;
import registry.api.ApiException;
import registry.api.Member;
import registry.api.json.Json;
import registry.server.leader.Members.State;

class JGroupsMembershipTest {
    @Test
    void aNodeAloneIsAliveWithItsTags() throws IOException {
        int port = freePort();
        try (var alone = start(node("n1", port))) {
            Member self = alone.self();
            assertThat(self.name()).isEqualTo("n1");
            assertThat(self.port()).isEqualTo(port);
            assertThat(self.status()).isEqualTo(Member.ALIVE);
            assertThat(self.tags()).containsEntry("role", "consul");
            assertThat(alone.members()).containsExactly(self);
        }
    }

    @Test
    void aTakenPortIsRefusedByName() throws IOException {
        try (var taken = new ServerSocket(0, 1, LOOPBACK)) {
            int port = taken.getLocalPort();
            assertThatThrownBy(() -> start(node("n1", port)))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("127.0.0.1:" + port)
                    .hasMessageContaining("serf_lan");
        }
    }

    @Test
    void joiningNobodySaysWhom() throws IOException {
        int dead = freePort();
        try (var alone = start(node("n1", freePort()))) {
            assertThatThrownBy(() -> alone.join(List.of("127.0.0.1:" + dead)))
                    .isInstanceOf(ApiException.class)
                    .hasMessage(
                            "1 error occurred:\n\t* Failed to join 127.0.0.1: dial tcp 127.0.0.1:"
                                    + dead
                                    + ": connect: connection refused\n\n");
            assertThatThrownBy(() -> alone.forceLeave("nope", false))
                    .hasMessage("agent: No node found with name 'nope'");
        }
    }

    @Test
    void membersLearnOfEachOtherAndTellLeavingFromFailing() throws IOException {
        int first = freePort();
        try (var n1 = start(node("n1", first));
                var n2 = start(node("n2", freePort(), first));
                var n3 = start(node("n3", freePort(), first))) {
            await().atMost(20, TimeUnit.SECONDS)
                    .untilAsserted(() -> {
                        for (Membership m : List.of(n1, n2, n3)) {
                            assertThat(m.members()).hasSize(3);
                        }
                    });

            n2.leave();
            n2.close();
            await().atMost(10, TimeUnit.SECONDS)
                    .untilAsserted(() -> assertThat(statusOf(n1, "n2")).isEqualTo(Member.LEFT));

            n3.close();
            await().atMost(10, TimeUnit.SECONDS)
                    .untilAsserted(() -> assertThat(statusOf(n1, "n3")).isEqualTo(Member.FAILED));
            n1.forceLeave("n3", false);
            await().atMost(10, TimeUnit.SECONDS)
                    .untilAsserted(() -> assertThat(statusOf(n1, "n3")).isEqualTo(Member.LEFT));
        }
    }

    @Test
    void aDeadProcessIsNoticedByAllAtOnceAndMayComeBack() throws Exception {
        int first = freePort();
        int third = freePort();
        try (var n1 = start(node("n1", first));
                var n2 = start(node("n2", freePort(), first));
                var n3 = start(node("n3", third, first))) {
            awaitAll(List.of(n1, n2, n3), 3);

            long killed = System.nanoTime();
            kill(n3);
            await().pollInterval(10, TimeUnit.MILLISECONDS)
                    .untilAsserted(() -> {
                        assertThat(statusOf(n1, "n3")).isEqualTo(Member.FAILED);
                        assertThat(statusOf(n2, "n3")).isEqualTo(Member.FAILED);
                    });
            assertThat(Duration.ofNanos(System.nanoTime() - killed))
                    .as("who is only silent is called dead after three seconds")
                    .isLessThan(Duration.ofMillis(2_500));

            // The same identity at another address.
            int moved = freePort();
            try (var again = start(node("n3", moved, first))) {
                await().atMost(10, TimeUnit.SECONDS)
                        .untilAsserted(() -> {
                            assertThat(n1.members())
                                    .filteredOn(m -> m.name().equals("n3"))
                                    .singleElement()
                                    .returns(moved, Member::port)
                                    .returns(Member.ALIVE, Member::status);
                            assertThat(again.members()).hasSize(3);
                        });
            }
        }
    }

    /** It did not answer in time, which a busy member may not. */
    @Test
    void whomAMergeLeavesOutIsNotDead() throws Exception {
        isNotDeadWithout((whole, less) ->
                new MergeView(less.getViewId(), less.getMembers(), List.of(whole)));
    }

    /** Whoever makes the views may hear nobody any more. */
    @Test
    void whomAViewDropsThoughAllHearItIsNotDead() throws Exception {
        isNotDeadWithout((whole, less) -> less);
    }

    /**
     * @param next the view that comes after the whole one, of it and what is less
     */
    private void isNotDeadWithout(BinaryOperator<View> next) throws Exception {
        int first = freePort();
        try (var n1 = start(node("n1", first));
                var n2 = start(node("n2", freePort(), first));
                var n3 = start(node("n3", freePort(), first))) {
            awaitAll(List.of(n1, n2, n3), 3);
            View whole = n1.channel().getView();
            View less = View.create(n1.channel().getAddress(), 100, whole.getMembersRaw()[0]);
            GMS views = n1.channel().getProtocolStack().findProtocol(GMS.class);
            var seen = new CopyOnWriteArrayList<Integer>();
            n1.onChange(() -> seen.add(statusOf(n1, "n3")));
            views.installView(next.apply(whole, less));
            List<MemberRecord> rumour =
                    List.of(n3.word().in(State.FAILED, System.currentTimeMillis() + 1_000));
            n2.channel()
                    .send(
                            new BytesMessage(
                                    n1.channel().getAddress(),
                                    Json.write(GossipMessage.about(rumour))));
            await().atMost(20, TimeUnit.SECONDS).until(() -> n1.channel().getView().size() == 3);
            assertThat(seen).doesNotContain(Member.FAILED);
            awaitAll(List.of(n1, n2, n3), 3);
        }
    }

    @Test
    void aRestartThatIsFasterThanTheDetectionTakesItsNameBack() throws Exception {
        int first = freePort();
        int second = freePort();
        try (var n1 = start(node("n1", first));
                var n2 = start(node("n2", second, first))) {
            awaitAll(List.of(n1, n2), 2);
            kill(n2);
            try (var again = start(node("n2", second, first))) {
                await().atMost(10, TimeUnit.SECONDS)
                        .untilAsserted(() -> {
                            assertThat(statusOf(n1, "n2")).isEqualTo(Member.ALIVE);
                            assertThat(statusOf(again, "n1")).isEqualTo(Member.ALIVE);
                        });
            }
        }
    }

    @Test
    void whoeverTakesTheNameOfALivingMemberIsRefused() throws IOException {
        int first = freePort();
        int second = freePort();
        try (var n1 = start(node("n1", first));
                var n2 = start(node("n2", second, first))) {
            awaitAll(List.of(n1, n2), 2);
            assertThatThrownBy(() -> start(node("N2", freePort(), first)))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(
                            "node name \"n2\" with node id id-n2 belongs to a member that is alive at 127.0.0.1:"
                                    + second);
            assertThat(statusOf(n1, "n2")).isEqualTo(Member.ALIVE);
            assertThat(n1.members()).hasSize(2);
        }
    }

    @Test
    void factsAndEventsReachAllAndNodesThatMeetLaterBecomeOneCluster() throws IOException {
        int first = freePort();
        try (var n1 = start(node("n1", first));
                var n2 = start(node("n2", freePort()))) {
            n1.publish(new TreeMap<>(Map.of("raft_id", "one")));
            assertThat(n2.join(List.of("127.0.0.1:" + first))).isEqualTo(1);
            awaitAll(List.of(n1, n2), 2);
            await().untilAsserted(() ->
                    assertThat(n2.all())
                            .filteredOn(peer -> peer.name().equals("n1"))
                            .singleElement()
                            .returns("one", peer -> peer.facts().get("raft_id")));
            n2.publish(new TreeMap<>(Map.of("raft_id", "two")));
            await().untilAsserted(() ->
                    assertThat(n1.all())
                            .filteredOn(peer -> peer.name().equals("n2"))
                            .singleElement()
                            .returns("two", peer -> peer.facts().get("raft_id")));
            assertThat(n1.members().getLast().tags()).doesNotContainKey("raft_id");

            n1.fire(new UserEvent("e1", "deploy", new byte[] {1}, "", "", "", 1, 0));
            await().untilAsserted(() ->
                    assertThat(n2.events())
                            .singleElement()
                            .returns("deploy", UserEvent::name)
                            .returns(2L, UserEvent::lTime));
        }
    }

    @Test
    void randomDatagramsAndBytesDoNothing() throws Exception {
        int first = freePort();
        long seed = System.nanoTime();
        var random = new Random(seed);
        try (var n1 = start(node("n1", first));
                var n2 = start(node("n2", freePort(), first));
                var socket = new DatagramSocket()) {
            awaitAll(List.of(n1, n2), 2);
            for (int i = 0; i < 2_000; i++) {
                byte[] junk = new byte[random.nextInt(100)];
                random.nextBytes(junk);
                if (junk.length > 4 && random.nextBoolean()) {
                    ByteBuffer.wrap(junk).putInt(0x52474631);
                }
                socket.send(new DatagramPacket(junk, junk.length, LOOPBACK, first));
            }
            assertThat(statusOf(n1, "n2")).as("seed %d", seed).isEqualTo(Member.ALIVE);
            assertThat(statusOf(n2, "n1")).as("seed %d", seed).isEqualTo(Member.ALIVE);
        }
    }
}
