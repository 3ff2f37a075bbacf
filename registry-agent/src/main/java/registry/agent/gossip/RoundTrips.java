package registry.agent.gossip;

import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;
import org.jgroups.Address;
import org.jspecify.annotations.Nullable;
import registry.agent.gossip.Datagram.Place;
import registry.api.Coordinate;

/**
 * Measures the way to a member every second: one question at a time, whose stamp the answer has to
 * bring back.
 */
final class RoundTrips {
    private static final long PERIOD_MILLIS = 1_000;

    private final Distances distances;
    private final Function<String, Optional<String>> names;
    private volatile @Nullable Question last;
    private long due; // ticking thread only

    private record Question(Address asked, long stamp) {}

    /**
     * @param names finds a member's name by the address of its process
     */
    RoundTrips(Distances distances, Function<String, Optional<String>> names) {
        this.distances = distances;
        this.names = names;
    }

    /**
     * @param now milliseconds
     */
    boolean isDue(long now) {
        if (now < due || distances.own() == null) {
            return false;
        }
        due = now + PERIOD_MILLIS;
        return true;
    }

    Place question(Address member) {
        var question = new Question(member, System.nanoTime());
        last = question;
        return new Place(question.stamp(), own());
    }

    Place answer(@Nullable Place question) {
        return new Place(question == null ? 0 : question.stamp(), own());
    }

    private Coordinate own() {
        Coordinate own = distances.own();
        return own == null ? Coordinate.ORIGIN : own;
    }

    void answered(Address by, @Nullable Place answer) {
        long now = System.nanoTime();
        Question question = last;
        if (answer == null
                || question == null
                || answer.stamp() != question.stamp()
                || !question.asked().equals(by)) {
            return;
        }
        last = null;
        names.apply(Via.of(by))
                .ifPresent(name ->
                        distances.accept(
                                name, Duration.ofNanos(now - answer.stamp()), answer.at()));
    }
}
