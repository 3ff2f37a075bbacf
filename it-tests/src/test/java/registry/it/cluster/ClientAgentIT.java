package registry.it.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import registry.api.client.RegistryClient.Answer;
import registry.it.Cluster;
import registry.it.Launcher;
import registry.it.Node;

/** Whatever a server answers, an agent that is none answers too. */
final class ClientAgentIT {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final ObjectMapper JSON = new ObjectMapper();

    private static final String ASK_DNS =
            """
            import socket, struct
            labels = b''.join(bytes([len(l)]) + l for l in b'%s'.split(b'.'))
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.settimeout(5)
            s.sendto(struct.pack('>6H', 7, 0x100, 1, 0, 0, 0) + labels + b'\\0' + struct.pack('>2H', 1, 1), ('%s', 8600))
            answer = s.recv(4096)
            print(struct.unpack('>6H', answer[:12])[3], '.'.join(str(b) for b in answer[-4:]))
            """;

    private static Cluster cluster;
    private static Node one;
    private static Node other;

    @TempDir private Path folder;

    @BeforeAll
    static void start() {
        cluster = Cluster.of(3).clients(2).start();
        cluster.awaitMembers(5);
        one = cluster.node("c1");
        other = cluster.node("c2");
    }

    @AfterAll
    static void stop() {
        if (cluster != null) {
            cluster.close();
        }
    }

    private static Answer get(Node node, String path) throws Exception {
        return node.client().get(path, PATIENCE);
    }

    private static JsonNode json(Node node, String path) throws Exception {
        Answer answer = get(node, path);
        assertThat(answer.status()).as("%s: %s", path, answer.text()).isEqualTo(200);
        return JSON.readTree(answer.body());
    }

    private static String put(Node node, String path, String body) throws Exception {
        Answer answer = node.client().put(path, body.getBytes(UTF_8), PATIENCE);
        assertThat(answer.status()).as("%s: %s", path, answer.text()).isEqualTo(200);
        return answer.text().strip();
    }

    private static String line(Answer answer, String header) {
        return answer.header(header).orElse("");
    }

    private static CompletableFuture<Answer> held(Node node, String path) {
        var answer = new CompletableFuture<Answer>();
        Thread.ofVirtual()
                .start(() -> {
                    try {
                        answer.complete(node.client().get(path, Duration.ofSeconds(60)));
                    } catch (IOException | InterruptedException e) {
                        answer.completeExceptionally(e);
                    }
                });
        return answer;
    }

    @Test
    void keysAreWrittenReadComparedAndDeleted() throws Exception {
        assertThat(put(one, "/v1/kv/kinds/a?flags=7", "1")).isEqualTo("true");
        assertThat(put(other, "/v1/kv/kinds/b", "2")).isEqualTo("true");
        JsonNode pair = json(other, "/v1/kv/kinds/a").get(0);
        assertThat(pair.get("Flags").asInt()).isEqualTo(7);
        long index = pair.get("ModifyIndex").asLong();
        assertThat(put(one, "/v1/kv/kinds/a?cas=" + (index - 1), "x")).isEqualTo("false");
        assertThat(put(one, "/v1/kv/kinds/a?cas=" + index, "3")).isEqualTo("true");
        assertThat(get(other, "/v1/kv/kinds/a?raw").text()).isEqualTo("3");
        assertThat(json(one, "/v1/kv/kinds/?recurse")).hasSize(2);
        assertThat(json(one, "/v1/kv/kinds/?keys").get(1).asText()).isEqualTo("kinds/b");
        assertThat(
                        one.client()
                                .send("DELETE", "/v1/kv/kinds/?recurse", new byte[0], PATIENCE)
                                .text())
                .startsWith("true");
        assertThat(get(other, "/v1/kv/kinds/a").status()).isEqualTo(404);
    }

