package registry.haproxy;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** Instances come and go, one by one and all at once. */
final class CompanionDrainTest extends CompanionSite {
    @Test
    void moreInstancesThanSlotsAreAReloadAndNoLoss() throws Exception {
        registry.put("web", "w0", "127.0.0.1", 20000);
        start(web(""));
        awaitServing(20000);
        List<Integer> ports = new ArrayList<>(List.of(20000));
        for (int more = 1; more < 20; more++) {
            registry.put("web", "w" + more, "127.0.0.1", 20000 + more);
            ports.add(20000 + more);
        }
        awaitServing(ports.toArray(Integer[]::new));
        assertThat(file()).contains("server srv20 ");
    }

    @Test
    void warningAndMaintenanceFollowTheirPolicy() throws Exception {
        String entry =
                """
                {"Node":{"Node":"n1","Address":"127.0.0.1"},
                 "Service":{"ID":"w%1$d","Address":"127.0.0.1","Port":2000%1$d,"Weights":{"Passing":10,"Warning":2}},
                 "Checks":[{"CheckID":"%2$s","Status":"%3$s"}]}
                """;
        registry.putRaw("web", "w1", entry.formatted(1, "c", "passing"));
        registry.putRaw("web", "w2", entry.formatted(2, "c", "warning"));
        start(web("health: warning"));
        awaitServing(20001, 20002);
        await().atMost(5, SECONDS)
                .untilAsserted(() ->
                        assertThat(file())
                                .contains(":20001 id 1 weight 10", ":20002 id 2 weight 2"));
        registry.putRaw("web", "w1", entry.formatted(1, "_service_maintenance:w1", "critical"));
        await().atMost(5, SECONDS).until(() -> slot(20001).isDraining());
        registry.putRaw("web", "w2", entry.formatted(2, "c", "critical"));
        awaitServing(20001);
        registry.putRaw("web", "w1", entry.formatted(1, "c", "passing"));
        await().atMost(5, SECONDS).until(() -> !slot(20001).isDraining());
    }

    private Slot slot(int port) throws IOException {
        try (RuntimeApi.Session session =
                new UnixRuntimeApi(folder.resolve("ha.sock"), Duration.ofSeconds(2)).connect()) {
            return Slot.parse(session.send("show servers state web")).get("web").stream()
                    .filter(slot -> slot.endpoint().port() == port)
                    .findFirst()
                    .orElseThrow();
        }
    }

    @Test
    void flappingCostsNoReloadAndEndsRight() throws Exception {
        try (var one = new BackendServer("one");
                var two = new BackendServer("two")) {
            registry.put("web", "w1", "127.0.0.1", one.port());
            start(web(""));
            awaitServing(one.port());
            try (var load = new LoadClient(frontend, 100)) {
                for (int flap = 0; flap < 40; flap++) {
                    registry.put("web", "w2", "127.0.0.1", two.port());
                    LockSupport.parkNanos(25_000_000);
                    registry.remove("web", "w2");
                    LockSupport.parkNanos(25_000_000);
                }
                registry.put("web", "w2", "127.0.0.1", two.port());
                awaitServing(one.port(), two.port());
                load.close();
                assertThat(load.failures()).isEmpty();
            }
            assertThat(status()).contains("\"reloads\": 0");
        }
    }

    @Test
    void aRollingReplacementFailsNoRequestAndReloadsNothing() throws Exception {
        List<BackendServer> old =
                List.of(new BackendServer("a"), new BackendServer("b"), new BackendServer("c"));
        List<BackendServer> young =
                List.of(new BackendServer("d"), new BackendServer("e"), new BackendServer("f"));
        old.forEach(
                backend -> registry.put("web", "w" + backend.port(), "127.0.0.1", backend.port()));
        start(web(""));
        await().atMost(10, SECONDS).until(() -> serving("web").size() == 3);
        try (var load = new LoadClient(frontend, 200)) {
            for (int at = 0; at < 3; at++) {
                BackendServer coming = young.get(at);
                BackendServer going = old.get(at);
                registry.put("web", "w" + coming.port(), "127.0.0.1", coming.port());
                registry.remove("web", "w" + going.port());
                await().atMost(10, SECONDS)
                        .until(() ->
                                serving("web").contains(coming.port())
                                        && !serving("web").contains(going.port()));
                int requests = going.requests();
                int sent = load.sent();
                await().atMost(10, SECONDS).until(() -> load.sent() > sent + 40);
                assertThat(going.requests()).isEqualTo(requests);
                going.kill();
            }
            load.close();
            assertThat(load.failures()).isEmpty();
        }
        assertThat(status()).contains("\"reloads\": 0");
        for (BackendServer backend : young) {
            backend.close();
        }
    }

    /** The slot of an instance that is gone belongs to its connections until they end. */
    @Test
    void aRequestInFlightIsFinishedBeforeItsSlotIsFreed() throws Exception {
        try (var slow = new BackendServer("slow")) {
            registry.put("web", "w1", "127.0.0.1", slow.port());
            start(web("on_empty: drop"));
            awaitServing(slow.port());
            CompletableFuture<String> answer = askSlow();
            await().atMost(5, SECONDS).until(() -> slow.requests() == 1);
            registry.remove("web", "w1");
            awaitServing();
            await().atMost(10, SECONDS).until(() -> slot(slow.port()).sinceChange() >= 4);
            slow.release();
            assertThat(answer.get(5, SECONDS)).startsWith("HTTP/1.1 200").endsWith("slow");
            await().atMost(5, SECONDS).until(() -> slot(1).isUnused());
        }
    }

