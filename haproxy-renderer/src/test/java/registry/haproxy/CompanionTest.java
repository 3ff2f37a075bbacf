package registry.haproxy;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole companion with a real HAProxy, against a registry that speaks the blocking API. */
class CompanionTest {
    @TempDir private Path folder;
    private final int frontend = RealHaproxy.freePort();
    private final int entrance = RealHaproxy.freePort();
    private StubRegistry registry;
    private Renderer renderer;

    @BeforeEach
    void begin() throws IOException {
        registry = new StubRegistry();
    }

    @AfterEach
    void end() throws IOException {
        if (renderer != null) {
            renderer.close();
        }
        // One that a failed test has left without a companion.
        if (masterPid() > 0) {
            RealHaproxy.kill(masterPid());
        }
        registry.close();
    }

    private void start(String service) throws IOException {
        renderer =
                new Renderer(
                        config(service),
                        true,
                        Redirect.appendTo(folder.resolve("haproxy.log").toFile()));
        renderer.start();
    }

    private RendererConfig config(String services) {
        return InputReader.parse(folder.resolve("input.yaml"), text(services));
    }

    private String text(String services) {
        return """
        agents: %s
        wait: 2s
        data_dir: data
        listen: 127.0.0.1:0
        haproxy:
          config: haproxy.cfg
          socket: ha.sock
          master_socket: master.sock
          binary: %s
        frontends:
          entrance:
            bind: 127.0.0.1:%d
        services:
        %s
        """
                .formatted(
                        registry.uri(),
                        RealHaproxy.binary(),
                        services.contains("route:") ? frontend : entrance,
                        services.indent(2));
    }

    private String web(String more) {
        return """
        web:
          bind: 127.0.0.1:%d
          check: {path: /health}
        %s
        """
                .formatted(frontend, more.indent(2));
    }

    /** Who serves in the running HAProxy, as {@code port}s. */
    private Set<Integer> serving(String backend) {
        Set<Integer> ports = new TreeSet<>();
        try (RuntimeApi.Session session =
                new UnixRuntimeApi(folder.resolve("ha.sock"), Duration.ofSeconds(2)).connect()) {
            for (Slot slot :
                    Slot.parse(session.send("show servers state"))
                            .getOrDefault(backend, List.of())) {
                if (slot.isInService()) {
                    ports.add(slot.endpoint().port());
                }
            }
        } catch (IOException e) {
            return Set.of(-1);
        }
        return ports;
    }

    private void awaitServing(Integer... ports) {
        await().atMost(15, SECONDS)
                .pollInterval(Duration.ofMillis(10))
                .untilAsserted(() -> assertThat(serving("web")).containsExactlyInAnyOrder(ports));
    }

    private String status() throws IOException {
        Path file = folder.resolve("data/status.json");
        return Files.exists(file) ? Files.readString(file) : "";
    }

    private String file() throws IOException {
        return Files.readString(folder.resolve("haproxy.cfg"));
    }

    @Test
    void followsWhatTheRegistrySays() throws IOException {
        registry.put("web", "w1", "127.0.0.1", 20001);
        registry.put("web", "w2", "", 20002);
        start(web(""));
        awaitServing(20001, 20002);
        registry.put("web", "w3", "127.0.0.1", 20003);
        awaitServing(20001, 20002, 20003);
        registry.remove("web", "w1");
        awaitServing(20002, 20003);
        await().atMost(5, SECONDS)
                .untilAsserted(() ->
                        assertThat(file())
                                .contains(":20002 id", ":20003 id")
                                .doesNotContain("20001"));
    }

