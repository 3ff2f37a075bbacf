package registry.it.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
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

    private static final String TIME_OF_A_CONNECTION =
            """
            import socket, time
            began = time.monotonic()
            socket.create_connection(('%s', 99), 10)
            print(int((time.monotonic() - began) * 1000))
            """;
    private static final String TIME_OF_A_DATAGRAM =
            """
            import socket, time
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.bind(('0.0.0.0', 9))
            print('bound', flush=True)
            began = float(s.recv(99))
            print(int((time.monotonic() - began) * 1000))
            """;
    private static final String SEND_THE_TIME =
            """
            import socket, time
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.sendto(str(time.monotonic()).encode(), ('%s', 9))
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
    void whatIsDelayedArrivesLaterBothWays() throws Exception {
        try (Cluster cluster = Cluster.of(1).clients(2).prepare()) {
            Assumptions.assumeTrue(cluster.hasNetwork());
            Node slow = cluster.node("s1");
            Node one = cluster.node("c1");
            Node other = cluster.node("c2");
            cluster.delay(slow, Duration.ofMillis(300));
            assertThat(connecting(one, slow)).isGreaterThanOrEqualTo(600);
            assertThat(connecting(slow, one)).isGreaterThanOrEqualTo(600);
            assertThat(lateness(one, slow)).isGreaterThanOrEqualTo(300);
            assertThat(lateness(slow, one)).isGreaterThanOrEqualTo(300);
            await().atMost(10, SECONDS).until(() -> connecting(one, other) < 300);
            cluster.delay(slow, Duration.ofMillis(100));
            await().atMost(10, SECONDS).until(() -> connecting(one, slow) < 600);
            cluster.heal();
            await().atMost(10, SECONDS).until(() -> connecting(one, slow) < 100);
            await().atMost(10, SECONDS).until(() -> lateness(slow, one) < 100);
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

    @Test
    void fiveNodesStartTogetherAndKnowEachOther() {
        long began = System.nanoTime();
        try (Cluster cluster = Cluster.of(3).clients(2).start()) {
            System.out.printf("cluster: 3 + 2 nodes ready after %s%n", since(began));
            cluster.awaitMembers(5);
            assertThat(cluster.leader()).isPresent();
            assertThat(cluster.endedByThemselves()).isEmpty();
        }
    }

    @Test
    void withoutNetworksNodesShareTheLoopback() throws Exception {
        try (Cluster cluster = Cluster.of(1).clients(1).onLoopback().start()) {
            assertThat(cluster.hasNetwork()).isFalse();
            cluster.awaitMembers(2);
            put(cluster.node("c1"), "over the loopback");
            assertThat(get(cluster.node("s1"))).isEqualTo("over the loopback");
            assertThatThrownBy(cluster::heal).isInstanceOf(IllegalStateException.class);
        }
    }

    /** As a build does that takes too long for somebody. */
    @Test
    void aTestThatIsKilledLeavesNothingBehind() throws Exception {
        Process test =
                new ProcessBuilder(
                                ProcessHandle.current().info().command().orElseThrow(),
                                "--enable-native-access=ALL-UNNAMED",
                                "-Dregistry.home=" + Launcher.home(),
                                "-cp",
                                System.getProperty("java.class.path"),
                                Killed.class.getName())
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
        List<String> left;
        try (var said = test.inputReader(UTF_8)) {
            left = List.of(String.valueOf(said.readLine()).split(" "));
            assertThat(left).hasSizeGreaterThanOrEqualTo(3).allMatch(ClusterIT::exists);
        } finally {
            test.destroyForcibly().waitFor();
        }
        await().atMost(10, SECONDS).until(() -> left.stream().noneMatch(ClusterIT::exists));
    }

    private static boolean exists(String path) {
        return Files.exists(Path.of(path));
    }

    /** Prints what it has made, and is killed. */
    static final class Killed {
        public static void main(String[] args) throws Exception {
            Cluster cluster = Cluster.of(1).disks(64).prepare();
            Node node = cluster.node("s1");
            node.spawn();
            System.out.printf(
                    "/proc/%d %s %s %s%n",
                    node.agent().pid(),
                    node.agent().folder(),
                    node.agent().dataDir().getParent(),
                    String.join("", node.entry()).replaceFirst(".*=", ""));
            Thread.currentThread().join();
        }
    }

    private static Duration since(long nanos) {
        return Duration.ofNanos(System.nanoTime() - nanos).truncatedTo(ChronoUnit.MILLIS);
    }

    /** How many of 200 datagrams arrive, for which no answer is needed. */
    private static int arriving(Node from, Node to) throws Exception {
        return received(from, SEND, to, RECEIVE);
    }

    /** Milliseconds that a datagram takes. */
    private static int lateness(Node from, Node to) throws Exception {
        return received(from, SEND_THE_TIME, to, TIME_OF_A_DATAGRAM);
    }

    private static int received(Node from, String send, Node to, String receive) throws Exception {
        var command = new ArrayList<>(to.entry());
        command.addAll(List.of("python3", "-c", receive));
        Process receiver =
                new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        try (var said = receiver.inputReader(UTF_8)) {
            assertThat(said.readLine()).isEqualTo("bound");
            in(from, "python3 -c \"%s\"".formatted(send.formatted(to.address())));
            return Integer.parseInt(said.readLine());
        } finally {
            receiver.destroyForcibly();
        }
    }

    /** Milliseconds until a connection is made. */
    private static int connecting(Node from, Node to) throws Exception {
        try (var listener = to.listen(99)) {
            String line =
                    "python3 -c \"%s\"".formatted(TIME_OF_A_CONNECTION.formatted(to.address()));
            return Integer.parseInt(in(from, line).out().strip());
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
