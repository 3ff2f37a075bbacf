package registry.agent.coordinate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import registry.api.Coordinate;

/** Networks of known delays: after some rounds the coordinates foretell them. */
class VivaldiTest {
    private static final long SEED = Long.getLong("registry.vivaldi.seed", 4711);

    /** True round trips, in seconds. */
    private interface Network {
        double seconds(int from, int to);
    }

    private final Random random = new Random(SEED);

    private List<Vivaldi> nodes(int count) {
        return Stream.generate(() -> new Vivaldi(random)).limit(count).toList();
    }

    /** Each round every node measures to one other. */
    private void run(List<Vivaldi> nodes, Network network, int rounds, double jitter) {
        for (int round = 0; round < rounds; round++) {
            for (int i = 0; i < nodes.size(); i++) {
                int other = random.nextInt(nodes.size());
                if (other != i) {
                    double seconds = network.seconds(i, other) * (1 + jitter * random.nextDouble());
                    accept(nodes.get(i), other, seconds, nodes.get(other).own());
                }
            }
        }
    }

    private static void accept(Vivaldi node, int other, double seconds, Coordinate theirs) {
        node.accept("m" + other, Duration.ofNanos((long) (seconds * 1e9)), theirs);
    }

    /** The relative errors of all pairs, ascending. */
    private static double[] errors(List<Vivaldi> nodes, Network network) {
        List<Double> errors = new ArrayList<>();
        for (int i = 0; i < nodes.size(); i++) {
            for (int j = 0; j < i; j++) {
                double expected = nodes.get(i).own().secondsTo(nodes.get(j).own());
                double truth = network.seconds(i, j);
                errors.add(Math.abs(expected - truth) / truth);
            }
        }
        return errors.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    }

    private static double quantile(double[] sorted, double part) {
        return sorted[(int) (part * (sorted.length - 1))];
    }

    @Test
    void nodesOnAGridFindTheirDistances() {
        Network grid =
                (from, to) -> 0.010 * Math.max(1, Math.hypot(from / 5 - to / 5, from % 5 - to % 5));
        List<Vivaldi> nodes = nodes(25);
        run(nodes, grid, 1_000, 0);
        double[] errors = errors(nodes, grid);
        assertThat(quantile(errors, 0.5))
                .as("seed %d: %s", SEED, Arrays.toString(errors))
                .isLessThan(0.05);
        assertThat(quantile(errors, 0.95)).as("seed %d", SEED).isLessThan(0.25);
    }

    @Test
    void twoSitesWithSlowAccessLinksAreToldApartThroughJitter() {
        IntToDoubleFunction access = node -> 0.0005 * (1 + node % 4);
        Network sites =
                (from, to) ->
                        access.applyAsDouble(from)
                                + access.applyAsDouble(to)
                                + (from % 2 == to % 2 ? 0.001 : 0.050);
        List<Vivaldi> nodes = nodes(16);
        run(nodes, sites, 2_000, 0.1);
        for (int i = 0; i < nodes.size(); i++) {
            for (int j = 0; j < i; j++) {
                double expected = nodes.get(i).own().secondsTo(nodes.get(j).own());
                if (i % 2 == j % 2) {
                    assertThat(expected).as("seed %d: %d to %d", SEED, i, j).isLessThan(0.015);
                } else {
                    assertThat(expected)
                            .as("seed %d: %d to %d", SEED, i, j)
                            .isBetween(0.040, 0.065);
                }
            }
        }
    }

    @Test
    void itFollowsANetworkThatHasChanged() {
        List<Vivaldi> nodes = nodes(8);
        run(nodes, (from, to) -> 0.005, 500, 0);
        run(nodes, (from, to) -> 0.050, 1_000, 0);
        assertThat(quantile(errors(nodes, (from, to) -> 0.050), 0.5))
                .as("seed %d", SEED)
                .isLessThan(0.1);
    }

    @Test
    void oneDelayedPacketChangesNothing() {
        List<Vivaldi> nodes = nodes(2);
        run(nodes, (from, to) -> 0.010, 1_000, 0);
        Coordinate other = nodes.get(1).own();
        double before = nodes.get(0).own().secondsTo(other);
        accept(nodes.get(0), 1, 3, other);
        assertThat(nodes.get(0).own().secondsTo(other)).isCloseTo(before, within(0.001));
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, 1e300, 1_000_000, -11})
    void whoSaysToBeWhereNobodyCanBeIsNotBelieved(double place) {
        var node = new Vivaldi(random);
        accept(node, 1, 0.010, Coordinate.ORIGIN);
        Coordinate before = node.own();
        accept(node, 2, 0.010, at(place, 1.5, 1e-5));
        accept(node, 2, 0.010, at(0, Double.NaN, 1e-5));
        accept(node, 2, 0.010, at(0, -1, 1e-5));
        accept(node, 2, 0.010, at(0, 1.5, place));
        accept(node, 2, 0.010, new Coordinate(Coordinate.ORIGIN.vec(), 1.5, place, 1e-5));
        accept(node, 2, 0.010, new Coordinate(List.of(0.0, 0.0), 1.5, 0, 1e-5));
        accept(node, 2, 11, Coordinate.ORIGIN);
        accept(node, 2, -0.001, Coordinate.ORIGIN);
        assertThat(node.own()).isEqualTo(before);
        assertThat(node.resets()).isZero();
    }

    private static Coordinate at(double place, double error, double height) {
        List<Double> vec = new ArrayList<>(Collections.nCopies(Coordinate.DIMENSIONS, 0.0));
        vec.set(0, place);
        return new Coordinate(vec, error, 0, height);
    }

    @Test
    void zeroDelaysDoNotBreakIt() {
        List<Vivaldi> nodes = nodes(3);
        run(nodes, (from, to) -> 0, 500, 0);
        assertThat(nodes).allMatch(node -> node.own().isUsable() && node.resets() == 0);
        assertThat(nodes.get(0).own().secondsTo(nodes.get(1).own())).isLessThan(0.001);
    }
}
