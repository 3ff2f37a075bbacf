package registry.haproxy;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What goes wrong around a companion costs no request that could be served. */
final class CompanionFaultTest extends CompanionSite {
    @Test
    void aKilledBackendFailsNoRequestAndIsOut() throws Exception {
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
                System.out.println(load.sent() - before + " requests until HAProxy had it out");
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
