package registry.api;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.databind.annotation.JsonSerialize;
import java.util.Collections;
import java.util.List;
import registry.api.json.GoFloat;

/**
 * Where a node is in a space in which distances are round trips, in seconds. Immutable. Source:
 * Dabek, Cox, Kaashoek, Morris: Vivaldi, SIGCOMM 2004; developer.hashicorp.com, network coordinates
 *
 * @param vec in the space of {@link #DIMENSIONS}
 * @param error how far off its distances are expected to be, as a part of them
 * @param adjustment added to a distance: what the space cannot express
 * @param height the way from the node to the space, as that over an access link
 */
public record Coordinate(
        @JsonSerialize(contentUsing = GoFloat.class) List<Double> vec,
        @JsonSerialize(using = GoFloat.class) double error,
        @JsonSerialize(using = GoFloat.class) double adjustment,
        @JsonSerialize(using = GoFloat.class) double height) {
    public static final int DIMENSIONS = 8;
    public static final double MAX_ERROR = 1.5;
    public static final double MIN_HEIGHT = 10e-6;

    /** That of a node that has measured nothing yet. */
    public static final Coordinate ORIGIN =
            new Coordinate(Collections.nCopies(DIMENSIONS, 0.0), MAX_ERROR, 0, MIN_HEIGHT);

    public Coordinate {
        vec = List.copyOf(vec);
    }

    /** Whether distances to it can be computed: of our space, and all of it finite. */
    @JsonIgnore
    public boolean isUsable() {
        return vec.size() == DIMENSIONS
                && vec.stream().allMatch(Double::isFinite)
                && Double.isFinite(error)
                && Double.isFinite(adjustment)
                && Double.isFinite(height);
    }

    /** The round trip to be expected, in seconds, without the adjustments. */
    public double rawSecondsTo(Coordinate other) {
        double squares = 0;
        for (int i = 0; i < vec.size(); i++) {
            double difference = vec.get(i) - other.vec.get(i);
            squares += difference * difference;
        }
        return Math.sqrt(squares) + height + other.height;
    }

    /** The round trip to be expected, in seconds; both must be usable. */
    public double secondsTo(Coordinate other) {
        double raw = rawSecondsTo(other);
        double adjusted = raw + adjustment + other.adjustment;
        return adjusted > 0 ? adjusted : raw;
    }
}