    @Test
    void aKilledBackendFailsNoRequestAndIsOutWithinASecond() throws Exception {
        try (var one = new BackendServer("one");
                var two = new BackendServer("two");
                var three = new BackendServer("three")) {
            for (BackendServer backend : List.of(one, two, three)) {
                registry.put("web", "w" + backend.port(), "127.0.0.1", backend.port());
            }
            start(web(""));
            awaitServing(one.port(), two.port(), three.port());
            int before;
            try (var load = new LoadClient(frontend, 200)) {
                await().atMost(10, SECONDS).until(() -> load.answersOf("two") > 50);
                two.kill();
                before = load.sent();
                await().atMost(10, SECONDS).until(() -> state("web", two.port()) == 0);
                assertThat(load.sent() - before)
                        .as("requests until HAProxy had it out")
                        .isLessThan(400);
                await().atMost(10, SECONDS).until(() -> load.sent() > 600);
                load.close();
                assertThat(load.failures()).isEmpty();
            }
        }
    }

    private int state(String backend, int port) throws IOException {
        try (RuntimeApi.Session session =
                new UnixRuntimeApi(folder.resolve("ha.sock"), Duration.ofSeconds(2)).connect()) {
            return Slot.parse(session.send("show servers state " + backend)).get(backend).stream()
                    .filter(slot -> slot.endpoint().port() == port)
                    .mapToInt(Slot::operational)
                    .findFirst()
                    .orElse(-1);
        }
    }

    @Test
    void servesThroughRegistryAbsenceAndItsOwnRestart() throws Exception {
        registry.put("web", "w1", "127.0.0.1", 20001);
        registry.put("web", "w2", "127.0.0.1", 20002);
        start(web(""));
        awaitServing(20001, 20002);
        await().atMost(5, SECONDS).until(() -> Files.exists(folder.resolve("data/last-good.json")));
        registry.stop();
        renderer.close();
        start(web(""));
        awaitServing(20001, 20002);
        // It changes while nobody can be told.
        registry.put("web", "w3", "127.0.0.1", 20003);
        registry.resetIndex();
        registry.start();
        awaitServing(20001, 20002, 20003);
        registry.remove("web", "w1");
        awaitServing(20002, 20003);
    }

    @Test
    void anIndexThatGoesBackIsReadAnew() throws Exception {
        registry.put("web", "w1", "127.0.0.1", 20001);
        start(web(""));
        awaitServing(20001);
        registry.resetIndex();
        registry.put("web", "w2", "127.0.0.1", 20002);
        awaitServing(20001, 20002);
    }

    @Test
    void keepsTheLastOnesWhenAllVanish() throws Exception {
        try (var one = new BackendServer("one")) {
            registry.put("web", "w1", "127.0.0.1", one.port());
            start(web(""));
            awaitServing(one.port());
            try (var load = new LoadClient(frontend, 100)) {
                await().atMost(10, SECONDS).until(() -> load.answersOf("one") > 10);
                registry.remove("web", "w1");
                int before = load.sent();
                await().atMost(10, SECONDS).until(() -> load.sent() > before + 100);
                load.close();
                assertThat(load.failures()).isEmpty();
            }
            assertThat(serving("web")).containsExactly(one.port());
        }
    }

    @Test
    void dropsThemWhereThatIsThePolicy() throws Exception {
        registry.put("web", "w1", "127.0.0.1", 20001);
        start(web("on_empty: drop"));
        awaitServing(20001);
        registry.remove("web", "w1");
        awaitServing();
        registry.put("web", "w1", "127.0.0.1", 20001);
        awaitServing(20001);
    }

