package registry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Files of consul.d are read again: what did not change is not touched, and a bad file changes
 * nothing.
 */
final class ReloadIT {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir private Path consulD;
    private LauncherProcess agent;

    @BeforeEach
    void startWithTwoFiles() throws IOException {
        file(
                "web.json",
                "{'service': {'name': 'web', 'port': 80, 'check': {'id': 'web-ttl', 'ttl': '24h'}}}");
        file("db.json", "{'services': [{'name': 'db', 'port': 1}, {'name': 'cache', 'port': 2}]}");
        agent = LauncherProcess.agent().arguments("-config-dir", consulD.toString()).start();
        await().atMost(PATIENCE)
                .untilAsserted(() -> {
                    for (String service : List.of("web", "db", "cache")) {
                        assertThat(instance(service).isMissingNode()).as(service).isFalse();
                    }
                });
    }

    @AfterEach
    void stop() {
        agent.close();
    }

    @Test
    void onlyWhatChangedIsTouched() throws Exception {
        put("/v1/agent/check/pass/web-ttl?note=well", "");
        put("/v1/agent/service/register", "{'Name': 'by-api', 'Port': 3}");
        long web = modifyIndex("web");
        long cache = modifyIndex("cache");
        long check = checkIndex("web-ttl");

        file("db.json", "{'services': [{'name': 'db', 'port': 11}, {'name': 'cache', 'port': 2}]}");
        file("new.json", "{'service': {'name': 'new', 'port': 4}}");
        agent.signal("HUP");
        await().atMost(PATIENCE)
                .untilAsserted(() -> {
                    assertThat(instance("db").path("ServicePort").asInt()).isEqualTo(11);
                    assertThat(instance("new").path("ServicePort").asInt()).isEqualTo(4);
                });
        assertThat(modifyIndex("web")).isEqualTo(web);
        assertThat(modifyIndex("cache")).isEqualTo(cache);
        assertThat(checkIndex("web-ttl")).isEqualTo(check);
        assertThat(check("web-ttl").path("Status").asText()).isEqualTo("passing");
        assertThat(instance("by-api").path("ServicePort").asInt())
                .as("services of the API stay")
                .isEqualTo(3);

        Files.delete(consulD.resolve("new.json"));
        Launcher.Result reload = agent.cli("reload");
        assertThat(reload.out()).isEqualTo("Configuration reload triggered\n");
        assertThat(reload.exit()).isZero();
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(instance("new").isMissingNode()).isTrue());
        assertThat(modifyIndex("web")).isEqualTo(web);
        assertThat(checkIndex("web-ttl")).isEqualTo(check);
    }

    @Test
    void aBadFileChangesNothingAndSaysWhere() throws Exception {
        file("db.json", "{'services': [{'name': 'db', 'port': 99}]}");
        file("zz.json", "{\n  'service': {\n    'name' 'bad'\n  }\n}");
        var answer = agent.client().put("/v1/agent/reload", new byte[0], PATIENCE);
        assertThat(answer.status()).isEqualTo(500);
        assertThat(answer.text()).contains("zz.json").containsPattern("\\b3\\b");
        assertThat(instance("db").path("ServicePort").asInt()).isEqualTo(1);
        assertThat(instance("cache").path("ServicePort").asInt()).isEqualTo(2);

        file("zz.json", "{'service': {'name': 'bad', 'prot': 1}}");
        answer = agent.client().put("/v1/agent/reload", new byte[0], PATIENCE);
        assertThat(answer.status()).isEqualTo(500);
        assertThat(answer.text()).contains("zz.json").contains("prot");
        assertThat(instance("db").path("ServicePort").asInt()).isEqualTo(1);

        agent.signal("HUP");
        await().atMost(PATIENCE).until(() -> agent.log().contains("zz.json"));
        assertThat(agent.isReady()).isTrue();

        Files.delete(consulD.resolve("zz.json"));
        put("/v1/agent/reload", "");
        await().atMost(PATIENCE)
                .untilAsserted(() -> {
                    assertThat(instance("db").path("ServicePort").asInt()).isEqualTo(99);
                    assertThat(instance("cache").isMissingNode()).isTrue();
                });
    }

    private void file(String name, String text) throws IOException {
        Files.writeString(consulD.resolve(name), text.replace('\'', '"'));
    }

    private void put(String path, String body) throws Exception {
        var answer =
                agent.client()
                        .put(
                                path,
                                body.replace('\'', '"').getBytes(StandardCharsets.UTF_8),
                                PATIENCE);
        assertThat(answer.status()).as(answer.text()).isEqualTo(200);
    }

    /** The only instance of a service in the catalogue; missing when there is none. */
    private JsonNode instance(String service) throws Exception {
        return get("/v1/catalog/service/" + service).path(0);
    }

    private long modifyIndex(String service) throws Exception {
        return instance(service).path("ModifyIndex").asLong();
    }

    private JsonNode check(String id) throws Exception {
        for (JsonNode check : get("/v1/health/node/n1")) {
            if (check.path("CheckID").asText().equals(id)) {
                return check;
            }
        }
        throw new AssertionError("no check " + id);
    }

    private long checkIndex(String id) throws Exception {
        return check(id).path("ModifyIndex").asLong();
    }

    private JsonNode get(String path) throws Exception {
        return JSON.readTree(agent.client().get(path, PATIENCE).body());
    }
}