    /** Also what the servers refuse is told in their words. */
    @Test
    void theCatalogueIsChangedAndRefusalsKeepTheirText() throws Exception {
        put(
                one,
                "/v1/catalog/register",
                "{\"Node\":\"ext\",\"Address\":\"10.9.9.9\",\"Service\":{\"Service\":\"far\",\"Port\":9}}");
        assertThat(json(other, "/v1/catalog/service/far").get(0).get("Address").asText())
                .isEqualTo("10.9.9.9");
        assertThat(json(other, "/v1/catalog/services").has("far")).isTrue();
        assertThat(json(one, "/v1/catalog/node/ext").get("Services").has("far")).isTrue();
        put(one, "/v1/catalog/deregister", "{\"Node\":\"ext\"}");
        assertThat(json(other, "/v1/catalog/service/far")).isEmpty();
        String wrong = "{\"Node\":\"\",\"Address\":\"10.9.9.9\"}";
        Answer client = one.client().put("/v1/catalog/register", wrong.getBytes(UTF_8), PATIENCE);
        Answer server =
                cluster.node("s1")
                        .client()
                        .put("/v1/catalog/register", wrong.getBytes(UTF_8), PATIENCE);
        assertThat(client.status()).isEqualTo(server.status()).isGreaterThanOrEqualTo(400);
        assertThat(client.text()).isEqualTo(server.text());
    }

    @Test
    void servicesAndChecksOfAClientAreSeenByAll() throws Exception {
        put(
                one,
                "/v1/agent/service/register",
                "{\"Name\":\"web\",\"ID\":\"web-1\",\"Port\":80,\"Check\":{\"CheckID\":\"alive\",\"TTL\":\"60s\"}}");
        assertThat(json(other, "/v1/health/service/web?passing")).isEmpty();
        put(one, "/v1/agent/check/pass/alive", "");
        await().atMost(PATIENCE)
                .until(() -> json(other, "/v1/health/service/web?passing").size() == 1);
        JsonNode instance = json(other, "/v1/health/service/web").get(0);
        assertThat(instance.get("Node").get("Address").asText()).isEqualTo(one.address());
        assertThat(instance.get("Checks").findValuesAsText("CheckID"))
                .contains("serfHealth", "alive");
        put(one, "/v1/agent/check/fail/alive", "");
        await().atMost(PATIENCE).until(() -> json(other, "/v1/health/state/critical").size() == 1);
        put(one, "/v1/agent/service/deregister/web-1", "");
        await().atMost(PATIENCE).until(() -> json(other, "/v1/catalog/service/web").isEmpty());
    }

    @Test
    void heldQuestionsAreWokenByAnotherAgentsWrite() throws Exception {
        put(one, "/v1/kv/woken", "1");
        long index = get(other, "/v1/kv/woken").index().orElseThrow();
        CompletableFuture<Answer> held = held(other, "/v1/kv/woken?wait=50s&index=" + index);
        CompletableFuture<Answer> missing = held(one, "/v1/kv/not-yet?wait=50s&index=" + index);
        long ended = System.nanoTime();
        Answer unmoved = get(other, "/v1/kv/woken?wait=300ms&index=" + index);
        assertThat(Duration.ofNanos(System.nanoTime() - ended))
                .isGreaterThan(Duration.ofMillis(290));
        assertThat(unmoved.index()).hasValue(index);
        put(one, "/v1/kv/woken", "2");
        assertThat(held.get(5, TimeUnit.SECONDS).index().orElseThrow()).isGreaterThan(index);
        put(other, "/v1/kv/not-yet", "here");
        assertThat(missing.get(5, TimeUnit.SECONDS).status()).isEqualTo(200);
    }

    @Test
    void answersSayHowFreshTheyAre() throws Exception {
        put(one, "/v1/kv/fresh", "1");
        for (String path : List.of("/v1/kv/fresh?consistent", "/v1/kv/fresh")) {
            Answer answer = get(other, path);
            assertThat(line(answer, "X-Consul-KnownLeader")).as(path).isEqualTo("true");
            assertThat(line(answer, "X-Consul-LastContact")).as(path).isEqualTo("0");
        }
        Answer stale = get(other, "/v1/catalog/nodes?stale");
        assertThat(line(stale, "X-Consul-KnownLeader")).isEqualTo("true");
        assertThat(line(stale, "X-Consul-Effective-Consistency")).isEqualTo("stale");
        assertThat(Long.parseLong(line(stale, "X-Consul-LastContact"))).isBetween(0L, 2_000L);
        assertThat(JSON.readTree(stale.body())).hasSize(5);
        assertThat(get(other, "/v1/catalog/nodes?stale&consistent").status()).isEqualTo(400);
        assertThat(get(one, "/v1/status/leader").text())
                .isEqualTo(get(cluster.node("s1"), "/v1/status/leader").text())
                .contains(":8300");
        assertThat(json(one, "/v1/status/peers")).hasSize(3);
    }

