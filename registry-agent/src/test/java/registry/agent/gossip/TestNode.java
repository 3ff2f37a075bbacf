package registry.agent.gossip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jgroups.protocols.TCP;
import org.jgroups.util.Util;
import org.jspecify.annotations.Nullable;
import registry.agent.gossip.seal.Keyring;
import registry.api.Member;

/** A node on loopback, and what tests ask of it. */
record TestNode(
        String name,
        String id,
        int port,
        List<String> seeds,
        Duration reconnectTimeout,
        @Nullable Path memory,
        Keyring keyring,
        Distances distances) {
    static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();
    private static final Set<Integer> GIVEN = ConcurrentHashMap.newKeySet();

    static TestNode node(String name, int port, int... seeds) {
        return new TestNode(
                name,
                "id-" + name,
                port,
                Arrays.stream(seeds).mapToObj(seed -> "127.0.0.1:" + seed).toList(),
                Duration.ofHours(72),
                null,
                Keyring.off(),
                Distances.none());
    }

    TestNode withId(String other) {
        return new TestNode(name, other, port, seeds, reconnectTimeout, memory, keyring, distances);
    }

    TestNode forgettingAfter(Duration timeout) {
        return new TestNode(name, id, port, seeds, timeout, memory, keyring, distances);
    }

    TestNode remembering(Path file) {
        return new TestNode(name, id, port, seeds, reconnectTimeout, file, keyring, distances);
    }

    TestNode with(Keyring ring) {
        return new TestNode(name, id, port, seeds, reconnectTimeout, memory, ring, distances);
    }

    TestNode telling(Distances wanted) {
        return new TestNode(name, id, port, seeds, reconnectTimeout, memory, keyring, wanted);
    }

    static JGroupsMembership start(TestNode node) throws IOException {
        return new JGroupsMembership(
                new GossipConfig(
                        node.id,
                        node.name,
                        true,
                        LOOPBACK,
                        LOOPBACK,
                        node.port,
                        8300,
                        new TreeMap<>(Map.of("role", "consul")),
                        node.reconnectTimeout,
                        List.of(),
                        node.seeds,
                        Duration.ofSeconds(30),
                        0,
                        false,
                        node.memory,
                        node.keyring,
                        node.distances));
    }

    /**
     * Below those that the kernel gives to connections, which might take it meanwhile; each once:
     * of fifty by chance two are the same one time of eighteen.
     */
    static int freePort() throws IOException {
        while (true) {
            int port = 10_000 + ThreadLocalRandom.current().nextInt(22_000);
            if (!GIVEN.add(port)) {
                continue;
            }
            try (var socket = new ServerSocket(port, 1, LOOPBACK)) {
                return socket.getLocalPort();
            } catch (BindException taken) {
                continue;
            }
        }
    }

    /** 0 for one that is not known. */
    static int statusOf(Membership seenBy, String name) {
        return seenBy.members().stream()
                .filter(m -> m.name().equals(name))
                .mapToInt(Member::status)
                .findFirst()
                .orElse(0);
    }

    static void awaitStatus(Membership seenBy, String name, int status) {
        await().pollInterval(10, TimeUnit.MILLISECONDS)
                .atMost(20, TimeUnit.SECONDS)
                .untilAsserted(() -> assertThat(statusOf(seenBy, name)).isEqualTo(status));
    }

    static void awaitAll(List<? extends Membership> members, int count) {
        await().atMost(20, TimeUnit.SECONDS)
                .untilAsserted(() -> {
                    for (Membership m : members) {
                        assertThat(m.members())
                                .hasSize(count)
                                .allMatch(member -> member.status() == Member.ALIVE);
                    }
                });
    }

    /** Connections are cut, not ended, as a kernel does for a killed process. */
    static void kill(JGroupsMembership member) throws Exception {
        ((TCP) member.channel().getProtocolStack().getTransport()).clearConnections(false);
        Util.shutdown(member.channel());
    }
}