    @Test
    void hostileInstancesCostNobodyElse() throws Exception {
        int stolen = RealHaproxy.freePort();
        registry.put("web", "good", "127.0.0.1", 20001);
        registry.put(
                "web",
                "newline",
                "127.0.0.1:80 check\n    server evil 127.0.0.1:12\nlisten pwned\n    bind 127.0.0.1:"
                        + stolen
                        + "\n#",
                20002);
        registry.put("web", "semicolon", "127.0.0.1; shutdown sessions server web/srv1", 20003);
        registry.put("web", "quotes", "\"127.0.0.1\" '#", 20004);
        registry.put("web", "name", "backend.invalid", 20005);
        registry.put("web", "zero", "127.0.0.1", 0);
        registry.put("web", "high", "127.0.0.1", 99999);
        registry.put("web", "any", "0.0.0.0", 20006);
        registry.put("web", "octal", "127.0.0.010", 20007);
        registry.put("web", "reserved enabled disabled id", "127.0.0.1", 20008);
        registry.put("web", "line\nbreak", "127.0.0.1", 20015);
        registry.put("web", "x".repeat(70_000), "127.0.0.1", 20009);
        registry.put("web", "\u0000\u001b[2Jé", "127.0.0.1", 20010);
        registry.put("web", "é листен", "127.0.0.1", 20012);
        registry.put("web", "twice", "127.0.0.1", 20013);
        registry.putRaw(
                "web",
                "the same id on another node",
                """
                {"Node":{"Node":"n2","Address":"127.0.0.1"},
                 "Service":{"ID":"twice","Address":"127.0.0.1","Port":20014},"Checks":[]}
                """);
        registry.putRaw("web", "nothing", "{}");
        registry.putRaw(
                "web",
                "types",
                "{\"Node\":[],\"Service\":{\"Port\":\"80\",\"Address\":{}},\"Checks\":7}");
        start(web(""));
        awaitServing(20001, 20008, 20012, 20013, 20014);
        registry.put("web", "later", "127.0.0.1", 20011);
        awaitServing(20001, 20008, 20011, 20012, 20013, 20014);
        assertThat(RealHaproxy.isListening(stolen)).isFalse();
        await().atMost(5, SECONDS)
                .untilAsserted(() ->
                        assertThat(status())
                                .contains(
                                        "n1/newline",
                                        "n1/semicolon",
                                        "n1/quotes",
                                        "n1/name",
                                        "n1/zero",
                                        "n1/high",
                                        "n1/any",
                                        "n1/octal",
                                        "n1/xxxxx",
                                        "a name of 70000 characters",
                                        "n1/\\\\u0000\\\\u001b[2J",
                                        "n1/line\\\\nbreak"));
    }

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

    /**
     * Reload signals in quick succession get lost: 15 of 20 bursts ended stale when they were
     * merely sent.
     */
    @Test
    void burstsOfStructuralChangesNeverEndStale() throws Exception {
        var random = new SplittableRandom(20261125);
        registry.put("web", "w1", "127.0.0.1", 20001);
        start(web(""));
        awaitServing(20001);
        for (int burst = 0; burst < 4; burst++) {
            RendererConfig last = null;
            for (int change = 0; change < 12; change++) {
                last =
                        config(
                                web(
                                        "backend: [\"http-response set-header X-Change b"
                                                + burst
                                                + "c"
                                                + change
                                                + "\"]"));
                renderer.replace(last);
                LockSupport.parkNanos(random.nextLong(120_000_000));
            }
            long wanted = new ConfigRenderer(last).version(Map.of("web", 8));
            await().atMost(20, SECONDS).until(() -> loaded() == wanted);
            assertThat(serving("web")).containsExactly(20001);
            assertThat(file()).contains("b" + burst + "c11");
        }
    }

    private long loaded() {
        try (RuntimeApi.Session session =
                new UnixRuntimeApi(folder.resolve("ha.sock"), Duration.ofSeconds(2)).connect()) {
            return Engine.version(session);
        } catch (IOException e) {
            return -1;
        }
    }

