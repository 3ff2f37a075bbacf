package registry.agent.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import registry.agent.config.WatchDefinition;
import registry.api.client.RegistryClient;
import registry.api.json.Json;

class WatchLoopTest {
    private final LinkedBlockingQueue<String> handled = new LinkedBlockingQueue<>();
    private final List<Duration> pauses = Collections.synchronizedList(new ArrayList<>());
    private FakeAgent agent;
    private Thread thread;

    @BeforeEach
    void start() throws IOException {
        agent = new FakeAgent();
    }

    @AfterEach
    void stop() throws InterruptedException {
        if (thread != null) {
            thread.interrupt();
            assertThat(thread.join(Duration.ofSeconds(5))).isTrue();
        }
        agent.close();
    }

    private static WatchDefinition watch(String json) {
        var parameters = (ObjectNode) Json.tree(json.getBytes(StandardCharsets.UTF_8));
        return new WatchDefinition(parameters.path("type").asText(), parameters);
    }

    private void run(String json) {
        var client = RegistryClient.shortLived(agent.uri(), Map.of());
        var loop =
                new WatchLoop(
                        watch(json),
                        client,
                        (index, result) -> handled.add(index + " " + result),
                        (e, retry) -> {},
                        pauses::add);
        thread =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                loop.run();
                            } catch (IOException e) {
                                handled.add("ended: " + e.getMessage());
                            } catch (InterruptedException e) {
                                Thread.currentThread().interrupt();
                            }
                        });
    }

    private String next() throws InterruptedException {
        return handled.poll(10, TimeUnit.SECONDS);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"type\": \"key\", \"key\": \"a/b c\"} | /v1/kv/a/b%20c",
                "{\"type\": \"keyprefix\", \"prefix\": \"a/\"} | /v1/kv/a/?recurse=",
                "{\"type\": \"services\", \"stale\": true} | /v1/catalog/services?stale=",
                "{\"type\": \"nodes\", \"datacenter\": \"dc2\"} | /v1/catalog/nodes?dc=dc2",
                "{\"type\": \"service\", \"service\": \"web\"} | /v1/health/service/web",
                "{\"type\": \"service\", \"service\": \"web\", \"tag\": \"a\", \"passingonly\": true} | /v1/health/service/web?tag=a&passing=1",
                "{\"type\": \"service\", \"service\": \"web\", \"tag\": [\"a\", \"b&\"]} | /v1/health/service/web?tag=a&tag=b%26",
                "{\"type\": \"checks\"} | /v1/health/state/any",
                "{\"type\": \"checks\", \"state\": \"critical\"} | /v1/health/state/critical",
                "{\"type\": \"checks\", \"service\": \"web\"} | /v1/health/checks/web"
            })
    void eachTypeHasItsQuery(String json, String target) {
        assertThat(WatchPlan.of(watch(json)).target()).isEqualTo(target);
    }

    @Test
    void theFirstResultAndEachChangeAreHandled() throws InterruptedException {
        agent.set(3, 200, "{\"web\":[]}");
        run("{\"type\": \"services\"}");
        assertThat(next()).isEqualTo("3 {\"web\":[]}");
        agent.set(4, 200, "{\"web\":[\"a\"]}");
        assertThat(next()).isEqualTo("4 {\"web\":[\"a\"]}");
        assertThat(agent.requests())
                .startsWith("/v1/catalog/services", "/v1/catalog/services?index=3");
    }

    @Test
    void theIndexOfEventsTakesAllBits() throws InterruptedException {
        agent.set(-2, 200, "[1]");
        run("{\"type\": \"event\", \"name\": \"deploy\"}");
        assertThat(next()).isEqualTo("-2 [1]");
        agent.set(-1, 200, "[1,2]");
        assertThat(next()).isEqualTo("-1 [1,2]");
        assertThat(agent.requests())
                .startsWith(
                        "/v1/event/list?name=deploy",
                        "/v1/event/list?name=deploy&index=18446744073709551614");
        assertThat(pauses).isEmpty();
    }

    @Test
    void anUnchangedResultIsNotHandledAgain() throws InterruptedException {
        agent.set(3, 200, "{\"a\":[]}");
        run("{\"type\": \"services\"}");
        next();
        agent.set(4, 200, "{\"a\":[]}");
        await().until(() -> agent.requests().contains("/v1/catalog/services?index=4"));
        agent.set(5, 200, "{\"b\":[]}");
        assertThat(next()).isEqualTo("5 {\"b\":[]}");
    }

    // An index that falls (a restored snapshot) means: begin anew. Asking with the old one would
    // wait for a number long gone.
    @Test
    void anIndexThatFallsBeginsAnew() throws InterruptedException {
        agent.set(900, 200, "{\"a\":[]}");
        run("{\"type\": \"services\"}");
        next();
        await().until(() -> agent.requests().size() == 2);
        agent.set(5, 200, "{\"b\":[]}");
        assertThat(next()).isEqualTo("5 {\"b\":[]}");
        await().until(() -> agent.requests().size() >= 4);
        assertThat(agent.requests())
                .startsWith(
                        "/v1/catalog/services",
                        "/v1/catalog/services?index=900",
                        "/v1/catalog/services",
                        "/v1/catalog/services?index=5");
    }

    @Test
    void errorsAreWaitedOutAndTheQueryBeginsAnew() throws InterruptedException {
        agent.set(3, 500, "No cluster leader");
        run("{\"type\": \"services\"}");
        await().until(() -> pauses.size() >= 3);
        assertThat(pauses)
                .startsWith(Duration.ofSeconds(5), Duration.ofSeconds(20), Duration.ofSeconds(45));
        agent.set(4, 200, "{}");
        assertThat(next()).isEqualTo("4 {}");
    }

    @Test
    void pausesGrowToThreeMinutes() {
        assertThat(WatchLoop.retry(1)).isEqualTo(Duration.ofSeconds(5));
        assertThat(WatchLoop.retry(6)).isEqualTo(Duration.ofMinutes(3));
        assertThat(WatchLoop.retry(100_000)).isEqualTo(Duration.ofMinutes(3));
    }

    @Test
    void aKeyIsOnePairOrNull() throws InterruptedException {
        agent.set(2, 404, "");
        run("{\"type\": \"key\", \"key\": \"k\"}");
        assertThat(next()).isEqualTo("2 null");
        agent.set(
                3,
                200,
                "[{\"LockIndex\":0,\"Key\":\"k\",\"Flags\":0,\"Value\":\"djE=\",\"CreateIndex\":3,\"ModifyIndex\":3}]");
        assertThat(next())
                .isEqualTo(
                        "3 {\"Key\":\"k\",\"CreateIndex\":3,\"ModifyIndex\":3,\"LockIndex\":0,\"Flags\":0,\"Value\":\"djE=\",\"Session\":\"\"}");
    }

    @Test
    void aHandlerMayEndTheWatch() throws Exception {
        var loop =
                new WatchLoop(
                        watch("{\"type\": \"services\"}"),
                        RegistryClient.shortLived(agent.uri(), Map.of()),
                        (index, result) -> {
                            throw new IOException("enough");
                        },
                        (e, retry) -> {});
        assertThatThrownBy(loop::run).hasMessage("enough");
    }
}
