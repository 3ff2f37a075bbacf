package registry.agent.coordinate;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import registry.agent.check.ManualTimers;
import registry.api.ApiException;
import registry.api.Coordinate;
import registry.api.NodeCoordinate;
import registry.server.rpc.Method;
import registry.server.rpc.Question;
import registry.server.rpc.Servers;

class CoordinateSenderTest {
    private final ManualTimers timers = new ManualTimers();
    private final List<NodeCoordinate> sent = new CopyOnWriteArrayList<>();
    private volatile boolean down;

    private final Servers servers =
            new Servers() {
                @Override
                public <Q, A> A call(Method<Q, A> method, Q request) {
                    sent.add((NodeCoordinate) request);
                    if (down) {
                        throw ApiException.noLeader();
                    }
                    return method.answer().cast(true);
                }

                @Override
                public Held ask(Question question, Listener listener) {
                    throw new UnsupportedOperationException();
                }

                @Override
                public String leader() {
                    return "";
                }

                @Override
                public List<String> peers() {
                    return List.of();
                }
            };

    private CoordinateSender sender(int members) {
        return new CoordinateSender(
                "n1", new Vivaldi(new Random(1)), servers, timers, () -> members, new Random(1));
    }

    @Test
    void itTellsSoonAndThenAgainAlsoWhenNobodyListens() {
        try (CoordinateSender sender = sender(1)) {
            sender.start();
            for (int times = 1; times <= 3; times++) {
                int expected = times;
                down = times == 2;
                await().atMost(10, SECONDS)
                        .untilAsserted(() -> {
                            timers.advance(Duration.ofSeconds(1));
                            assertThat(sent).hasSizeGreaterThanOrEqualTo(expected);
                        });
            }
        }
        assertThat(sent.getFirst()).isEqualTo(new NodeCoordinate("n1", "", Coordinate.ORIGIN));
    }

    @Test
    void manyNodesTellItLessOften() {
        try (CoordinateSender few = sender(100);
                CoordinateSender many = sender(6_400)) {
            assertThat(few.interval()).isBetween(Duration.ofSeconds(15), Duration.ofSeconds(19));
            assertThat(many.interval()).isBetween(Duration.ofSeconds(100), Duration.ofSeconds(125));
        }
    }
}