    @Test
    void haproxyKilledIsBackWithThePresentMembers() throws Exception {
        try (var one = new BackendServer("one");
                var two = new BackendServer("two")) {
            registry.put("web", "w1", "127.0.0.1", 20001);
            registry.put("web", "w2", "127.0.0.1", one.port());
            start(web(""));
            awaitServing(20001, one.port());
            registry.put("web", "w3", "127.0.0.1", two.port());
            registry.remove("web", "w1");
            awaitServing(one.port(), two.port());
            await().atMost(5, SECONDS)
                    .untilAsserted(() ->
                            assertThat(file())
                                    .contains(":" + two.port() + " id")
                                    .doesNotContain("20001"));
            Master.Processes before = master().look();
            before.workers().forEach(RealHaproxy::kill);
            RealHaproxy.kill(before.pid());
            await().atMost(10, SECONDS).until(() -> masterPid() > 0 && masterPid() != before.pid());
            await().atMost(10, SECONDS).until(() -> RealHaproxy.isListening(frontend));
            try (var load = new LoadClient(frontend, 100)) {
                await().atMost(10, SECONDS)
                        .until(() -> load.answersOf("one") > 10 && load.answersOf("two") > 10);
                load.close();
                assertThat(load.failures()).isEmpty();
            }
            assertThat(serving("web")).containsExactlyInAnyOrder(one.port(), two.port());
        }
    }

    private Master master() {
        return new Master(new UnixRuntimeApi(folder.resolve("master.sock"), Duration.ofSeconds(2)));
    }

    private long masterPid() {
        try {
            return master().look().pid();
        } catch (IOException e) {
            return 0;
        }
    }

    @Test
    void haproxyThatIsNotOursIsFollowedThroughItsRestarts() throws Exception {
        registry.put("web", "w1", "127.0.0.1", 20001);
        renderer = new Renderer(config(web("")), false, Redirect.DISCARD);
        renderer.start();
        await().atMost(10, SECONDS).until(() -> Files.exists(folder.resolve("haproxy.cfg")));
        Process first = startHaproxy();
        try {
            awaitServing(20001);
            registry.put("web", "w2", "127.0.0.1", 20002);
            awaitServing(20001, 20002);
            await().atMost(5, SECONDS)
                    .untilAsserted(() -> assertThat(file()).contains(":20002 id"));
        } finally {
            first.destroy();
            first.waitFor();
        }
        registry.remove("web", "w1");
        await().atMost(5, SECONDS).untilAsserted(() -> assertThat(file()).doesNotContain("20001"));
        Process second = startHaproxy();
        try {
            await().atMost(5, SECONDS).until(() -> !serving("web").contains(-1));
            assertThat(serving("web")).containsExactly(20002);
            renderer.replace(config(web("backend: [\"http-response set-header X-Other 1\"]")));
            long before = loaded();
            await().atMost(10, SECONDS).until(() -> loaded() > 0 && loaded() != before);
        } finally {
            second.destroy();
            second.waitFor();
        }
    }

    private Process startHaproxy() throws IOException {
        return new ProcessBuilder(
                        RealHaproxy.binary(),
                        "-W",
                        "-S",
                        folder.resolve("master.sock") + ",level,admin,mode,600",
                        "-f",
                        folder.resolve("haproxy.cfg").toString())
                .redirectErrorStream(true)
                .redirectOutput(Redirect.appendTo(folder.resolve("haproxy.log").toFile()))
                .start();
    }

    @Test
    void aConfigurationThatHaproxyRefusesChangesNothing() throws Exception {
        registry.put("web", "w1", "127.0.0.1", 20001);
        start(web(""));
        awaitServing(20001);
        long before = loaded();
        renderer.replace(config(web("backend: [\"no such keyword\"]")));
        await().atMost(5, SECONDS).until(() -> status().contains("unknown keyword"));
        registry.put("web", "w2", "127.0.0.1", 20002);
        awaitServing(20001, 20002);
        assertThat(loaded()).isEqualTo(before);
        assertThat(file()).doesNotContain("no such keyword");
    }

