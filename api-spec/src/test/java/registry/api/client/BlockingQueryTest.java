package registry.api.client;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BlockingQueryTest {
    private final List<AutoCloseable> opened = new ArrayList<>();
    private final Queue<String> asked = new ConcurrentLinkedQueue<>();
    private final Queue<String> heard = new ConcurrentLinkedQueue<>();
    private Thread thread;

    @AfterEach
    void end() throws Exception {
        if (thread != null) {
            thread.interrupt();
            thread.join();
        }
        for (AutoCloseable one : opened) {
            one.close();
        }
    }

    /**
     * An agent that gives these answers one after the other, then none any more; {@code index} or
     * {@code status/index}.
     */
    private URI agent(String... answers) throws IOException {
        var server =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        Queue<String> left = new ConcurrentLinkedQueue<>(Arrays.asList(answers));
        server.createContext(
                "/",
                exchange -> {
                    asked.add(exchange.getRequestURI().getRawQuery());
                    String answer = left.poll();
                    if (answer == null) {
                        return;
                    }
                    String[] parts = answer.split("/");
                    String index = parts[parts.length - 1];
                    if (!index.equals("none")) {
                        exchange.getResponseHeaders().set("X-Consul-Index", index);
                    }
                    byte[] body = ("body " + answer).getBytes(StandardCharsets.UTF_8);
                    exchange.sendResponseHeaders(
                            parts.length == 2 ? Integer.parseInt(parts[0]) : 200, body.length);
                    exchange.getResponseBody().write(body);
                    exchange.close();
                });
        server.start();
        opened.add(() -> server.stop(0));
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    private void follow(Duration wait, URI... agents) {
        List<RegistryClient> clients = new ArrayList<>();
        for (URI agent : agents) {
            var client = new RegistryClient(agent, null);
            clients.add(client);
            opened.add(client);
        }
        var listener =
                new BlockingQuery.Listener() {
                    @Override
                    public void answered(URI agent, RegistryClient.Answer answer) {
                        heard.add(answer.text());
                        if (answer.text().contains("13")) {
                            throw new IllegalStateException("unlucky");
                        }
                    }

                    @Override
                    public void failed(URI agent, String why) {
                        heard.add("failed: " + why);
                    }
                };
        var query =
                new BlockingQuery(
                        clients,
                        "/v1/health/service/web?passing",
                        wait,
                        new SplittableRandom(1),
                        listener);
        thread = Thread.ofVirtual().start(query);
    }

    private List<String> indexes() {
        return asked.stream().map(query -> query.replaceAll(".*index=(\\d+)", "$1")).toList();
    }

    private void awaitIndexes(String... indexes) {
        await().atMost(10, SECONDS)
                .untilAsserted(() -> assertThat(indexes()).containsExactly(indexes));
    }

    @Test
    void asksWithTheIndexOfTheLastAnswer() throws IOException {
        follow(Duration.ofSeconds(30), agent("5", "7", "7"));
        awaitIndexes("0", "5", "7", "7");
        assertThat(asked.peek()).isEqualTo("passing&wait=30s&index=0");
        assertThat(heard).containsExactly("body 5", "body 7", "body 7");
    }

    @Test
    void anIndexThatGoesBackBeginsAnew() throws IOException {
        follow(Duration.ofSeconds(30), agent("50", "3", "3"));
        awaitIndexes("0", "50", "0", "3");
    }

    @Test
    void anIndexBelowOneCountsAsOne() throws IOException {
        follow(Duration.ofSeconds(30), agent("0"));
        awaitIndexes("0", "1");
    }

    @Test
    void anErrorIsReportedAndTheQueryBeginsAnew() throws IOException {
        follow(Duration.ofSeconds(30), agent("5", "500/none", "6"));
        awaitIndexes("0", "5", "0", "6");
        assertThat(heard).containsExactly("body 5", "failed: status 500: body 500/none", "body 6");
    }

    @Test
    void anAbsentKeyIsAnAnswer() throws IOException {
        follow(Duration.ofSeconds(30), agent("404/8"));
        awaitIndexes("0", "8");
        assertThat(heard).containsExactly("body 404/8");
    }

    @Test
    void anAnswerWithoutIndexDoesNotSpin() throws IOException {
        follow(Duration.ofSeconds(30), agent("none", "4"));
        awaitIndexes("0", "0", "4");
        assertThat(heard).contains("failed: the answer lacks X-Consul-Index");
    }

    @Test
    void aListenerThatThrowsIsToldAndAskedAgain() throws IOException {
        follow(Duration.ofSeconds(30), agent("13", "14"));
        awaitIndexes("0", "0", "14");
        assertThat(heard).containsExactly("body 13", "failed: unlucky", "body 14");
    }

    @Test
    void anotherAgentIsAskedAtOnce() throws IOException {
        URI dead;
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            dead = URI.create("http://127.0.0.1:" + socket.getLocalPort());
        }
        follow(Duration.ofSeconds(30), dead, agent("5"));
        awaitIndexes("0", "5");
    }

    /** A frozen agent holds its connections open and never answers. */
    @Test
    void anAgentThatIsSilentForLongerThanItsWaitIsLeft() throws IOException {
        URI frozen = agent("5");
        follow(Duration.ofSeconds(1), frozen, agent("9"));
        awaitIndexes("0", "5", "0", "9");
        assertThat(heard).contains("failed: no answer within 2.0625s");
    }
}
