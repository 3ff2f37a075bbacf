package registry.agent.gossip;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import registry.api.Coordinate;

/** Takes in round trips to other members, and says where this node is. Any thread calls it. */
public interface Distances {
    /** Where this node is; null: nothing is to be measured. */
    @Nullable Coordinate own();

    /** A round trip to a member that says to be there. Does not block. */
    void accept(String member, Duration roundTrip, Coordinate theirs);

    /** Wants to know of none. */
    static Distances none() {
        return new Distances() {
            @Override
            public @Nullable Coordinate own() {
                return null;
            }

            @Override
            public void accept(String member, Duration roundTrip, Coordinate theirs) {}
        };
    }
}
