package registry.agent.coordinate;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import registry.api.Coordinate;

/**
 * Finds this node's coordinate: each round trip to another member is a spring between the two that
 * pulls or pushes this one, the more, the surer the other is of its place. Any thread may call it.
 *
 * <p>The algorithm with heights is of Dabek et al. (Vivaldi, SIGCOMM 2004); the adjustment by
 * recent errors, the filter of single delays and the pull to the origin are of Ledlie et al.
 * (Network Coordinates in the Wild, NSDI 2007) and Lee et al. (2010). The constants are Serf's, so
 * that figures mean the same.
 */
public final class Vivaldi {
    private static final double ERROR_WEIGHT = 0.25;
    private static final double MOVE_WEIGHT = 0.25;
    private static final int ADJUSTMENT_WINDOW = 20;
    private static final int FILTERED = 3;
    private static final double GRAVITY_SECONDS = 150;
    private static final double ALMOST_ZERO = 1e-6;
    private static final double MAX_SECONDS = 10;

    private final RandomGenerator random;
    private final double[] differences = new double[ADJUSTMENT_WINDOW];
    private final Map<String, Deque<Double>> recent = new Recent();
    private Coordinate own = Coordinate.ORIGIN;
    private int next;
    private int resets;

    /** By member; those not heard of for the longest time go when there are many. */
    private static final class Recent extends LinkedHashMap<String, Deque<Double>> {
        private static final long serialVersionUID = 1L;
        private static final int MOST = 4096;

        Recent() {
            super(16, 0.75f, true);
        }

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Deque<Double>> eldest) {
            return size() > MOST;
        }
    }

    public Vivaldi(RandomGenerator random) {
        this.random = random;
    }

    /** Where this node is now. */
    public synchronized Coordinate own() {
        return own;
    }

    /** How often this node had to begin anew. */
    synchronized int resets() {
        return resets;
    }

    /**
     * Takes a measured round trip into account. What cannot be true is not: a coordinate that no
     * node could have, a time out of all reason.
     */
    public synchronized void accept(String member, Duration roundTrip, Coordinate theirs) {
        double measured = roundTrip.toNanos() / 1e9;
        if (measured < 0 || measured > MAX_SECONDS || !isBelievable(theirs)) {
            return;
        }
        double seconds = Math.max(ALMOST_ZERO, median(member, measured));
        Coordinate moved = adjusted(pulled(sprung(seconds, theirs)), seconds, theirs);
        if (moved.isUsable()) {
            own = moved;
        } else {
            own = Coordinate.ORIGIN;
            Arrays.fill(differences, 0);
            resets++;
        }
    }

    /** Whoever says to be where no round trip reaches would only fling this node away. */
    private static boolean isBelievable(Coordinate theirs) {
        return theirs.isUsable()
                && theirs.error() >= 0
                && theirs.height() >= 0
                && Math.abs(theirs.adjustment()) <= MAX_SECONDS
                && theirs.rawSecondsTo(Coordinate.ORIGIN) <= MAX_SECONDS;
    }

    /** Of the last few: one delayed packet says nothing of the way. */
    private double median(String member, double seconds) {
        Deque<Double> last = recent.computeIfAbsent(member, first -> new ArrayDeque<>(FILTERED));
        if (last.size() == FILTERED) {
            last.removeFirst();
        }
        last.addLast(seconds);
        return last.stream().sorted().skip(last.size() / 2).findFirst().orElse(seconds);
    }

    private Coordinate sprung(double seconds, Coordinate theirs) {
        double distance = own.secondsTo(theirs);
        double wrong = Math.abs(distance - seconds) / seconds;
        double errors = Math.max(ALMOST_ZERO, own.error() + theirs.error());
        double share = own.error() / errors;
        double error =
                Math.min(
                        Coordinate.MAX_ERROR,
                        own.error() * (1 - ERROR_WEIGHT * share) + wrong * ERROR_WEIGHT * share);
        return moved(own, error, MOVE_WEIGHT * share * (seconds - distance), theirs);
    }

    /** Towards the origin, ever so little: else all of the members would drift away together. */
    private Coordinate pulled(Coordinate from) {
        double far = Coordinate.ORIGIN.secondsTo(from) / GRAVITY_SECONDS;
        return moved(from, from.error(), -far * far, Coordinate.ORIGIN);
    }

    /** Half the mean of what the space got wrong of late; the other side adds its half. */
    private Coordinate adjusted(Coordinate from, double seconds, Coordinate theirs) {
        differences[next] = seconds - from.rawSecondsTo(theirs);
        next = (next + 1) % ADJUSTMENT_WINDOW;
        double adjustment = Arrays.stream(differences).sum() / (2 * ADJUSTMENT_WINDOW);
        return new Coordinate(from.vec(), from.error(), adjustment, from.height());
    }

    /**
     * @param by seconds, away from {@code other}
     */
    private Coordinate moved(Coordinate from, double error, double by, Coordinate other) {
        double[] direction = new double[Coordinate.DIMENSIONS];
        double length = direction(from, other, direction);
        List<Double> vec = new ArrayList<>(Coordinate.DIMENSIONS);
        for (int i = 0; i < direction.length; i++) {
            vec.add(from.vec().get(i) + direction[i] * by);
        }
        double height = from.height();
        if (length > ALMOST_ZERO) {
            height += (height + other.height()) * by / length;
        }
        return new Coordinate(
                vec, error, from.adjustment(), Math.max(Coordinate.MIN_HEIGHT, height));
    }

    /**
     * Fills in the unit vector away from {@code other}; a random one when both are in one place.
     */
    private double direction(Coordinate from, Coordinate other, double[] unit) {
        for (int i = 0; i < unit.length; i++) {
            unit[i] = from.vec().get(i) - other.vec().get(i);
        }
        double length = length(unit);
        double divisor = length;
        while (divisor <= ALMOST_ZERO) {
            Arrays.setAll(unit, i -> random.nextDouble() - 0.5);
            divisor = length(unit);
        }
        for (int i = 0; i < unit.length; i++) {
            unit[i] /= divisor;
        }
        return length;
    }

    private static double length(double[] vector) {
        return Math.sqrt(Arrays.stream(vector).map(x -> x * x).sum());
    }
}
