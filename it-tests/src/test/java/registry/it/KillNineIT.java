package registry.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The agent dies in the middle of registrations at full speed: whatever it had acknowledged is
 * there when it comes back.
 */
final class KillNineIT {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final ObjectMapper JSON = new ObjectMapper();

    /** A check's state and the index of its last change, by check id. */
    private record CheckState(String status, long modifyIndex) {}

    @Test
    void nothingAcknowledgedIsLostInTwentyKills() throws Exception {
        killAgainAndAgain(20, 10_000);
    }

    @Tag("soak")
    @Test
    void nothingAcknowledgedIsLostInThousandsOfKills() throws Exception {
        int kills = Integer.getInteger("registry.soak.rounds", 2_000);
        killAgainAndAgain(kills, kills * 500);
    }

    private static void killAgainAndAgain(int kills, int acknowledgements) throws Exception {
        long seed = System.nanoTime();
        var random = new Random(seed);
        long slowest = 0;
        try (LauncherProcess agent =
                        LauncherProcess.agent()
                                .with("enable_script_checks", true)
                                .with("check_update_interval", "0s")
                                .start();
                var load = new RegistrationLoad(agent)) {
            Map<String, CheckState> checks = registerChecks(agent);
            int perRound = acknowledgements / kills + 1;
            for (int round = 1; round <= kills; round++) {
                load.start();
                load.awaitMore(perRound + random.nextInt(perRound / 4 + 1));
                agent.kill();
                load.stop();
                long began = System.nanoTime();
                agent.restart();
                slowest = Math.max(slowest, (System.nanoTime() - began) / 1_000_000);
                assertThat(checks(agent, checks.keySet()))
                        .as("checks after kill %d, seed %d\n%s", round, seed, agent.logTail())
                        .isEqualTo(checks);
                List<String> missing = load.missing();
                assertThat(missing)
                        .as(
                                "acknowledged and lost by kill %d, seed %d\n%s",
                                round, seed, agent.logTail())
                        .isEmpty();
            }
            System.out.printf(
                    "kill -9: %d kills, %d acknowledged, 0 lost, slowest restart %d ms, seed %d%n",
                    kills, load.acknowledged(), slowest, seed);
            assertThat(load.acknowledged()).isGreaterThanOrEqualTo(acknowledgements);
        }
    }

    /** One check of each sort, in a state that its next run would not change. */
    private static Map<String, CheckState> registerChecks(LauncherProcess agent) throws Exception {
        register(
                agent,
                "{'Name':'kept','ID':'kept','Check':{'CheckID':'kept-ttl','TTL':'24h','Status':'passing'}}");
        register(
                agent,
                "{'Name':'warned','ID':'warned','Check':{'CheckID':'warned-ttl','TTL':'24h'}}");
        register(
                agent,
                "{'Name':'asked','ID':'asked','Check':{'CheckID':'asked-script','Args':['true'],'Interval':'1s'}}");
        register(
                agent,
                "{'Name':'dead','ID':'dead','Check':{'CheckID':'dead-tcp','TCP':'127.0.0.1:1','Interval':'1s'}}");
        assertThat(
                        agent.client()
                                .put(
                                        "/v1/agent/check/warn/warned-ttl?note=careful",
                                        new byte[0],
                                        PATIENCE)
                                .status())
                .isEqualTo(200);
        var ids = new TreeSet<>(List.of("kept-ttl", "warned-ttl", "asked-script", "dead-tcp"));
        org.awaitility.Awaitility.await()
                .atMost(PATIENCE)
                .untilAsserted(() -> {
                    Map<String, CheckState> now = checks(agent, ids);
                    assertThat(now.get("asked-script").status()).isEqualTo("passing");
                    assertThat(text(agent, "/v1/health/node/n1")).contains("onnection refused");
                });
        return checks(agent, ids);
    }

    private static void register(LauncherProcess agent, String definition) throws Exception {
        byte[] body = definition.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
        var answer = agent.client().put("/v1/agent/service/register", body, PATIENCE);
        assertThat(answer.status()).as(answer.text()).isEqualTo(200);
    }

    /** States as the catalogue has them; a check that flapped has another index. */
    private static Map<String, CheckState> checks(LauncherProcess agent, Iterable<String> ids)
            throws Exception {
        var states = new LinkedHashMap<String, CheckState>();
        var all = new ArrayList<JsonNode>();
        JSON.readTree(text(agent, "/v1/health/node/n1")).forEach(all::add);
        for (String id : ids) {
            for (JsonNode check : all) {
                if (check.path("CheckID").asText().equals(id)) {
                    states.put(
                            id,
                            new CheckState(
                                    check.path("Status").asText(),
                                    check.path("ModifyIndex").asLong()));
                }
            }
        }
        return states;
    }

    private static String text(LauncherProcess agent, String path) throws Exception {
        return agent.client().get(path, PATIENCE).text();
    }
}
