package registry.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Thousands of requests that nobody should send: the agent answers each, dies of none, gives no 5xx
 * but those that Consul's clients test for, keeps what it had, gives the memory back, and starts
 * again with all that was left behind.
 */
final class FuzzIT {
    private static final Path CAPTURES =
            Path.of("src/test/resources/conformance/captures").toAbsolutePath();
    private static final Path REFUSALS =
            Path.of("src/test/resources/fuzz/refusals.txt").toAbsolutePath();
    private static final int THREADS = 6;
    private static final int HANG_MILLIS = 15_000;
    private static final int SLOW_SENDERS = 40;
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final long MIB = 1024 * 1024;

    /** A request line with a percent sign that no two hexadecimal digits follow. */
    private static final Pattern BAD_ESCAPE = Pattern.compile("[^\\r\\n]*%(?![0-9a-fA-F]{2})");

    private static final ObjectMapper JSON = new ObjectMapper();

    @Test
    void survivesFiveThousandBadInputs() throws Exception {
        fuzz(5_000);
    }

    @Tag("soak")
    @Test
    void survivesAHundredThousandBadInputs() throws Exception {
        fuzz(100_000);
    }

    private static void fuzz(int count) throws Exception {
        long seed = System.nanoTime();
        var random = new Random(seed);
        var judge = new Judge(refusals());
        try (LauncherProcess agent = LauncherProcess.agent().with("node_name", "keeper").start()) {
            List<Socket> slow = openSlowSenders(agent);
            keep(agent);
            // The first fifth warms up: code and buffers that are there for good are no leak.
            send(agent, new FuzzInputs(random, CAPTURES), count / 5, judge);
            assertFaultless(agent, judge, seed);
            tidy(agent);
            long before = residentAfterCollection(agent);

            send(agent, new FuzzInputs(random, CAPTURES), count - count / 5, judge);
            assertFaultless(agent, judge, seed);
            awaitHungUp(slow);
            tidy(agent);
            long after = residentAfterCollection(agent);
            System.out.printf(
                    "fuzz: %d inputs %s, 0 hangs, answers %s, memory %d -> %d MiB, seed %d%n",
                    judge.sent.get(),
                    judge.kinds,
                    new TreeMap<>(judge.statuses),
                    before / MIB,
                    after / MIB,
                    seed);
            assertThat(after - before)
                    .as("growth of memory in bytes, seed %d", seed)
                    .isLessThan(64 * MIB);
            assertKept(agent);

            agent.kill();
            agent.restart();
            assertKept(agent);
        }
    }

    private static void assertFaultless(LauncherProcess agent, Judge judge, long seed) {
        assertThat(agent.isAlive()).as("agent lives, seed %d\n%s", seed, agent.logTail()).isTrue();
        assertThat(judge.faults)
                .as("faults of %d inputs, seed %d\n%s", judge.sent.get(), seed, agent.logTail())
                .isEmpty();
    }

    /** What must survive. */
    private static void keep(LauncherProcess agent) throws Exception {
        for (int i = 0; i < 100; i++) {
            put(agent, "/v1/kv/keep/" + i, "value " + i);
            put(
                    agent,
                    "/v1/catalog/register",
                    "{'Node':'keep%d','Address':'10.0.0.%d','Service':{'ID':'keep%d','Service':'keep','Port':%d}}"
                            .formatted(i, i, i, 1_000 + i));
        }
        put(
                agent,
                "/v1/agent/service/register",
                "{'Name':'keep-local','Port':7,'Check':{'TTL':'24h','Status':'passing'}}");
    }

    private static void assertKept(LauncherProcess agent) throws Exception {
        assertThat(get(agent, "/v1/kv/keep/?keys")).as("keys").hasSize(100);
        for (int i = 0; i < 100; i += 9) {
            assertThat(agent.client().get("/v1/kv/keep/" + i + "?raw", PATIENCE).text())
                    .isEqualTo("value " + i);
        }
        assertThat(get(agent, "/v1/catalog/service/keep")).as("catalogue").hasSize(100);
        // Not ?passing: an input may have made a check of the whole node, of an id that no URL
        // holds.
        JsonNode checks = get(agent, "/v1/health/checks/keep-local");
        assertThat(checks).as("checks of the local service").hasSize(1);
        assertThat(checks.get(0).get("Status").asText()).isEqualTo("passing");
    }

