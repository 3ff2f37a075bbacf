package registry.agent.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.util.ArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import registry.agent.http.Feed.Piece;

/** The log as a live answer. */
@Timeout(60)
class MonitorTest {
    private static final String MONITOR = "/v1/agent/monitor";

    private TestApi api;

    @BeforeEach
    void start() throws IOException {
        api = TestApi.start(TestApi.Through.OWN);
    }

    @AfterEach
    void stop() {
        api.close();
    }

    private void log(String line) {
        api.taps.forEach(tap -> tap.accept(line));
    }

    @Test
    void linesComeAsTheyAreLogged() throws IOException {
        try (Wire wire = api.wire()) {
            wire.get(MONITOR);
            // Before any line: the client is to know that it is heard.
            Wire.Response head = wire.head();
            assertThat(head.status()).isEqualTo(200);
            assertThat(head.header("Content-Type")).isEqualTo("text/plain; charset=utf-8");
            assertThat(api.control).containsExactly("log info");
            for (int n = 0; n < 20; n++) {
                log("line " + n + "\n");
                assertThat(new String(wire.chunk(), UTF_8)).isEqualTo("line " + n + "\n");
            }
        }
        await().atMost(10, SECONDS).until(api.taps::isEmpty);
        assertThat(api.http.live()).isZero();
    }

    @Test
    void levelAndFormAreTheClients() throws IOException {
        try (Wire wire = api.wire()) {
            wire.get(MONITOR + "?loglevel=DEBUG&logjson");
            assertThat(wire.head().status()).isEqualTo(200);
            assertThat(api.control).containsExactly("log DEBUG json");
        }
        Wire.Response unknown = api.send("GET", MONITOR + "?loglevel=xyz");
        assertThat(unknown.status()).isEqualTo(400);
        assertThat(unknown.text()).isEqualTo("Bad request: Unknown log level: xyz");
    }

    @Test
    void theEndOfTheAgentEndsIt() throws IOException {
        try (Wire wire = api.wire()) {
            wire.get(MONITOR);
            wire.head();
            api.http.close();
            assertThat(wire.chunk()).isEmpty();
            assertThat(api.taps).isEmpty();
        }
    }

    /** Who reads nothing neither holds up the log nor fills memory. */
    @Test
    void linesThatAreNotTakenInTimeAreDroppedAndCounted() throws IOException {
        var line = "x".repeat(1000) + "\n";
        try (Wire wire = api.wire()) {
            wire.get(MONITOR);
            wire.head();
            int logged = 40_000;
            for (int n = 0; n < logged; n++) {
                log(line);
            }
            var text = new StringBuilder();
            int seen = 0;
            long dropped = 0;
            while (seen + dropped < logged) {
                text.append(new String(wire.chunk(), UTF_8));
                int end = text.lastIndexOf("\n");
                for (String each : text.substring(0, end).split("\n")) {
                    if (each.contains("count=")) {
                        dropped += Long.parseLong(each.replaceAll(".*count=", ""));
                    } else if (!each.isEmpty()) {
                        assertThat(each).hasSize(1000);
                        seen++;
                    }
                }
                text.delete(0, end + 1);
            }
            assertThat(dropped).isPositive();
            assertThat(seen + dropped).isEqualTo(logged);
        }
    }

    @Test
    void whatIsKeptIsBounded() {
        var asked = new ArrayList<String>();
        var feed = new LogFeed(true, () -> asked.add("more"));
        feed.add("first\n");
        for (int n = 0; n < 600; n++) {
            feed.add("x".repeat(700) + "\n");
        }
        // One call is enough for all that has come until it is followed.
        assertThat(asked).hasSize(1);
        if (!(feed.next() instanceof Piece.Bytes(byte[] bytes))) {
            throw new AssertionError("no piece");
        }
        assertThat(bytes).hasSizeLessThan(257 << 10);
        assertThat(new String(bytes, UTF_8))
                .startsWith("first\n")
                .contains("\"@level\":\"warn\"")
                .endsWith("\"count\":227}\n");
        assertThat(feed.next()).isNull();
        feed.close();
        feed.add("late\n");
        assertThat(feed.next()).isNull();
    }
}
