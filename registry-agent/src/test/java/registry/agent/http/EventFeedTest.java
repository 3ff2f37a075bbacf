package registry.agent.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import registry.agent.http.Events.Event;
import registry.api.ApiException;

/** Reads that may block, as server-sent events. */
@Timeout(60)
class EventFeedTest {
    private static final String NODES = "/v1/catalog/nodes";

    private TestApi api;

    @BeforeEach
    void start() throws IOException {
        api = TestApi.start(TestApi.Through.OWN);
    }

    @AfterEach
    void stop() {
        api.close();
    }

    private void awaitHeld(int count) {
        await().atMost(10, SECONDS).until(() -> api.servers.held.size() == count);
    }

    private void change(String body) {
        api.servers.body = body.getBytes(UTF_8);
        api.servers.change();
    }

    @Test
    void eachChangeIsAnEvent() throws IOException {
        try (Events events = Events.of(api, NODES)) {
            assertThat(events.head.status()).isEqualTo(200);
            assertThat(events.head.header("Content-Type")).isEqualTo("text/event-stream");
            assertThat(events.head.header("Cache-Control")).isEqualTo("no-cache");
            assertThat(events.next()).isEqualTo(new Event("update", "7", "[]"));
            for (int n = 8; n < 30; n++) {
                awaitHeld(1);
                change("[" + n + "]");
                assertThat(events.next()).isEqualTo(new Event("update", "" + n, "[" + n + "]"));
            }
        }
    }

    @Test
    void indentedJsonIsSentOnOneLine() throws IOException {
        api.servers.body = "[{\"A\":1}]".getBytes(UTF_8);
        try (Events events = Events.of(api, NODES + "?pretty")) {
            assertThat(events.next().data()).isEqualTo("[{\"A\":1}]");
        }
    }

    @Test
    void anAbsentKeyIsNullUntilItIsThere() throws IOException {
        try (Events events = Events.of(api, "/v1/kv/greeting")) {
            assertThat(events.next()).isEqualTo(new Event("update", "7", "null"));
            awaitHeld(1);
            api.send("PUT", "/v1/kv/greeting", "hello".getBytes(UTF_8));
            assertThat(events.next()).isEqualTo(new Event("update", "8", "\"aGVsbG8=\""));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"7", "3"})
    void goesOnBehindTheLastEvent(String last) throws IOException {
        try (Events header = Events.of(api, NODES, "Last-Event-ID: " + last);
                Events parameter = Events.of(api, NODES + "?index=" + last)) {
            for (Events events : List.of(header, parameter)) {
                if (last.equals("3")) {
                    assertThat(events.next().id()).isEqualTo("7");
                }
            }
            awaitHeld(2);
            api.servers.change();
            assertThat(header.next().id()).isEqualTo("8");
            assertThat(parameter.next().id()).isEqualTo("8");
        }
    }

    @Test
    void theHeaderCountsMoreThanTheUrlThatABrowserComesBackWith() throws IOException {
        try (Events events = Events.of(api, NODES + "?index=3", "Last-Event-ID: 7")) {
            awaitHeld(1);
            api.servers.change();
            assertThat(events.next().id()).isEqualTo("8");
        }
    }

    /** Another cluster's index, or that of a state that was lost: waiting for it could be long. */
    @Test
    void anIndexThatFellIsTold() throws IOException {
        try (Events events = Events.of(api, NODES, "Last-Event-ID: 900")) {
            assertThat(events.next())
                    .isEqualTo(new Event("reset", "7", "{\"Known\":\"900\",\"Index\":\"7\"}"));
            assertThat(events.next()).isEqualTo(new Event("update", "7", "[]"));
            awaitHeld(1);
            api.servers.change();
            assertThat(events.next().id()).isEqualTo("8");
        }
    }

    @Test
    void anIdThatIsNoIndexIsIgnored() throws IOException {
        try (Events events = Events.of(api, NODES, "Last-Event-ID: what")) {
            assertThat(events.next()).isEqualTo(new Event("update", "7", "[]"));
        }
    }

