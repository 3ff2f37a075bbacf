package registry.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import registry.api.client.RegistryClient;

/** Prepared queries over HTTP and DNS, before and after a crash. */
final class PreparedQueryIT {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final ObjectMapper JSON = new ObjectMapper();

    @Test
    void aTemplateServesNamesOverHttpAndDnsAndOutlivesACrash() throws Exception {
        int[] ports = Ports.free(5);
        try (LauncherProcess agent = LauncherProcess.agent().ports(ports).start()) {
            register(agent, "n-a", "10.0.0.1", "a", "passing");
            register(agent, "n-b", "10.0.0.2", "b", "passing");
            register(agent, "n-c", "10.0.0.3", "a", "critical");
            String id =
                    send(
                                    agent,
                                    "POST",
                                    "/v1/query",
                                    """
                                    {"Name":"geo-","Template":{"Type":"name_prefix_match",
                                     "Regexp":"^geo-(.+)-([^-]+)$"},"DNS":{"TTL":"7s"},
                                     "Service":{"Service":"${match(1)}","Tags":["${match(2)}"]}}\
                                    """)
                            .path("ID")
                            .asText();
            findsTheInstance(agent, ports[1]);

            agent.kill();
            agent.restart();
            findsTheInstance(agent, ports[1]);

            RegistryClient.Answer gone =
                    agent.client().send("DELETE", "/v1/query/" + id, new byte[0], PATIENCE);
            assertThat(gone.status()).isEqualTo(200);
            assertThat(addresses(ports[1], "geo-web-a.query.consul")).isEmpty();
        }
    }

    private static void findsTheInstance(LauncherProcess agent, int dns) throws Exception {
        JsonNode found = send(agent, "GET", "/v1/query/geo-web-a/execute", "");
        assertThat(found.path("Nodes").findValuesAsText("Node")).contains("n-a");
        assertThat(found.path("Nodes")).hasSize(1);
        assertThat(addresses(dns, "geo-web-a.query.consul")).containsExactly("10.0.0.1 7");
    }

    private static void register(
            LauncherProcess agent, String node, String address, String tag, String status)
            throws Exception {
        send(
                agent,
                "PUT",
                "/v1/catalog/register",
                """
                {"Node":"%s","Address":"%s","Service":{"Service":"web","Tags":["%s"],"Port":80},
                 "Check":{"Name":"c","ServiceID":"web","Status":"%s"}}\
                """
                        .formatted(node, address, tag, status));
    }

    private static JsonNode send(LauncherProcess agent, String method, String path, String body)
            throws Exception {
        RegistryClient.Answer response =
                agent.client().send(method, path, body.getBytes(UTF_8), PATIENCE);
        assertThat(response.status()).as("%s %s: %s", method, path, response.text()).isEqualTo(200);
        return JSON.readTree(response.text());
    }

    /** The A records of a name, each with its TTL. */
    private static List<String> addresses(int port, String name) throws IOException {
        var question = new ByteArrayOutputStream();
        var out = new DataOutputStream(question);
        out.write(new byte[] {0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0});
        for (String label : name.split("\\.", -1)) {
            out.writeByte(label.length());
            out.writeBytes(label);
        }
        out.write(new byte[] {0, 0, 1, 0, 1});
        var packet = new DatagramPacket(new byte[512], 512);
        try (var socket = new DatagramSocket()) {
            socket.setSoTimeout((int) PATIENCE.toMillis());
            socket.send(
                    new DatagramPacket(
                            question.toByteArray(),
                            question.size(),
                            InetAddress.getLoopbackAddress(),
                            port));
            socket.receive(packet);
        }
        ByteBuffer answer = ByteBuffer.wrap(packet.getData(), 0, packet.getLength());
        var found = new ArrayList<String>();
        answer.position(question.size());
        for (int left = answer.getShort(6); left > 0; left--) {
            // A compressed name, type and class come before.
            answer.position(answer.position() + 6);
            int ttl = answer.getInt();
            var address = new byte[answer.getShort()];
            answer.get(address);
            found.add(InetAddress.getByAddress(address).getHostAddress() + " " + ttl);
        }
        return found;
    }
}
