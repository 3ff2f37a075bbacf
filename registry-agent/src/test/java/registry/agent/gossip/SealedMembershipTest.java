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

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import registry.agent.gossip.seal.Keyring;
import registry.api.Member;

class SealedMembershipTest {
    private static final String ONE = "pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s=";
    private static final String TWO = "i0P+gFTkLPg0h53eNYjydg==";

    @TempDir private Path folder;

    private static Keyring ring(String key) throws IOException {
        return Keyring.open(key, null, true, true);
    }

    @Test
    void whoHasTheKeyIsAMemberAndWhoHasNotNeverIs() throws Exception {
        int first = freePort();
        try (var n1 = start(node("n1", first).with(ring(ONE)));
                var n2 = start(node("n2", freePort(), first).with(ring(ONE)));
                var wrong = start(node("wrong", freePort(), first).with(ring(TWO)));
                var plain = start(node("plain", freePort(), first))) {
            awaitAll(List.of(n1, n2), 2);
            String address = "127.0.0.1:" + first;
            assertThatThrownBy(() -> wrong.join(List.of(address)))
                    .hasMessageContaining(
                            "Failed to join 127.0.0.1: No installed keys could decrypt the message");
            assertThatThrownBy(() -> plain.join(List.of(address)))
                    .hasMessageContaining("this node has no key (encrypt)");
            // Several rounds of merging later.
            n1.fire(new UserEvent("e1", "deploy", null, "", "", "", 1, 0));
            n2.leave();
            n2.close();
            awaitStatus(n1, "n2", Member.LEFT);
            assertThat(n1.members()).extracting(Member::name).containsExactly("n1", "n2");
            assertThat(wrong.members()).extracting(Member::name).containsExactly("wrong");
            assertThat(plain.members()).extracting(Member::name).containsExactly("plain");
            assertThat(plain.events()).isEmpty();
        }
    }

    @Test
    void sealedHeartbeatsFindADeadProcess() throws Exception {
        int first = freePort();
        try (var n1 = start(node("n1", first).with(ring(ONE)));
                var n2 = start(node("n2", freePort(), first).with(ring(ONE)));
                var n3 = start(node("n3", freePort(), first).with(ring(ONE)))) {
            awaitAll(List.of(n1, n2, n3), 3);
            kill(n3);
            awaitStatus(n1, "n3", Member.FAILED);
            awaitStatus(n2, "n3", Member.FAILED);
        }
    }

    @Test
    void aKeyIsRotatedWithoutLosingAnybody() throws Exception {
        int first = freePort();
        Path file = folder.resolve("local.keyring");
        try (var n1 = start(node("n1", first).with(Keyring.open(ONE, file, true, true)));
                var n2 = start(node("n2", freePort(), first).with(ring(ONE)));
                var n3 = start(node("n3", freePort(), first).with(ring(ONE)))) {
            List<JGroupsMembership> all = List.of(n1, n2, n3);
            awaitAll(all, 3);
            assertThat(n1.keyring(KeyringOp.LIST, "", false))
                    .isEqualTo(report(Map.of(ONE, 3), Map.of(ONE, 3)));
            assertThat(n1.keyring(KeyringOp.REMOVE, ONE, false).errors())
                    .hasSize(3)
                    .containsEntry("n2", "Removing the primary key is not allowed");
            assertThat(n1.keyring(KeyringOp.INSTALL, TWO, false))
                    .isEqualTo(report(Map.of(ONE, 3, TWO, 3), Map.of(ONE, 3)));
            assertThat(n3.keyring(KeyringOp.USE, TWO, false))
                    .isEqualTo(report(Map.of(ONE, 3, TWO, 3), Map.of(TWO, 3)));
            assertThat(n2.keyring(KeyringOp.REMOVE, ONE, false))
                    .isEqualTo(report(Map.of(TWO, 3), Map.of(TWO, 3)));

            // All connections of the old key are ended, and nobody is taken for dead.
            n1.publish(new TreeMap<>(Map.of("after", "rotation")));
            for (JGroupsMembership member : all) {
                awaitFact(member, "rotation");
                assertThat(member.members())
                        .hasSize(3)
                        .allMatch(one -> one.status() == Member.ALIVE);
            }
            try (var late = start(node("n4", freePort(), first).with(ring(TWO)));
                    var stale = start(node("n5", freePort(), first).with(ring(ONE)))) {
                awaitAll(List.of(n1, n2, n3, late), 4);
                assertThat(stale.members()).hasSize(1);
            }
        }
        assertThat(Keyring.open(ONE, file, true, true).keys()).containsExactly(TWO);
    }

    private static void awaitFact(Membership seenBy, String value) {
        await().atMost(Duration.ofSeconds(20))
                .until(() ->
                        seenBy.all().stream()
                                .anyMatch(peer -> value.equals(peer.facts().get("after"))));
    }

    private static KeyringReport report(Map<String, Integer> keys, Map<String, Integer> primary) {
        return new KeyringReport(3, new TreeMap<>(keys), new TreeMap<>(primary), new TreeMap<>());
    }

    @Test
    void keysAreNotSentInPlain() throws Exception {
        int first = freePort();
        Keyring lenient = Keyring.open(ONE, null, false, false);
        try (var n1 = start(node("n1", first).with(lenient));
                var n2 = start(node("n2", freePort(), first))) {
            awaitAll(List.of(n1, n2), 2); // as while the key is introduced
            assertThat(n1.keyring(KeyringOp.INSTALL, TWO, false).errors().get("n1"))
                    .startsWith("Keys are not sent while");
            assertThat(n2.keyring(KeyringOp.LIST, "", false).errors())
                    .containsEntry("n2", "Keyring is empty (encryption not enabled)");
            assertThat(lenient.keys()).containsExactly(ONE);
        }
    }
}
