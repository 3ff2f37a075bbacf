package registry.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/**
 * What a check has been through is kept with its node: the first question at three in the morning.
 */
final class CheckHistoryIT {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    @Test
    void survivesACrash() throws Exception {
        try (LauncherProcess agent = LauncherProcess.agent().start()) {
            put(
                    agent,
                    "/v1/agent/check/register",
                    "{\"ID\":\"door\",\"Name\":\"door\",\"TTL\":\"24h\"}");
            put(agent, "/v1/agent/check/pass/door?note=closed+again", "");
            put(agent, "/v1/agent/check/fail/door?note=stands+open", "");
            put(agent, "/v1/agent/check/warn/door?note=creaks", "");
            agent.kill();
            agent.restart();
            var answer = agent.client().get("/v1/agent/check/history/door", PATIENCE);
            assertThat(answer.status()).isEqualTo(200);
            assertThat(answer.text())
                    .contains(
                            "closed again",
                            "stands open",
                            "creaks",
                            "passing",
                            "critical",
                            "warning");
            Launcher.Result shown = agent.cli("checks", "history", "door");
            assertThat(shown.exit()).as(shown.all()).isZero();
            assertThat(shown.out()).contains("closed again", "stands open", "creaks");
        }
    }

    private static void put(LauncherProcess agent, String path, String body) throws Exception {
        var answer = agent.client().put(path, body.getBytes(StandardCharsets.UTF_8), PATIENCE);
        assertThat(answer.status()).as(answer.text()).isEqualTo(200);
    }
}