    /** {@code haproxy -c} binds nothing, so only the load finds that a port is taken. */
    @Test
    void aLoadThatFailsLeavesTheOldOneServingAndOnDisk() throws Exception {
        registry.put("web", "w1", "127.0.0.1", 20001);
        start(web(""));
        awaitServing(20001);
        long before = loaded();
        try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            renderer.replace(
                    config(web("") + "other:\n  bind: 127.0.0.1:" + taken.getLocalPort() + "\n"));
            await().atMost(15, SECONDS).until(() -> status().contains("could not load"));
            assertThat(file()).doesNotContain("frontend other");
        }
        assertThat(loaded()).isEqualTo(before);
        registry.put("web", "w2", "127.0.0.1", 20002);
        awaitServing(20001, 20002);
        renderer.replace(config(web("")));
        await().atMost(10, SECONDS).until(() -> status().contains("\"problem\": null"));
    }

    @Test
    void whatSomebodyElseDidAtTheSocketIsPutRight() throws Exception {
        registry.put("web", "w1", "127.0.0.1", 20001);
        registry.put("web", "w2", "127.0.0.1", 20002);
        start(web(""));
        awaitServing(20001, 20002);
        RealHaproxy.ask(folder.resolve("ha.sock"), "set server web/srv1 state maint");
        RealHaproxy.ask(folder.resolve("ha.sock"), "set server web/srv3 state ready");
        awaitServing(20001, 20002);
    }

    @Test
    void onlyOneCompanionPerFolder() throws Exception {
        start(web(""));
        assertThatThrownBy(() -> new Renderer(config(web("")), true, Redirect.DISCARD))
                .hasMessageContaining("another registry-haproxy");
    }

    @Test
    void aSocketWhoseFileIsGoneIsDoneWithout() throws Exception {
        registry.put("web", "w1", "127.0.0.1", 20001);
        start(web(""));
        awaitServing(20001);
        await().atMost(5, SECONDS).until(() -> masterPid() > 0);
        Files.delete(folder.resolve("ha.sock"));
        registry.put("web", "w2", "127.0.0.1", 20002);
        await().atMost(10, SECONDS)
                .until(() -> throughMaster("@1 show servers state web").contains(" 20002 "));
        renderer.replace(config(web("backend: [\"http-response set-header X-Other 1\"]")));
        await().atMost(10, SECONDS).until(() -> status().contains("\"reloads\": 1"));
    }

    private String throughMaster(String command) throws IOException {
        return new UnixRuntimeApi(folder.resolve("master.sock"), Duration.ofSeconds(2))
                .ask(command);
    }

    /**
     * Left over from a companion that was killed: it serves on, and is not started a second time.
     */
    @Test
    void haproxyThatRunsAlreadyIsTakenOver() throws Exception {
        registry.put("web", "w1", "127.0.0.1", 20001);
        start(web(""));
        awaitServing(20001);
        await().atMost(5, SECONDS).until(() -> masterPid() > 0);
        long pid = masterPid();
        renderer.abandon();
        registry.put("web", "w2", "127.0.0.1", 20002);
        start(web(""));
        awaitServing(20001, 20002);
        assertThat(masterPid()).isEqualTo(pid);
        RealHaproxy.kill(pid);
        await().atMost(10, SECONDS).until(() -> masterPid() > 0 && masterPid() != pid);
        awaitServing(20001, 20002);
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

    private CompletableFuture<String> askSlow() {
        return CompletableFuture.supplyAsync(
                () -> {
                    try (var socket = new Socket(InetAddress.getLoopbackAddress(), frontend)) {
                        socket.getOutputStream()
                                .write(
                                        "GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                                                .getBytes(US_ASCII));
                        return new String(socket.getInputStream().readAllBytes(), US_ASCII);
                    } catch (IOException e) {
                        return e.toString();
                    }
                },
                task -> Thread.ofVirtual().start(task));
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
    void routesChangeWithoutAReloadAndStandInTheFile() throws Exception {
        try (var shop = new BackendServer("shop");
                var blog = new BackendServer("blog")) {
            registry.put("shop", "s", "127.0.0.1", shop.port());
            registry.put("blog", "b", "127.0.0.1", blog.port());
            start(routed("[shop.example.org]", "[/]", "[\"*.blog.example.org\"]", "[/]"));
            await().atMost(15, SECONDS)
                    .until(() -> answer("shop.example.org:80", "/x").endsWith("shop"));
            await().atMost(5, SECONDS)
                    .until(() -> answer("A.Blog.example.org", "/").endsWith("blog"));
            assertThat(answer("other.example.org", "/")).startsWith("HTTP/1.1 404");
            await().atMost(5, SECONDS).until(() -> masterPid() > 0);
            long before = loaded();
            renderer.replace(
                    config(
                            routed(
                                    "[shop.example.org]",
                                    "[/]",
                                    "[shop.example.org, \"*\"]",
                                    "[/blog]")));
            await().atMost(5, SECONDS)
                    .until(() -> answer("shop.example.org", "/blog").endsWith("blog"));
            assertThat(answer("shop.example.org", "/blog/x?y=1")).endsWith("blog");
            assertThat(answer("shop.example.org", "/blogs")).endsWith("shop");
            assertThat(answer("a.blog.example.org", "/")).startsWith("HTTP/1.1 404");
            assertThat(answer("a.blog.example.org", "/blog")).endsWith("blog");
            renderer.replace(config(routed("[\"*\"]", "[/blog]", "[never.example.org]", "[/]")));
            await().atMost(5, SECONDS).until(() -> answer("x", "/blog").endsWith("shop"));
            assertThat(loaded()).isEqualTo(before);
            assertThat(Files.readString(folder.resolve("data/routes-entrance.map")))
                    .isEqualTo("*/blog/ shop\nnever.example.org/ blog\n");
            // Somebody else's entry goes, and a restart has what the file says.
            RealHaproxy.ask(
                    folder.resolve("ha.sock"),
                    "add map " + folder.resolve("data/routes-entrance.map") + " evil/ blog");
            await().atMost(5, SECONDS).until(() -> answer("evil", "/").startsWith("HTTP/1.1 404"));
            assertThat(status()).contains("\"reloads\": 0");
        }
    }

    private String routed(String shopHosts, String shopPaths, String blogHosts, String blogPaths) {
        return """
        shop:
          route: {frontend: entrance, hosts: %s, paths: %s}
        blog:
          route: {frontend: entrance, hosts: %s, paths: %s}
        """
                .formatted(shopHosts, shopPaths, blogHosts, blogPaths);
    }

    private String answer(String host, String path) throws IOException {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), frontend)) {
            socket.getOutputStream()
                    .write(
                            ("GET "
                                            + path
                                            + " HTTP/1.1\r\nHost: "
                                            + host
                                            + "\r\nConnection: close\r\n\r\n")
                                    .getBytes(US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), US_ASCII).strip();
        } catch (IOException e) {
            return e.toString();
        }
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

    @Test
    void healthAndMetricsTellHowItIs() throws Exception {
        registry.put("web", "w1", "127.0.0.1", 20001);
        registry.put("web", "bad", "nowhere", 20001);
        start(web(""));
        awaitServing(20001);
        await().atMost(10, SECONDS)
                .until(() -> page("/health").equals("200 {\"status\":\"ok\"}\n"));
        await().atMost(10, SECONDS)
                .until(() -> page("/metrics").contains("\nregistry_haproxy_in_step 1\n"));
        assertThat(page("/metrics"))
                .startsWith("200 # HELP registry_haproxy_in_step ")
                .contains(
                        "# TYPE registry_haproxy_reloads_total counter\n",
                        "\nregistry_haproxy_service_instances{service=\"web\"} 1\n",
                        "\nregistry_haproxy_service_skipped{service=\"web\"} 1\n",
                        "\nregistry_haproxy_service_failing{service=\"web\"} 0\n");
        assertThat(page("/healthy")).startsWith("404");
        registry.stop();
        await().atMost(10, SECONDS)
                .until(() -> page("/metrics").contains("service_failing{service=\"web\"} 1"));
        renderer.replace(config(web("backend: [\"no such keyword\"]")));
        await().atMost(10, SECONDS)
                .until(() -> page("/health").matches("(?s)503 .*failing.*unknown keyword.*"));
    }

    private String page(String path) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            URI uri = URI.create("http://127.0.0.1:" + renderer.statusPort() + path);
            HttpResponse<String> answer =
                    client.send(
                            HttpRequest.newBuilder(uri).build(),
                            HttpResponse.BodyHandlers.ofString());
            return answer.statusCode() + " " + answer.body();
        }
    }

    /** A disk of its own, so small that a file fills it. */
    @Test
    void aFullDiskDelaysTheFileAndNothingElse() throws Exception {
        Path disk = Files.createDirectory(folder.resolve("disk"));
        assumeTrue(
                succeeds("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk.toString()),
                "only root may mount");
        try {
            String text =
                    text(web(""))
                            .replace("data_dir: data", "data_dir: disk/data")
                            .replace("config: haproxy.cfg", "config: disk/haproxy.cfg");
            registry.put("web", "w1", "127.0.0.1", 20001);
            renderer =
                    new Renderer(
                            InputReader.parse(folder.resolve("input.yaml"), text),
                            true,
                            Redirect.appendTo(folder.resolve("haproxy.log").toFile()));
            renderer.start();
            awaitServing(20001);
            await().atMost(10, SECONDS).until(() -> page("/health").startsWith("200"));
            assertThatThrownBy(() -> Files.write(disk.resolve("filler"), new byte[1 << 20]))
                    .hasMessageContaining("No space left");
            registry.put("web", "w2", "127.0.0.1", 20002);
            awaitServing(20001, 20002);
            await().atMost(10, SECONDS)
                    .until(() -> page("/health").matches("(?s)503 .*No space left.*"));
            // HAProxy ends meanwhile: an older file is better than none.
            Master.Processes before = master().look();
            before.workers().forEach(RealHaproxy::kill);
            RealHaproxy.kill(before.pid());
            await().atMost(10, SECONDS).until(() -> masterPid() > 0 && masterPid() != before.pid());
            awaitServing(20001, 20002);
            Files.delete(disk.resolve("filler"));
            await().atMost(10, SECONDS).until(() -> page("/health").startsWith("200"));
            assertThat(Files.readString(disk.resolve("haproxy.cfg"))).contains(":20002 id");
            assertThat(Files.readString(disk.resolve("data/last-good.json"))).contains("20002");
        } finally {
            renderer.close();
            succeeds("umount", "-l", disk.toString());
        }
    }

    private static boolean succeeds(String... command) throws Exception {
        return new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(Redirect.DISCARD)
                        .start()
                        .waitFor()
                == 0;
    }

    @Test
    void aThousandHostileRegistrationsOpenNothingAndCostNobody() throws Exception {
        long seed = System.nanoTime();
        var random = new SplittableRandom(seed);
        String[] bad = {
            "\n",
            "\r",
            ";",
            " ",
            "#",
            "\"",
            "'",
            "\\",
            "$",
            "\u0000",
            "é",
            "%",
            "\u2028",
            "\nlisten pwned\n    bind 127.0.0.1:" + RealHaproxy.freePort() + "\n",
            " check disabled",
            "; set server web/srv1 state maint",
            "unix@/tmp/x"
        };
        String[] plain = {"127.0.0.1", "::1", "server", "enabled", ":", "80", ".", "host.invalid"};
        for (int number = 0; number < 1000; number++) {
            var text = new StringBuilder();
            for (int piece = random.nextInt(4); piece > 0; piece--) {
                text.append(plain[random.nextInt(plain.length)]);
            }
            text.insert(random.nextInt(text.length() + 1), bad[random.nextInt(bad.length)]);
            boolean byPort = random.nextInt(4) == 0;
            long port =
                    random.nextBoolean() ? random.nextLong(65536, 1L << 40) : -random.nextInt(9);
            registry.put(
                    "web",
                    random.nextInt(3) == 0 ? text.toString() + number : "h" + number,
                    byPort ? "127.0.0.1" : text.toString(),
                    byPort ? port : 80);
        }
        try (var one = new BackendServer("one");
                var two = new BackendServer("two")) {
            registry.put("web", "good1", "127.0.0.1", one.port());
            start(web(""));
            awaitServing(one.port());
            try (var load = new LoadClient(frontend, 100)) {
                registry.put("web", "good2", "127.0.0.1", two.port());
                await().atMost(10, SECONDS)
                        .until(() -> load.answersOf("one") > 20 && load.answersOf("two") > 20);
                load.close();
                assertThat(load.failures()).as("seed %d", seed).isEmpty();
            }
            await().atMost(5, SECONDS)
                    .untilAsserted(() ->
                            assertThat(page("/metrics"))
                                    .as("seed %d", seed)
                                    .contains("service_skipped{service=\"web\"} 1000\n"));
            for (long worker : master().look().workers()) {
                assertThat(listening(worker))
                        .as("seed %d", seed)
                        .containsExactlyInAnyOrder(frontend, entrance);
            }
        }
    }

    /** The TCP ports that a process listens on. */
    private static Set<Integer> listening(long pid) throws IOException {
        Set<String> sockets = new TreeSet<>();
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/" + pid + "/fd"))) {
            for (Path descriptor : descriptors.toList()) {
                sockets.add(Files.readSymbolicLink(descriptor).toString());
            }
        }
        Set<Integer> ports = new TreeSet<>();
        for (String table : List.of("/proc/net/tcp", "/proc/net/tcp6")) {
            for (String line : Files.readAllLines(Path.of(table))) {
                String[] fields = line.strip().split("\\s+");
                if (fields[3].equals("0A") && sockets.contains("socket:[" + fields[9] + "]")) {
                    ports.add(Integer.parseInt(fields[1].split(":")[1], 16));
                }
            }
        }
        return ports;
    }

    /**
     * From a client without TLS to one proxy, from there verified to another, and to an instance.
     */
    @Test
    void tlsOnBothSides() throws Exception {
        TestCertificate.write(folder.resolve("both.pem"), folder.resolve("ca.pem"));
        int inner = RealHaproxy.freePort();
        try (var one = new BackendServer("one")) {
            registry.put("inner", "i", "127.0.0.1", one.port());
            registry.put("web", "w", "127.0.0.1", inner);
            String services =
                    """
                    inner:
                      bind: 127.0.0.1:%d
                      tls: {certificate: both.pem}
                    web:
                      bind: 127.0.0.1:%d
                      servers: dynamic
                      server_tls: {ca: ca.pem, name: %s}
                    """;
            start(services.formatted(inner, frontend, "localhost"));
            await().atMost(15, SECONDS).until(() -> answer("x", "/").endsWith("one"));
            renderer.replace(config(services.formatted(inner, frontend, "other.example.org")));
            await().atMost(10, SECONDS).until(() -> answer("x", "/").startsWith("HTTP/1.1 503"));
        }
    }

    /** What a frozen server had was lost after the 50 s of {@code timeout server}. */
    @Test
    void whatAFrozenServerHadIsServedByAnother() throws Exception {
        try (var frozen = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
                var one = new BackendServer("one")) {
            registry.put("web", "w1", "127.0.0.1", frozen.getLocalPort());
            start(web(""));
            awaitServing(frozen.getLocalPort());
            // Optimistic at first: it is up until its checks have failed.
            CompletableFuture<String> answer = askSlow();
            registry.put("web", "w2", "127.0.0.1", one.port());
            one.release();
            assertThat(answer.get(10, SECONDS)).startsWith("HTTP/1.1 200").endsWith("one");
        }
    }
}