    /** Removes what inputs have left, so that only a leak remains. */
    private static void tidy(LauncherProcess agent) throws Exception {
        for (JsonNode key : get(agent, "/v1/kv/?keys")) {
            if (!key.asText().startsWith("keep")) {
                agent.client()
                        .send("DELETE", "/v1/kv/" + escape(key.asText()), new byte[0], PATIENCE);
            }
        }
        for (JsonNode node : get(agent, "/v1/catalog/nodes")) {
            if (!node.get("Node").asText().startsWith("keep")) {
                put(
                        agent,
                        "/v1/catalog/deregister",
                        JSON.writeValueAsString(Map.of("Node", node.get("Node").asText())));
            }
        }
        deregisterAll(agent, "/v1/agent/services", "/v1/agent/service/deregister/");
        deregisterAll(agent, "/v1/agent/checks", "/v1/agent/check/deregister/");
    }

    private static void deregisterAll(LauncherProcess agent, String list, String deregister)
            throws Exception {
        for (String id : (Iterable<String>) () -> names(agent, list)) {
            if (!id.contains("keep")) {
                agent.client().put(deregister + escape(id), new byte[0], PATIENCE);
            }
        }
    }

    private static java.util.Iterator<String> names(LauncherProcess agent, String path) {
        try {
            return get(agent, path).fieldNames();
        } catch (Exception e) {
            throw new IllegalStateException(path, e);
        }
    }

    private static String escape(String segment) {
        return java.net.URLEncoder.encode(segment, UTF_8).replace("+", "%20");
    }

