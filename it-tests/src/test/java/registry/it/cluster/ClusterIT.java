package registry.it.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import registry.it.Cluster;
import registry.it.Launcher;
import registry.it.Node;

/** Nodes in networks of their own, and what may happen to them. */
final class ClusterIT {
    private static final Duration SOON = Duration.ofSeconds(2);

    private static final String RECEIVE =
            """
            import socket
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.bind(('0.0.0.0', 9))
            s.settimeout(1)
            print('bound', flush=True)
            count = 0
            try:
                while True:
                    s.recv(9)
                    count += 1
            except TimeoutError:
                print(count)
            """;
    private static final String SEND =
            """
            import socket
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            for i in range(200):
                s.sendto(b'x', ('%s', 9))
            """;
    private static final String CONNECT =
            """
            import socket
            socket.create_connection(('%s', 99), 2)
            """;

    @Test
    void aNodeIsKilledFrozenWipedAndStartedAgain() throws Exception {
        try (Cluster cluster = Cluster.of(1).start()) {
            Node node = cluster.awaitLeader();
            cluster.awaitMembers(1);
            put(node, "kept");
            node.kill();
            assertThatThrownBy(() -> get(node)).isInstanceOf(IOException.class);
            node.restart();
            assertThat(get(node)).isEqualTo("kept");

            node.pause();
            assertThatThrownBy(() -> get(node)).isInstanceOf(IOException.class);
            node.resume();
            assertThat(get(node)).isEqualTo("kept");

            node.kill();
            node.wipe();
            node.restart();
            assertThat(get(node)).isEmpty();
        }
    }

    @Test
    void whatIsLostOnTheWayIsLostInThisDirectionOnly() throws Exception {
        try (Cluster cluster = Cluster.of(1).clients(1).prepare()) {
            Assumptions.assumeTrue(cluster.hasNetwork());
            Node one = cluster.node("s1");
            Node other = cluster.node("c1");
            assertThat(arriving(one, other)).isEqualTo(200);
            assertThat(connects(one, other)).isTrue();
            cluster.loseEverywhere(20);
            assertThat(arriving(one, other)).isBetween(120, 190);
            cluster.isolate(one);
            assertThat(arriving(one, other)).isZero();
            assertThat(arriving(other, one)).isZero();
            cluster.heal();
            cluster.cut(one, other);
            assertThat(arriving(one, other)).isZero();
            assertThat(arriving(other, one)).isEqualTo(200);
            cluster.heal();
            cluster.blockUdp();
            assertThat(arriving(one, other)).isZero();
            assertThat(connects(one, other)).isTrue();
        }
    }

    @Test
    void aCutOfThePowerKeepsWhatWasAcknowledged() throws Exception {
        try (Cluster cluster = Cluster.of(1).disks(256).start()) {
            Node node = cluster.awaitLeader();
            put(node, "synced");
            cluster.cutPower(cluster.nodes());
            cluster.restart(cluster.nodes());
            assertThat(get(node)).isEqualTo("synced");
        }
    }

    /** How many of 200 datagrams arrive, for which no answer is needed. */
    private static int arriving(Node from, Node to) throws Exception {
        var command = new ArrayList<>(to.entry());
        command.addAll(List.of("python3", "-c", RECEIVE));
        Process receiver =
                new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        try (var said = receiver.inputReader(UTF_8)) {
            assertThat(said.readLine()).isEqualTo("bound");
            in(from, "python3 -c \"%s\"".formatted(SEND.formatted(to.address())));
            return Integer.parseInt(said.readLine());
        } finally {
            receiver.destroyForcibly();
        }
    }

    /** Whether a connection can be made. */
    private static boolean connects(Node from, Node to) throws Exception {
        try (var listener = to.listen(99)) {
            return in(from, "python3 -c \"%s\"".formatted(CONNECT.formatted(to.address()))).exit()
                    == 0;
        }
    }

    private static Launcher.Result in(Node node, String line) {
        var command = new ArrayList<>(node.entry());
        command.addAll(List.of("sh", "-c", line));
        return Launcher.run(command, Map.of(), "");
    }

    private static void put(Node node, String value) throws Exception {
        assertThat(node.client().put("/v1/kv/it", value.getBytes(UTF_8), SOON).text())
                .isEqualTo("true");
    }

    private static String get(Node node) throws Exception {
        return node.client().get("/v1/kv/it?raw", SOON).text();
    }
}