    @Test
    void aRequestThatOutlastsTheDrainTimeIsEnded() throws Exception {
        try (var slow = new BackendServer("slow")) {
            registry.put("web", "w1", "127.0.0.1", slow.port());
            start(web("on_empty: drop\ndrain: 2s\nbackend: [\"retries 0\"]"));
            awaitServing(slow.port());
            CompletableFuture<String> answer = askSlow();
            await().atMost(5, SECONDS).until(() -> slow.requests() == 1);
            registry.remove("web", "w1");
            assertThat(answer.get(10, SECONDS)).doesNotStartWith("HTTP/1.1 200");
            slow.release();
        }
    }

    @Test
    void allInstancesReplacedAtOnceNeedNoMoreSlots() throws Exception {
        registry.put("web", "w1", "127.0.0.1", 20001);
        registry.put("web", "w2", "127.0.0.1", 20002);
        start(web("slots: 2"));
        awaitServing(20001, 20002);
        registry.put("web", "w1", "127.0.0.1", 20003);
        registry.put("web", "w2", "127.0.0.1", 20004);
        awaitServing(20003, 20004);
        await().atMost(5, SECONDS)
                .untilAsserted(() -> assertThat(file()).contains(":20003 id", ":20004 id"));
        assertThat(status()).contains("\"reloads\": 0");
    }

    @Test
    void dynamicServersComeAndGoWithoutAReload() throws Exception {
        try (var one = new BackendServer("one");
                var two = new BackendServer("two")) {
            registry.put("web", "w1", "127.0.0.1", one.port());
            start(web("servers: dynamic"));
            awaitServing(one.port());
            List<Integer> ports = new ArrayList<>(List.of(one.port(), two.port()));
            registry.put("web", "w2", "127.0.0.1", two.port());
            for (int more = 0; more < 20; more++) {
                registry.put("web", "m" + more, "127.0.0.1", 20000 + more);
                ports.add(20000 + more);
            }
            awaitServing(ports.toArray(Integer[]::new));
            for (int more = 0; more < 20; more++) {
                registry.remove("web", "m" + more);
            }
            awaitServing(one.port(), two.port());
            try (var load = new LoadClient(frontend, 100)) {
                await().atMost(10, SECONDS)
                        .until(() -> load.answersOf("one") > 10 && load.answersOf("two") > 10);
                load.close();
                assertThat(load.failures()).isEmpty();
            }
            registry.remove("web", "w1");
            awaitServing(two.port());
            await().atMost(15, SECONDS)
                    .untilAsserted(() ->
                            assertThat(
                                            RealHaproxy.ask(
                                                            folder.resolve("ha.sock"),
                                                            "show servers state web")
                                                    .orElse("")
                                                    .lines()
                                                    .filter(line -> line.matches("\\d+ web .*")))
                                    .hasSize(1));
            assertThat(status()).contains("\"reloads\": 0");
            assertThat(file())
                    .contains("127.0.0.1:" + two.port() + " id ")
                    .doesNotContain(Endpoint.UNUSED.toString());
            // A reload for another reason takes them along.
            renderer.replace(
                    config(
                            web(
                                    "servers: dynamic\nbackend: [\"http-response set-header X-Other 1\"]")));
            await().atMost(10, SECONDS).until(() -> status().contains("\"reloads\": 1"));
            assertThat(serving("web")).containsExactly(two.port());
        }
    }

    @Test
    void maintenanceDrainsAndThenLeaves() throws Exception {
        String entry =
                """
                {"Node":{"Node":"n1","Address":"127.0.0.1"},
                 "Service":{"ID":"w1","Address":"127.0.0.1","Port":20001},
                 "Checks":[{"CheckID":"%s","Status":"%s"}]}
                """;
        registry.putRaw("web", "w1", entry.formatted("c", "passing"));
        registry.put("web", "w2", "127.0.0.1", 20002);
        start(web("drain: 2s"));
        awaitServing(20001, 20002);
        registry.putRaw("web", "w1", entry.formatted("_node_maintenance", "critical"));
        await().atMost(2, SECONDS).until(() -> slot(20001).isDraining());
        awaitServing(20002);
        registry.putRaw("web", "w1", entry.formatted("c", "passing"));
        awaitServing(20001, 20002);
        assertThat(slot(20001).isDraining()).isFalse();
    }

    @Test
    void anOperatorDrainsAndTakesBack() throws Exception {
        registry.put("web", "w1", "127.0.0.1", 20001);
        registry.put("web", "w2", "127.0.0.1", 20002);
        start(web(""));
        awaitServing(20001, 20002);
        await().atMost(5, SECONDS).until(() -> Files.exists(folder.resolve("data/last-good.json")));
        Path input = Files.writeString(folder.resolve("input.yaml"), text(web("")));
        assertThat(drain(input, "web/w1")).isZero();
        assertThat(slot(20001).isDraining()).isTrue();
        assertThat(drain(input, "web/nobody")).isEqualTo(RendererMain.FAILED);
        assertThat(drain(input, "nothing/w1")).isEqualTo(RendererMain.BAD_INPUT);
        // It stays so when the companion, and then HAProxy, begin anew.
        renderer.close();
        start(web(""));
        await().atMost(10, SECONDS)
                .until(() ->
                        serving("web").equals(Set.of(20001, 20002)) && slot(20001).isDraining());
        assertThat(drain(input, "web/n1/w1")).isZero();
        assertThat(drain(input, "-undo", "web/127.0.0.1:20001")).isZero();
        assertThat(slot(20001).isDraining()).isFalse();
        assertThat(drain(input, "-undo", "web/w1")).isEqualTo(RendererMain.FAILED);
    }

    private static int drain(Path input, String... arguments) {
        List<String> all = new ArrayList<>(List.of("drain", "-config", input.toString()));
        all.addAll(List.of(arguments));
        return RendererMain.execute(all.toArray(String[]::new));
    }
}
