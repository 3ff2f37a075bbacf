package registry.it.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import registry.it.Cluster;
import registry.it.Launcher;
import registry.it.Node;

/** A cluster whose server port speaks TLS only, and knows its own by their certificates. */
final class TlsIT {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    /** A hello without TLS, as an agent without the keys would say it. */
    private static final String PLAIN =
            """
            import socket
            s = socket.create_connection(('%s', 8300), 5)
            s.settimeout(5)
            s.sendall(b'RGST' + bytes([1, 2, 0, 2]) + b'xx' + bytes([0]))
            try:
                print('answered', len(s.recv(100)))
            except ConnectionResetError:
                print('answered 0')
            """;

    private static String file(String name) throws URISyntaxException {
        return Path.of(TlsIT.class.getResource("/tls/" + name).toURI()).toString();
    }

    @Test
    void serversAndClientsTalkAndAPlainPeerIsRefused() throws Exception {
        try (Cluster cluster =
                Cluster.of(3)
                        .clients(1)
                        .with("ca_file", file("ca.pem"))
                        .with("cert_file", file("server.pem"))
                        .with("key_file", file("server.key"))
                        .with("verify_incoming", true)
                        .with("verify_outgoing", true)
                        .with("verify_server_hostname", true)
                        .start()) {
            cluster.awaitMembers(4);
            Node client = cluster.node("c1");
            put(client, "before");
            Node leader = cluster.awaitLeader();
            var command = new ArrayList<>(client.entry());
            command.addAll(List.of("python3", "-c", PLAIN.formatted(leader.address())));
            Launcher.Result plain = Launcher.run(command, Map.of(), "");
            assertThat(plain.out().strip()).as(plain.all()).isEqualTo("answered 0");
            assertThat(leader.agent().log())
                    .contains("refused: a connection without TLS, and verify_incoming is set");
            leader.kill();
            put(client, "after");
            leader.restart();
            await().atMost(PATIENCE.multipliedBy(2))
                    .until(() ->
                            leader.client()
                                    .get("/v1/kv/tls?raw&stale", PATIENCE)
                                    .text()
                                    .equals("after"));
        }
    }

    private static void put(Node node, String value) throws Exception {
        assertThat(node.client().put("/v1/kv/tls", value.getBytes(UTF_8), PATIENCE).text())
                .isEqualTo("true");
        assertThat(node.client().get("/v1/kv/tls?raw&consistent", PATIENCE).text())
                .isEqualTo(value);
    }
}