    @Test
    void whatCantBeEventsIsRefused() throws IOException {
        String accept = "Accept: text/event-stream";
        assertThat(api.send("GET", "/v1/kv/a?raw", accept).status()).isEqualTo(400);
        assertThat(api.send("GET", NODES + "?index=x", accept).text()).isEqualTo("Invalid index");
        assertThat(api.send("GET", NODES + "?stale&consistent", accept).status()).isEqualTo(400);
        assertThat(api.send("GET", NODES + "?dc=other", accept).status()).isEqualTo(500);
        assertThat(api.send("GET", "/v1/status/leader", accept).header("Content-Type"))
                .isEqualTo("application/json");
        assertThat(api.http.live()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"*/*", "application/json", "text/event-stream;q=0, */*"})
    void whoDoesNotAskForEventsGetsOneAnswer(String accept) throws IOException {
        assertThat(api.send("GET", NODES, "Accept: " + accept).header("Content-Type"))
                .isEqualTo("application/json");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"text/event-stream; charset=utf-8", "application/json, Text/Event-Stream"})
    void eventsMayBeAskedForInManyWays(String accept) throws IOException {
        try (Wire wire = api.wire()) {
            wire.request("GET", NODES, null, "Accept: " + accept);
            assertThat(wire.head().header("Content-Type")).isEqualTo("text/event-stream");
        }
    }

    @Test
    void heartbeatsComeWhileNothingChanges() throws IOException {
        api.close();
        api = TestApi.start(TestApi.Through.OWN, "{}", Duration.ofMillis(120));
        try (Events events = Events.of(api, NODES)) {
            assertThat(events.next().name()).isEqualTo("update");
            for (int n = 0; n < 5; n++) {
                assertThat(events.block()).isEqualTo(new Event(":", "", ""));
            }
            awaitHeld(1);
            api.servers.change();
            assertThat(events.next().id()).isEqualTo("8");
        }
    }

    @Test
    void whoHangsUpIsForgotten() throws IOException {
        try (Events closing = Events.of(api, NODES);
                Events resetting = Events.of(api, NODES);
                Events staying = Events.of(api, NODES)) {
            for (Events events : List.of(closing, resetting, staying)) {
                assertThat(events.next().id()).isEqualTo("7");
            }
            awaitHeld(3);
            closing.close();
            resetting.wire.reset();
            awaitHeld(1);
            await().atMost(10, SECONDS).until(() -> api.http.live() == 1);
            api.servers.change();
            assertThat(staying.next().id()).isEqualTo("8");
        }
        await().atMost(10, SECONDS).until(() -> api.http.live() == 0);
    }

    @Test
    void aClosedHalfEndsTheStreamAsComplete() throws IOException {
        try (Events events = Events.of(api, NODES)) {
            assertThat(events.next().id()).isEqualTo("7");
            events.wire.socket.shutdownOutput();
            assertThat(events.next()).isNull();
            assertThat(events.wire.isClosed()).isTrue();
        }
    }

    @Test
    void theEndOfTheAgentEndsTheStreamAsComplete() throws IOException {
        try (Events events = Events.of(api, NODES)) {
            assertThat(events.next().id()).isEqualTo("7");
            api.http.close();
            assertThat(events.next()).isNull();
            assertThat(api.http.live()).isZero();
        }
    }

    /** Its states are skipped, not collected; the others do not notice. */
    @Test
    void whoReadsNothingMissesWhatIsOldAndHoldsUpNobody() throws IOException {
        String much = "\"" + "x".repeat(1 << 20) + "\"";
        try (Events slow = Events.of(api, NODES);
                Events quick = Events.of(api, NODES)) {
            assertThat(slow.next().id()).isEqualTo("7");
            assertThat(quick.next().id()).isEqualTo("7");
            long asked = api.servers.asked.size();
            for (int n = 8; n < 108; n++) {
                await().atMost(10, SECONDS).until(() -> !api.servers.held.isEmpty());
                change("[" + n + "," + much + "]");
                assertThat(quick.next().id()).isEqualTo("" + n);
            }
            // The quick one asked a hundred times; the slow one while its socket took something.
            assertThat(api.servers.asked.size() - asked).isBetween(100L, 160L);
            var seen = new ArrayList<String>();
            for (Event event = slow.next(); ; event = slow.next()) {
                seen.add(event.id());
                if (event.id().equals("107")) {
                    assertThat(event.data()).startsWith("[107,");
                    break;
                }
            }
            assertThat(seen.size()).isLessThan(60);
        }
    }

    /** Whose state moves all the time must not keep a thread for itself. */
    @Test
    void manyStreamsOfWhatChangesAllTheTimeAllGoOn() throws Exception {
        var on = new AtomicBoolean(true);
        var streams = new ArrayList<Events>();
        try (var changer = Executors.newVirtualThreadPerTaskExecutor()) {
            changer.execute(() -> {
                while (on.get()) {
                    api.servers.change();
                    Thread.yield();
                }
            });
            try {
                for (int n = 0; n < 20; n++) {
                    streams.add(Events.of(api, NODES));
                }
                for (Events events : streams) {
                    long last = 0;
                    for (int n = 0; n < 20; n++) {
                        long id = Long.parseLong(events.next().id());
                        assertThat(id).isGreaterThan(last);
                        last = id;
                    }
                }
            } finally {
                on.set(false);
                for (Events events : streams) {
                    events.close();
                }
            }
        }
    }

    @Test
    void aFailureIsToldAndTheNextUpdateEndsIt() throws IOException {
        try (Events events = Events.of(api, NODES)) {
            assertThat(events.next().id()).isEqualTo("7");
            awaitHeld(1);
            api.servers.failure = ApiException.noLeader();
            api.servers.change();
            assertThat(events.next().id()).isEqualTo("8");
            assertThat(events.next()).isEqualTo(new Event("failure", "", "\"No cluster leader\""));
            api.servers.failure = null;
            assertThat(events.next()).isEqualTo(new Event("update", "8", "[]"));
        }
    }

    /** A browser that sees an error gives its stream up for good. */
    @Test
    void whoComesBackIsToldOfAFailureInTheStream() throws IOException {
        api.servers.failure = ApiException.noLeader();
        assertThat(api.send("GET", NODES, "Accept: text/event-stream").status()).isEqualTo(500);
        try (Events events = Events.of(api, NODES, "Last-Event-ID: 7")) {
            assertThat(events.head.status()).isEqualTo(200);
            assertThat(events.next().name()).isEqualTo("failure");
            api.servers.failure = null;
            assertThat(events.next()).isEqualTo(new Event("update", "7", "[]"));
        }
    }

    @Test
    void aServiceOfThisAgentStandsAtItsHash() throws IOException {
        register("8080");
        try (Events events = Events.of(api, "/v1/agent/service/web")) {
            Event first = events.next();
            assertThat(first.data()).contains("8080");
            register("9090");
            Event second = events.next();
            assertThat(second.data()).contains("9090");
            assertThat(second.id()).isNotEmpty().isNotEqualTo(first.id());
            api.send("PUT", "/v1/agent/service/deregister/web");
            assertThat(events.next().name()).isEqualTo("failure");
            register("9090");
            assertThat(events.next().id()).isEqualTo(second.id());
        }
    }

    private void register(String port) throws IOException {
        String body = "{\"Name\":\"web\",\"Port\":" + port + "}";
        assertThat(api.send("PUT", "/v1/agent/service/register", body.getBytes(UTF_8)).status())
                .isEqualTo(200);
    }

    @Test
    void oldClientsGetAStreamThatEndsWithItsConnection() throws IOException {
        try (Wire wire = api.wire()) {
            wire.send("GET " + NODES + " HTTP/1.0\r\nAccept: text/event-stream\r\n\r\n");
            assertThat(wire.head().status()).isEqualTo(200);
            awaitHeld(1);
            api.http.close();
            assertThat(wire.rest()).startsWith("retry: ").contains("id: 7\ndata: []\n\n");
        }
    }
}
