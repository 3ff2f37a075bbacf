package registry.agent;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import registry.agent.gossip.Distances;
import registry.agent.gossip.GossipConfig;
import registry.agent.gossip.JGroupsMembership;
import registry.agent.gossip.Membership;
import registry.agent.gossip.seal.Keyring;

class LateMembershipTest {
    private final CountDownLatch mayOpen = new CountDownLatch(1);

    private Membership opening() throws IOException {
        try {
            mayOpen.await();
        } catch (InterruptedException e) {
            throw new IOException("interrupted", e);
        }
        InetAddress loopback = InetAddress.getLoopbackAddress();
        int port;
        try (var socket = new ServerSocket(0, 1, loopback)) {
            port = socket.getLocalPort();
        }
        return new JGroupsMembership(
                new GossipConfig(
                        "11111111-2222-3333-4444-555555555501",
                        "n1",
                        true,
                        loopback,
                        loopback,
                        port,
                        8300,
                        new TreeMap<>(),
                        Duration.ofHours(72),
                        List.of(),
                        List.of(),
                        Duration.ofSeconds(30),
                        0,
                        false,
                        null,
                        Keyring.off(),
                        Distances.none()));
    }

    @Test
    void whatWasSaidBeforeItOpensHoldsAfterIt() throws IOException {
        var changes = new AtomicInteger();
        try (var late = new LateMembership(this::opening)) {
            late.onChange(changes::incrementAndGet);
            late.publish(new TreeMap<>(Map.of("raft_id", "r1")));
            assertThat(late.all()).isEmpty();
            assertThat(late.members()).isEmpty();
            mayOpen.countDown();
            late.awaitOpened();
            assertThat(late.self().name()).isEqualTo("n1");
            await().atMost(10, SECONDS)
                    .untilAsserted(() ->
                            assertThat(late.all())
                                    .singleElement()
                                    .satisfies(self ->
                                            assertThat(self.facts())
                                                    .containsEntry("raft_id", "r1")));
            assertThat(changes.get()).isPositive();
        }
    }

    @Test
    void whyItCanNotBeOpenedIsTold() {
        try (var late =
                new LateMembership(() -> {
                    throw new IOException("the name is taken");
                })) {
            assertThatThrownBy(late::awaitOpened)
                    .isInstanceOf(IOException.class)
                    .hasMessage("the name is taken");
            assertThat(late.all()).isEmpty();
        }
    }
}
