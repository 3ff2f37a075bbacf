package registry.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Reads as streams of events, of a packaged agent and seen by curl. */
@Timeout(120)
final class SseIT {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final ObjectMapper JSON = new ObjectMapper();

    /** What curl prints, line by line. */
    private static final class Curl implements AutoCloseable {
        private final Process process;
        private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

        Curl(LauncherProcess agent, String path, String... headers) throws IOException {
            var command = new ArrayList<>(List.of("curl", "-sSfN", "-H"));
            command.add("Accept: text/event-stream");
            for (String header : headers) {
                command.addAll(List.of("-H", header));
            }
            command.add(agent.http() + path);
            process = new ProcessBuilder(command).redirectErrorStream(true).start();
            Thread.startVirtualThread(this::read);
        }

        private void read() {
            try (BufferedReader reader = process.inputReader(UTF_8)) {
                for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                    lines.add(line);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** The rest of the next line that begins so. */
        String next(String start) throws InterruptedException {
            while (true) {
                String line = lines.poll(PATIENCE.toSeconds(), SECONDS);
                assertThat(line).as("a line " + start).isNotNull();
                if (line.startsWith(start)) {
                    return line.substring(start.length());
                }
            }
        }

        long nextId() throws InterruptedException {
            return Long.parseLong(next("id: "));
        }

        JsonNode nextData() throws InterruptedException, IOException {
            return JSON.readTree(next("data: "));
        }

        int exit() throws InterruptedException {
            assertThat(process.waitFor(PATIENCE.toSeconds(), SECONDS)).isTrue();
            return process.exitValue();
        }

        @Override
        public void close() {
            process.destroyForcibly();
        }
    }

    @Test
    void aServiceIsSeenToComeAndToGo() throws Exception {
        try (LauncherProcess agent = LauncherProcess.agent().start();
                Curl curl = new Curl(agent, "/v1/health/service/web?passing")) {
            assertThat(curl.nextData()).isEmpty();
            put(
                    agent,
                    "/v1/agent/service/register",
                    "{\"Name\":\"web\",\"Check\":{\"TTL\":\"1h\"}}");
            put(agent, "/v1/agent/check/pass/service:web", "");
            await().atMost(PATIENCE).until(() -> curl.nextData().size() == 1);
            put(agent, "/v1/agent/check/fail/service:web", "");
            assertThat(curl.nextData()).isEmpty();
        }
    }

    @Test
    void restartsAreSurvivedAndALostStateIsTold(@TempDir Path folder) throws Exception {
        Path data = folder.resolve("data");
        try (LauncherProcess agent = LauncherProcess.agent().dataDir(data).start()) {
            for (int n = 0; n < 50; n++) {
                put(agent, "/v1/kv/seen", "" + n);
            }
            long seen;
            try (Curl curl = new Curl(agent, "/v1/kv/seen")) {
                seen = curl.nextId();
                agent.signal("TERM");
                assertThat(curl.exit()).as("the stream ends as a complete answer").isZero();
            }
            agent.awaitExit(PATIENCE);
            agent.restart();
            try (Curl curl = new Curl(agent, "/v1/kv/seen", "Last-Event-ID: " + seen)) {
                curl.next("retry: ");
                put(agent, "/v1/kv/seen", "after");
                assertThat(curl.next("event: ")).isEqualTo("update");
                assertThat(curl.nextId()).isGreaterThan(seen);
            }
            agent.kill();
            remove(data);
            agent.restart();
            try (Curl curl = new Curl(agent, "/v1/kv/seen", "Last-Event-ID: " + seen)) {
                assertThat(curl.next("event: ")).isEqualTo("reset");
                assertThat(curl.next("event: ")).isEqualTo("update");
                assertThat(curl.nextId()).isLessThan(seen);
                assertThat(curl.nextData().isNull()).isTrue();
            }
        }
    }

    private static void remove(Path folder) throws IOException {
        try (var files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    /** Thousands of browsers that go leave nothing behind. */
    @Test
    void whoHangsUpLeavesNothingBehind() throws Exception {
        try (LauncherProcess agent = LauncherProcess.agent().start()) {
            long before = openFiles(agent);
            var clients = new ArrayList<Socket>();
            for (int n = 0; n < 500; n++) {
                var client = new Socket(InetAddress.getLoopbackAddress(), agent.httpPort());
                clients.add(client);
                String request =
                        "GET /v1/catalog/nodes HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n";
                client.getOutputStream().write(request.getBytes(UTF_8));
                assertThat(client.getInputStream().readNBytes(12)).asString().endsWith("200");
            }
            assertThat(openFiles(agent)).isGreaterThanOrEqualTo(before + 500);
            for (Socket client : clients) {
                client.close();
            }
            await().atMost(PATIENCE).until(() -> openFiles(agent) <= before + 5);
        }
    }

    private static long openFiles(LauncherProcess agent) throws IOException {
        try (var files = Files.list(Path.of("/proc", "" + agent.pid(), "fd"))) {
            return files.count();
        }
    }

    private static void put(LauncherProcess agent, String path, String body) throws Exception {
        var answer = agent.client().put(path, body.getBytes(UTF_8), PATIENCE);
        assertThat(answer.status()).as(answer.text()).isEqualTo(200);
    }
}
