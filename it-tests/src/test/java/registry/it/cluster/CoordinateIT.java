package registry.it.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import registry.api.client.RegistryClient;
import registry.it.Cluster;
import registry.it.Launcher;
import registry.it.Node;
import registry.it.NodeLogs;

/** Coordinates of real round trips, and prepared queries, asked of agents that are no servers. */
@ExtendWith(NodeLogs.class)
final class CoordinateIT {
    private static final Duration SOON = Duration.ofSeconds(10);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern ESTIMATE =
            Pattern.compile("Estimated c1 <-> c2 rtt: ([0-9.]+) ms \\(using LAN coordinates\\)\n");

    @Test
    void nodesFindTheirPlacesAndQueriesTheNearest() throws Exception {
        try (Cluster cluster = Cluster.of(1).clients(2).start()) {
            Node one = cluster.node("c1");
            Node two = cluster.node("c2");
            for (Node node : List.of(one, two)) {
                send(node, "PUT", "/v1/agent/service/register", "{\"Name\":\"web\",\"Port\":80}");
            }
            send(
                    one,
                    "POST",
                    "/v1/query",
                    "{\"Name\":\"near\",\"Service\":{\"Service\":\"web\",\"Near\":\"_agent\"}}");

            // Told after 3 s and every 15 to 19 s.
            await().atMost(60, SECONDS).untilAsserted(() -> assertThat(placed(two)).isEqualTo(3));
            for (Node node : List.of(one, two)) {
                assertThat(nodes(send(node, "GET", "/v1/query/near/execute", "").path("Nodes")))
                        .hasSize(2)
                        .startsWith(node.name());
                assertThat(nodes(send(node, "GET", "/v1/health/service/web?near=_agent", "")))
                        .startsWith(node.name());
            }
            Launcher.Result rtt = two.cli("rtt", "c1", "c2");
            Matcher estimate = ESTIMATE.matcher(rtt.out());
            assertThat(estimate.matches()).as(rtt.all()).isTrue();
            assertThat(Double.parseDouble(estimate.group(1))).isBetween(0.001, 1_000.0);
        }
    }

    @Test
    void aQueryEndsWithItsSession() throws Exception {
        try (Cluster cluster = Cluster.of(1).clients(1).start()) {
            Node client = cluster.node("c1");
            String session = send(client, "PUT", "/v1/session/create", "").path("ID").asText();
            String bound = "{\"Session\":\"%s\",\"Service\":{\"Service\":\"consul\"}}";
            String id =
                    send(client, "POST", "/v1/query", bound.formatted(session)).path("ID").asText();
            String path = "/v1/query/" + id + "/execute";
            assertThat(send(client, "GET", path, "").path("Nodes")).hasSize(1);
            send(client, "PUT", "/v1/session/destroy/" + session, "");
            assertThat(client.client().get(path, SOON).status()).isEqualTo(404);
        }
    }

    /** How many nodes have measured something. */
    private static int placed(Node asked) throws Exception {
        int placed = 0;
        for (JsonNode row : send(asked, "GET", "/v1/coordinate/nodes", "")) {
            placed += row.path("Coord").path("Error").asDouble() < 1.5 ? 1 : 0;
        }
        return placed;
    }

    private static List<String> nodes(JsonNode entries) {
        List<String> names = new ArrayList<>();
        entries.forEach(entry -> names.add(entry.path("Node").path("Node").asText()));
        return names;
    }

    private static JsonNode send(Node node, String method, String path, String body)
            throws Exception {
        RegistryClient.Answer answer = node.client().send(method, path, body.getBytes(UTF_8), SOON);
        assertThat(answer.status()).as("%s %s: %s", method, path, answer.text()).isEqualTo(200);
        return JSON.readTree(answer.text().isEmpty() ? "null" : answer.text());
    }
}
