package registry.agent.gossip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static registry.agent.gossip.TestNode.awaitAll;
import static registry.agent.gossip.TestNode.freePort;
import static registry.agent.gossip.TestNode.node;
import static registry.agent.gossip.TestNode.start;

import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jgroups.util.UUID;
import org.junit.jupiter.api.Test;
import registry.agent.gossip.Datagram.Place;
import registry.agent.gossip.seal.Keyring;
import registry.api.Coordinate;

class RoundTripsTest {
    private static final String KEY = "pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s=";
    private static final Coordinate HERE = at(1);
    private static final Coordinate THERE = at(2);

    private static Coordinate at(double seconds) {
        return new Coordinate(
                Collections.nCopies(Coordinate.DIMENSIONS, seconds), 0.5, -0.25, 1e-4);
    }

    /** Remembers what it is told. */
    private record Recording(Coordinate own, Queue<String> told) implements Distances {
        Recording(Coordinate own) {
            this(own, new ConcurrentLinkedQueue<>());
        }

        @Override
        public void accept(String member, Duration roundTrip, Coordinate theirs) {
            assertThat(roundTrip).isPositive().isLessThan(Duration.ofSeconds(2));
            told.add(member + " at " + theirs.vec().getFirst());
        }
    }

    @Test
    void membersLearnHowFarTheOthersAreSealedOrNot() throws Exception {
        for (Keyring ring : List.of(Keyring.off(), Keyring.open(KEY, null, true, true))) {
            var here = new Recording(HERE);
            var there = new Recording(THERE);
            int first = freePort();
            try (var n1 = start(node("n1", first).with(ring).telling(here));
                    var n2 = start(node("n2", freePort(), first).with(ring).telling(there))) {
                awaitAll(List.of(n1, n2), 2);
                await().untilAsserted(() -> {
                    assertThat(here.told()).contains("n2 at 2.0");
                    assertThat(there.told()).contains("n1 at 1.0");
                });
            }
        }
    }

    @Test
    void onlyTheAnswerToTheLastQuestionCounts() {
        var told = new Recording(HERE);
        var trips = new RoundTrips(told, via -> Optional.of("n2"));
        var n2 = UUID.randomUUID();
        Place question = trips.question(n2);
        trips.answered(n2, new Place(question.stamp() - 1, THERE));
        trips.answered(UUID.randomUUID(), new Place(question.stamp(), THERE));
        assertThat(told.told()).isEmpty();
        trips.answered(n2, new Place(question.stamp(), THERE));
        trips.answered(n2, new Place(question.stamp(), THERE));
        assertThat(told.told()).containsExactly("n2 at 2.0");
    }
}
