package registry.agent.gossip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import registry.api.ApiException;
import registry.api.Member;

class JGroupsMembershipTest {
    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, LOOPBACK)) {
            return socket.getLocalPort();
        }
    }

    private static GossipConfig config(String name, int port, int... seeds) {
        return new GossipConfig(
                "id-" + name,
                name,
                true,
                LOOPBACK,
                LOOPBACK,
                port,
                8300,
                new TreeMap<>(Map.of("role", "consul")),
                Duration.ofHours(72),
                List.of(),
                Arrays.stream(seeds).mapToObj(seed -> "127.0.0.1:" + seed).toList(),
                Duration.ofSeconds(30),
                0,
                false,
                null);
    }

    private static int statusOf(Membership seenBy, String name) {
        return seenBy.members().stream()
                .filter(m -> m.name().equals(name))
                .mapToInt(Member::status)
                .findFirst()
                .orElse(0);
    }

    @Test
    void aNodeAloneIsAliveWithItsTags() throws IOException {
        int port = freePort();
        try (var alone = new JGroupsMembership(config("n1", port))) {
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
            assertThatThrownBy(() -> new JGroupsMembership(config("n1", port)))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("127.0.0.1:" + port)
                    .hasMessageContaining("serf_lan");
        }
    }

    @Test
    void joiningNobodySaysWhom() throws IOException {
        int dead = freePort();
        try (var alone = new JGroupsMembership(config("n1", freePort()))) {
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
        try (var n1 = new JGroupsMembership(config("n1", first), List.of());
                var n2 = new JGroupsMembership(config("n2", freePort(), first));
                var n3 = new JGroupsMembership(config("n3", freePort(), first))) {
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
}
