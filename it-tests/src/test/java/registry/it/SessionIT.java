package registry.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import registry.api.client.RegistryClient.Answer;
import registry.api.json.Json;

/** Sessions and the locks they hold, of a real agent: what ends them, when, and what is left. */
@ExtendWith(Agents.class)
final class SessionIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** How late a session may end. */
    private static final Duration SLACK = Duration.ofMillis(200);

    private final LauncherProcess shared;

    SessionIT(LauncherProcess shared) {
        this.shared = shared;
    }

    private static LauncherProcess exact() {
        return LauncherProcess.agent()
                .with("session_ttl_min", "1s")
                .with("session_ttl_factor", 1)
                .start();
    }

    private static String put(LauncherProcess agent, String path, String body) throws Exception {
        Answer answer = agent.client().put(path, body.replace('\'', '"').getBytes(UTF_8), PATIENCE);
        assertThat(answer.status()).as("PUT %s: %s", path, answer.text()).isEqualTo(200);
        return answer.text();
    }

    private static String create(LauncherProcess agent, String body) throws Exception {
        return Json.tree(put(agent, "/v1/session/create", body).getBytes(UTF_8)).get("ID").asText();
    }

    private static boolean acquires(LauncherProcess agent, String key, String session)
            throws Exception {
        return Boolean.parseBoolean(put(agent, "/v1/kv/" + key + "?acquire=" + session, session));
    }

    private static boolean lives(LauncherProcess agent, String session) throws Exception {
        return !get(agent, "/v1/session/info/" + session).text().equals("[]");
    }

    private static Answer get(LauncherProcess agent, String path) throws Exception {
        return agent.client().get(path, PATIENCE);
    }

    private static CompletableFuture<Answer> held(LauncherProcess agent, String path)
            throws Exception {
        long index = get(agent, path).index().orElseThrow();
        var held = new CompletableFuture<Answer>();
        Thread.startVirtualThread(() -> {
            try {
                held.complete(
                        agent.client()
                                .get(path + "?wait=60s&index=" + index, Duration.ofSeconds(90)));
            } catch (IOException | InterruptedException e) {
                held.completeExceptionally(e);
            }
        });
        return held;
    }

    private static Answer heard(CompletableFuture<Answer> held) throws Exception {
        return held.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    @Test
    void whoWaitsForALockHearsOfItsRelease() throws Exception {
        String one = create(shared, "{}");
        String other = create(shared, "{'Name':'other'}");
        assertThat(acquires(shared, "si/lock", one)).isTrue();
        assertThat(acquires(shared, "si/lock", other)).isFalse();
        CompletableFuture<Answer> waiting = held(shared, "/v1/kv/si/lock");
        assertThat(put(shared, "/v1/kv/si/lock?release=" + one, "")).isEqualTo("true");
        assertThat(heard(waiting).text()).doesNotContain("Session");
        assertThat(acquires(shared, "si/lock", other)).isTrue();
        put(shared, "/v1/session/destroy/" + one, "");
        put(shared, "/v1/session/destroy/" + other, "");
    }

    @Test
    void aFailedCheckEndsSessionAndLockInOneStep() throws Exception {
        String node =
                "{'Node':'si-node','Address':'10.9.0.1','Check':{'CheckID':'c','Name':'c','Status':'%s'}}";
        put(shared, "/v1/catalog/register", node.formatted("passing"));
        String session =
                create(shared, "{'Node':'si-node','NodeChecks':['c'],'Behavior':'delete'}");
        assertThat(acquires(shared, "si/checked", session)).isTrue();
        List<CompletableFuture<Answer>> waiting =
                List.of(
                        held(shared, "/v1/kv/si/checked"),
                        held(shared, "/v1/session/list"),
                        held(shared, "/v1/health/node/si-node"));
        put(shared, "/v1/catalog/register", node.formatted("critical"));
        long index = heard(waiting.getFirst()).index().orElseThrow();
        assertThat(heard(waiting.getFirst()).status()).as("the key is deleted").isEqualTo(404);
        for (CompletableFuture<Answer> each : waiting) {
            assertThat(heard(each).index()).hasValue(index);
        }
        put(shared, "/v1/catalog/deregister", "{'Node':'si-node'}");
    }

    @Test
    void theAgentsOwnCheckEndsASession() throws Exception {
        put(shared, "/v1/agent/check/register", "{'Name':'si-own','TTL':'1h','Status':'passing'}");
        await().atMost(PATIENCE)
                .until(() -> get(shared, "/v1/health/node/n1").text().contains("\"si-own\""));
        String session = create(shared, "{'NodeChecks':['serfHealth','si-own'],'LockDelay':'0s'}");
        assertThat(acquires(shared, "si/own", session)).isTrue();
        CompletableFuture<Answer> waiting = held(shared, "/v1/kv/si/own");
        put(shared, "/v1/agent/check/fail/si-own", "");
        assertThat(heard(waiting).text()).doesNotContain("Session");
        assertThat(lives(shared, session)).isFalse();
        put(shared, "/v1/agent/check/deregister/si-own", "");
    }

    /** The machine may be slow once; who looks only now and then is late each time. */
    @Test
    void aSessionEndsWhenItsTimeIsUpAndNotBefore() throws Exception {
        Duration ttl = Duration.ofSeconds(3);
        try (LauncherProcess agent = exact()) {
            Duration late = ttl;
            for (int round = 0; round < 4 && late.compareTo(SLACK) > 0; round++) {
                String key = "timed/" + round;
                long asked = System.nanoTime();
                String session = create(agent, "{'TTL':'3s'}");
                long created = System.nanoTime();
                assertThat(acquires(agent, key, session)).isTrue();
                awaitFree(agent, key);
                long free = System.nanoTime();
                assertThat(Duration.ofNanos(free - asked)).isGreaterThanOrEqualTo(ttl);
                late = Duration.ofNanos(free - created).minus(ttl);
                assertThat(lives(agent, session)).isFalse();
                agent.client().send("DELETE", "/v1/kv/" + key, new byte[0], PATIENCE);
                assertThat(acquires(agent, key, create(agent, "{}")))
                        .as("the lock-delay of a key outlives the key")
                        .isFalse();
            }
            assertThat(late).as("lateness of the best of four").isLessThanOrEqualTo(SLACK);
        }
    }

    /** Waits as whoever wants the lock does. */
    private static void awaitFree(LauncherProcess agent, String key) throws Exception {
        Answer answer = get(agent, "/v1/kv/" + key);
        while (answer.text().contains("\"Session\"")) {
            answer =
                    get(agent, "/v1/kv/" + key + "?wait=20s&index=" + answer.index().orElseThrow());
        }
    }

    @Test
    void aRenewedSessionLives() throws Exception {
        try (LauncherProcess agent = exact()) {
            String session = create(agent, "{'TTL':'1s'}");
            long index = get(agent, "/v1/session/list").index().orElseThrow();
            long until = System.nanoTime() + Duration.ofSeconds(3).toNanos();
            await().pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofMillis(300))
                    .atMost(PATIENCE)
                    .until(() -> {
                        put(agent, "/v1/session/renew/" + session, "");
                        return System.nanoTime() > until;
                    });
            assertThat(get(agent, "/v1/session/list").index()).hasValue(index);
            assertThat(lives(agent, session)).isTrue();
            await().atMost(Duration.ofSeconds(3)).until(() -> !lives(agent, session));
        }
    }

    @Test
    void aKillCutsNeitherLockDelayNorTheTimeToLive() throws Exception {
        Duration delay = Duration.ofSeconds(4);
        try (LauncherProcess agent = exact()) {
            String holder = create(agent, "{'LockDelay':'" + delay.toSeconds() + "s'}");
            String kept = create(agent, "{'TTL':'5s'}");
            String stays = create(agent, "{'Name':'stays'}");
            assertThat(acquires(agent, "delayed", holder)).isTrue();
            assertThat(acquires(agent, "kept", kept)).isTrue();
            assertThat(acquires(agent, "stays", stays)).isTrue();
            long destroyed = System.nanoTime();
            put(agent, "/v1/session/destroy/" + holder, "");
            agent.kill();
            agent.restart();
            assertThat(lives(agent, kept)).as("as long again, under a new leader").isTrue();
            assertThat(get(agent, "/v1/kv/kept").text()).contains(kept);
            assertThat(acquires(agent, "kept", stays)).isFalse();
            await().pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofMillis(20))
                    .atMost(PATIENCE)
                    .until(() -> acquires(agent, "delayed", stays));
            assertThat(Duration.ofNanos(System.nanoTime() - destroyed))
                    .isGreaterThanOrEqualTo(delay);
            await().atMost(PATIENCE).until(() -> !lives(agent, kept));
            agent.signal("TERM");
            agent.awaitExit(PATIENCE);
            agent.restart();
            assertThat(lives(agent, stays)).isTrue();
            assertThat(get(agent, "/v1/kv/stays").text()).contains(stays);
            assertThat(acquires(agent, "delayed", stays)).as("still the holder").isTrue();
        }
    }
}