    private static void send(LauncherProcess agent, FuzzInputs inputs, int count, Judge judge)
            throws InterruptedException {
        var todo = new AtomicInteger(count);
        var threads = new ArrayList<Thread>();
        for (int i = 0; i < THREADS; i++) {
            threads.add(
                    Thread.ofPlatform()
                            .start(() -> {
                                var http = new RawHttp(agent.httpPort(), HANG_MILLIS);
                                while (todo.getAndDecrement() > 0 && judge.faults.size() < 20) {
                                    FuzzInputs.Input input;
                                    synchronized (inputs) {
                                        input = inputs.next();
                                    }
                                    judge.judge(
                                            input, http.send(input.bytes(), input.endOfInput()));
                                }
                            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
    }

    /** Decides what answers are faults, and counts. */
    private static final class Judge {
        final Map<String, String> faults = new ConcurrentHashMap<>();
        final Map<String, Integer> kinds = new ConcurrentHashMap<>();
        final Map<Integer, Integer> statuses = new ConcurrentHashMap<>();
        final AtomicInteger sent = new AtomicInteger();
        private final List<Pattern> refusals;

        Judge(List<Pattern> refusals) {
            this.refusals = refusals;
        }

        void judge(FuzzInputs.Input input, RawHttp.Answer answer) {
            sent.incrementAndGet();
            kinds.merge(input.kind(), 1, Integer::sum);
            statuses.merge(answer.status(), 1, Integer::sum);
            String fault = fault(input, answer);
            if (fault != null) {
                // One example of each will do.
                faults.putIfAbsent(fault, input.shown());
            }
        }

        private String fault(FuzzInputs.Input input, RawHttp.Answer answer) {
            int status = answer.status();
            if (status == RawHttp.Answer.HANG) {
                return "hangs";
            }
            if (status == RawHttp.Answer.NONE) {
                return input.wellFormed() ? "closed without an answer" : null;
            }
            String sent = new String(input.bytes(), UTF_8);
            boolean known =
                    switch (status) {
                        case 503 ->
                                sent.contains("/agent/health/service/")
                                        || !answer.header("Retry-After").isEmpty();
                        case 500 ->
                                refusals.stream()
                                                .anyMatch(text ->
                                                        text.matcher(answer.body()).matches())
                                        || answer.body().isEmpty()
                                                && BAD_ESCAPE.matcher(sent).lookingAt();
                        default -> status < 500;
                    };
            return known ? null : status + " \"" + answer.body() + "\"";
        }
    }

    /**
     * Texts that Consul answers with 500: each that was captured, with quoted words and numbers
     * open, and those of the refusals file, which says where each comes from.
     */
    private static List<Pattern> refusals() throws IOException {
        var patterns = new ArrayList<Pattern>();
        for (String line : Files.readAllLines(REFUSALS)) {
            if (!line.isBlank() && !line.startsWith("//")) {
                patterns.add(Pattern.compile(line, Pattern.DOTALL));
            }
        }
        try (Stream<Path> files = Files.list(CAPTURES)) {
            for (Path file : files.toList()) {
                for (JsonNode step : JSON.readTree(file.toFile()).path("steps")) {
                    JsonNode response = step.path("response");
                    String text = response.path("text").asText();
                    if (response.path("status").asInt() == 500 && !text.isEmpty()) {
                        patterns.add(opened(text));
                    }
                }
            }
        }
        return patterns;
    }

    private static Pattern opened(String text) {
        String literal = Pattern.quote(text);
        return Pattern.compile(
                literal.replaceAll("\"[^\"]*\"", "\"\\\\E.*\\\\Q\"")
                        .replaceAll("'[^']*'", "'\\\\E.*\\\\Q'")
                        .replaceAll("\\d+", "\\\\E\\\\d+\\\\Q"),
                Pattern.DOTALL);
    }

    /** Connections that begin a request and then say nothing more, in its head or in its body. */
    private static List<Socket> openSlowSenders(LauncherProcess agent) throws IOException {
        var sockets = new ArrayList<Socket>();
        for (int i = 0; i < SLOW_SENDERS; i++) {
            var socket = new Socket(InetAddress.getLoopbackAddress(), agent.httpPort());
            String begun =
                    switch (i % 4) {
                        case 0 ->
                                "PUT /v1/kv/fz/slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nbeg";
                        case 1 ->
                                "PUT /v1/agent/service/register HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{\"Na";
                        case 2 -> "GET /v1/catalog/nodes HTTP/1.1\r\nHost: loc";
                        default ->
                                "PUT /v1/kv/fz/slow HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nbeg";
                    };
            socket.getOutputStream().write(begun.getBytes(UTF_8));
            sockets.add(socket);
        }
        return sockets;
    }

    /** The agent hangs up on all of them by itself, within its idle time. */
    private static void awaitHungUp(List<Socket> slow) throws IOException {
        await().atMost(45, SECONDS)
                .pollInterval(250, MILLISECONDS)
                .untilAsserted(() ->
                        assertThat(slow)
                                .as("slow senders still connected")
                                .noneMatch(FuzzIT::isConnected));
        for (Socket socket : slow) {
            socket.close();
        }
    }

    private static boolean isConnected(Socket socket) {
        try {
            socket.setSoTimeout(1);
            return socket.getInputStream().read(new byte[4_096]) >= 0;
        } catch (java.net.SocketTimeoutException quiet) {
            return true;
        } catch (IOException reset) {
            return false;
        }
    }

    /** Resident bytes after the agent was made to collect its garbage. */
    private static long residentAfterCollection(LauncherProcess agent) {
        String jcmd = System.getProperty("java.home") + "/bin/jcmd";
        for (int i = 0; i < 3; i++) {
            Launcher.Result result =
                    Launcher.run(List.of(jcmd, Long.toString(agent.pid()), "GC.run"), Map.of(), "");
            assertThat(result.exit()).as(result.all()).isZero();
        }
        return agent.figures().residentBytes();
    }

    private static JsonNode get(LauncherProcess agent, String path)
            throws IOException, InterruptedException {
        var answer = agent.client().get(path, PATIENCE);
        return answer.status() == 404 ? JSON.createArrayNode() : JSON.readTree(answer.body());
    }

    private static void put(LauncherProcess agent, String path, String body)
            throws IOException, InterruptedException {
        var answer = agent.client().put(path, body.replace('\'', '"').getBytes(UTF_8), PATIENCE);
        assertThat(answer.status()).as("PUT %s: %s", path, answer.text()).isEqualTo(200);
    }
}
