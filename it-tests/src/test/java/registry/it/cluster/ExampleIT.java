package registry.it.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import registry.api.client.RegistryClient;
import registry.it.Cluster;
import registry.it.NodeLogs;

@ExtendWith(NodeLogs.class)
final class ExampleIT {
    private static final Duration SOON = Duration.ofSeconds(10);

    @Test
    void clientsGoOnWhenTheLeaderDies() throws Exception {
        try (Cluster cluster = Cluster.of(3).clients(2).start()) {
            RegistryClient client = cluster.node("c1").client();
            byte[] service = "{\"Name\":\"web\",\"Port\":80}".getBytes(UTF_8);
            assertThat(client.put("/v1/agent/service/register", service, SOON).isOk()).isTrue();

            cluster.awaitLeader().kill();

            RegistryClient other = cluster.node("c2").client();
            await().atMost(10, SECONDS)
                    .untilAsserted(() ->
                            assertThat(other.get("/v1/health/service/web", SOON).text())
                                    .contains("\"Node\":\"c1\""));
        }
    }
}