    @Test
    void eventsReachClients() throws Exception {
        put(one, "/v1/event/fire/deploy", "now");
        await().atMost(PATIENCE).until(() -> json(other, "/v1/event/list?name=deploy").size() == 1);
        assertThat(json(other, "/v1/event/list?name=deploy").get(0).get("Payload").asText())
                .isEqualTo("bm93");
    }

    @Test
    void namesAreResolvedByAClient() throws Exception {
        put(
                one,
                "/v1/agent/service/register",
                "{\"Name\":\"named\",\"Address\":\"10.1.2.3\",\"Port\":80}");
        String host = cluster.hasNetwork() ? "127.0.0.1" : other.address();
        var command = new ArrayList<>(other.entry());
        command.addAll(List.of("python3", "-c", ASK_DNS.formatted("named.service.consul", host)));
        await().atMost(PATIENCE)
                .untilAsserted(() ->
                        assertThat(Launcher.run(command, Map.of(), "").all().strip())
                                .isEqualTo("1 10.1.2.3"));
        put(one, "/v1/agent/service/deregister/named", "");
    }

    @Test
    void aSnapshotIsSavedAndRestoredThroughAClient() throws Exception {
        put(one, "/v1/kv/saved", "before");
        var saved = new ByteArrayOutputStream();
        assertThat(one.client().download("/v1/snapshot", saved).status()).isEqualTo(200);
        Path file = Files.write(folder.resolve("state.snap"), saved.toByteArray());
        Launcher.Result inspected = one.cli("snapshot", "inspect", file.toString());
        assertThat(inspected.exit()).as(inspected.all()).isZero();
        put(one, "/v1/kv/saved", "after");
        Answer restored = other.client().upload("/v1/snapshot", file);
        assertThat(restored.status()).as(restored.text()).isEqualTo(200);
        assertThat(get(one, "/v1/kv/saved?raw&consistent").text()).isEqualTo("before");
    }

    @Test
    void commandsWorkAgainstAClient() {
        assertThat(one.cli("kv", "put", "cli/key", "value").exit()).isZero();
        assertThat(other.cli("kv", "get", "cli/key").out().strip()).isEqualTo("value");
        assertThat(one.cli("members").out()).contains("s1", "s2", "s3", "c1", "c2");
        assertThat(one.cli("catalog", "services").out()).contains("consul");
        assertThat(one.cli("catalog", "nodes").out()).contains("c2");
        Launcher.Result watched =
                one.cli("watch", "-http-addr=" + one.agent().http(), "-type=nodes");
        assertThat(watched.out()).as(watched.all()).contains("\"c1\"");
        Launcher.Result info = one.cli("info");
        assertThat(info.exit()).as(info.all()).isZero();
    }

    /** Nobody may take "not known" for "there is none". */
    @Test
    void beforeTheFirstContactItIsAnErrorAndNeverAnEmptyAnswer() throws Exception {
        try (Cluster lonely = Cluster.of(1).clients(1).prepare()) {
            Node client = lonely.node("c1");
            client.spawn();
            await().atMost(Duration.ofSeconds(30))
                    .ignoreExceptions()
                    .until(() -> get(client, "/v1/agent/self").status() == 200);
            for (String path :
                    List.of(
                            "/v1/kv/a",
                            "/v1/kv/?keys",
                            "/v1/catalog/nodes",
                            "/v1/catalog/nodes?stale",
                            "/v1/catalog/services",
                            "/v1/health/service/web?stale",
                            "/v1/health/state/any?consistent")) {
                Answer answer = get(client, path);
                assertThat(answer.status()).as(path).isEqualTo(500);
                assertThat(answer.text()).as(path).contains("No known Consul servers");
            }
            assertThat(get(client, "/v1/status/leader").text()).isEqualTo("\"\"");
            lonely.node("s1").restart();
            await().atMost(Duration.ofSeconds(20))
                    .until(() ->
                            get(client, "/v1/catalog/nodes").status() == 200
                                    && json(client, "/v1/catalog/nodes").size() == 2);
            lonely.node("s1").kill();
            long asked = System.nanoTime();
            Answer gone = client.client().get("/v1/kv/a", Duration.ofSeconds(30));
            assertThat(gone.status()).isEqualTo(500);
            assertThat(gone.text()).contains("No cluster leader");
            assertThat(Duration.ofNanos(System.nanoTime() - asked))
                    .isLessThan(Duration.ofSeconds(15));
            lonely.node("s1").spawn();
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> get(client, "/v1/kv/a").status() == 404);
        }
    }
}
