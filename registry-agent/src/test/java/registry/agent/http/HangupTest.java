package registry.agent.http;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Parked polls: who hangs up is forgotten, who stays gets every answer, and connections go on as if
 * nothing had been.
 */
class HangupTest {
    private static final String PARK = "/v1/catalog/nodes?wait=300s&index=";

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

    @Test
    void closedAndResetClientsAreForgotten() throws IOException {
        try (Wire closing = api.wire();
                Wire resetting = api.wire();
                Wire staying = api.wire()) {
            for (Wire wire : List.of(closing, resetting, staying)) {
                wire.get(PARK + "7");
            }
            awaitHeld(3);
            closing.close();
            resetting.reset();
            awaitHeld(1);
            api.servers.change();
            assertThat(staying.response().header("X-Consul-Index")).isEqualTo("8");
        }
    }

    @Test
    void aClosedHalfIsAnsweredAtOnceWithWhatIsKnown() throws IOException {
        try (Wire wire = api.wire()) {
            wire.get(PARK + "7");
            awaitHeld(1);
            wire.socket.shutdownOutput();
            var answer = wire.response();
            assertThat(answer.status()).isEqualTo(200);
            assertThat(answer.header("X-Consul-Index")).isEqualTo("7");
            assertThat(wire.isClosed()).isTrue();
        }
    }

    @Test
    void aConnectionParksAgainAndAgain() throws IOException {
        try (Wire wire = api.wire()) {
            for (int index = 7; index < 57; index++) {
                wire.get(PARK + index);
                awaitHeld(1);
                api.servers.change();
                assertThat(wire.response().header("X-Consul-Index")).isEqualTo("" + (index + 1));
            }
            wire.get("/v1/kv/none");
            assertThat(wire.response().status()).isEqualTo(404);
        }
    }

    @Test
    void pipelinedRequestsInOneSegmentAreAnsweredInTurn() throws IOException {
        try (Wire wire = api.wire()) {
            wire.send(
                    head("GET", PARK + "7") + head("GET", PARK + "8") + head("GET", "/v1/kv/none"));
            awaitHeld(1);
            api.servers.change();
            assertThat(wire.response().header("X-Consul-Index")).isEqualTo("8");
            awaitHeld(1);
            api.servers.change();
            assertThat(wire.response().header("X-Consul-Index")).isEqualTo("9");
            assertThat(wire.response().status()).isEqualTo(404);
        }
    }

    @Test
    void pipelinedBytesThatComeWhileParkedAreKept() throws IOException {
        try (Wire wire = api.wire()) {
            String body = "x".repeat(100);
            String next =
                    "PUT /v1/kv/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n"
                            + body;
            wire.send(head("GET", PARK + "7") + next.substring(0, 10));
            awaitHeld(1);
            // Byte by byte, so that the watch sees many of them.
            for (int at = 10; at < 60; at++) {
                wire.send(next.substring(at, at + 1));
            }
            wire.send(next.substring(60));
            api.servers.change();
            assertThat(wire.response().header("X-Consul-Index")).isEqualTo("8");
            assertThat(wire.response().text()).isEqualTo("true");
            assertThat(api.servers.values.get("a")).hasSize(100);
        }
    }

    @Test
    void moreThanTheBufferTakesWaitsForTheAnswer() throws IOException {
        try (Wire wire = api.wire()) {
            wire.get(PARK + "7");
            awaitHeld(1);
            var requests = new StringBuilder();
            for (int n = 0; n < 300; n++) {
                requests.append(head("GET", "/v1/kv/none"));
            }
            wire.send(requests.toString());
            assertThat(api.servers.held).hasSize(1);
            api.servers.change();
            assertThat(wire.response().header("X-Consul-Index")).isEqualTo("8");
            for (int n = 0; n < 300; n++) {
                assertThat(wire.response().status()).isEqualTo(404);
            }
        }
    }

    @Test
    void oldClientsAreAnsweredAndClosed() throws IOException {
        try (Wire wire = api.wire();
                Wire gone = api.wire()) {
            wire.send("GET " + PARK + "7 HTTP/1.0\r\n\r\n");
            gone.send("GET " + PARK + "7 HTTP/1.0\r\n\r\n");
            awaitHeld(2);
            gone.close();
            awaitHeld(1);
            api.servers.change();
            assertThat(wire.response().header("X-Consul-Index")).isEqualTo("8");
            assertThat(wire.isClosed()).isTrue();
        }
    }

    @Test
    void manyWhoHangUpAtOnceAreForgotten() throws IOException {
        var wires = new ArrayList<Wire>();
        for (int n = 0; n < 500; n++) {
            Wire wire = api.wire();
            wires.add(wire);
            wire.get(PARK + "7");
        }
        awaitHeld(500);
        for (Wire wire : wires) {
            wire.close();
        }
        awaitHeld(0);
    }

    @Test
    void aRequestWithABodyMayParkToo() throws IOException {
        try (Wire wire = api.wire()) {
            wire.request("GET", PARK + "7", new byte[10]);
            awaitHeld(1);
            api.servers.change();
            assertThat(wire.response().header("X-Consul-Index")).isEqualTo("8");
            wire.get("/v1/kv/none");
            assertThat(wire.response().status()).isEqualTo(404);
        }
    }

    /**
     * Clients that poll, and now and then drop their connection, while changes come as fast as they
     * can.
     */
    @Test
    void randomClosesAgainstWakesLoseAndMixNothing() throws Exception {
        long seed = new Random().nextLong();
        System.out.println("seed " + seed);
        api.servers.recording = false;
        var wrong = new ConcurrentLinkedQueue<String>();
        var answers = new AtomicLong();
        var kills = new AtomicLong();
        long end = System.nanoTime() + SECONDS.toNanos(3);
        try (var clients = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> all = new ArrayList<>();
            for (int n = 0; n < 64; n++) {
                var random = new Random(seed + n);
                Callable<Void> client = () -> poll(random, end, wrong, answers, kills);
                all.add(clients.submit(client));
            }
            while (System.nanoTime() < end) {
                api.servers.change();
                Thread.yield();
            }
            // The last ones parked are waiting for a change.
            await().atMost(10, SECONDS)
                    .until(() -> {
                        api.servers.change();
                        return all.stream().allMatch(Future::isDone);
                    });
            for (Future<?> one : all) {
                one.get();
            }
        }
        System.out.println(answers + " answers, " + kills + " kills");
        assertThat(wrong).isEmpty();
        assertThat(answers.get()).isGreaterThan(1000);
        assertThat(kills.get()).isGreaterThan(50);
        awaitHeld(0);
    }

    private Void poll(
            Random random,
            long end,
            ConcurrentLinkedQueue<String> wrong,
            AtomicLong answers,
            AtomicLong kills)
            throws IOException {
        while (System.nanoTime() < end) {
            try (Wire wire = api.wire()) {
                long index = api.servers.index.get();
                while (System.nanoTime() < end) {
                    wire.get(PARK + index);
                    if (random.nextInt(10) == 0) {
                        kills.incrementAndGet();
                        if (random.nextBoolean()) {
                            wire.reset();
                        }
                        break;
                    }
                    var answer = wire.response();
                    long next = Long.parseLong(answer.header("X-Consul-Index"));
                    if (answer.status() != 200 || next <= index || !answer.text().equals("[]")) {
                        wrong.add(index + " -> " + answer.headers());
                    }
                    answers.incrementAndGet();
                    index = next;
                }
            }
        }
        return null;
    }

    private static String head(String method, String target) {
        return method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    }
}
