package registry.bench;

import java.time.Duration;
import java.util.Arrays;
import java.util.function.DoubleSupplier;

/** How often and how long is measured: agent and floor in turns, the median of the rounds. */
record Rounds(int count, Duration each, int maxWarmUps) {
    /** The compiler is done when a round costs no less than this share of the one before. */
    private static final double STEADY = 0.93;

    static Rounds full() {
        return new Rounds(5, Duration.ofMillis(1200), 10);
    }

    static Rounds quick() {
        return new Rounds(3, Duration.ofMillis(300), 4);
    }

    /** Repeats what is measured until it gets no cheaper; three times at least. */
    void warmUp(DoubleSupplier cost) {
        double last = cost.getAsDouble();
        for (int i = 1; i < maxWarmUps; i++) {
            double now = cost.getAsDouble();
            if (i >= 2 && now >= last * STEADY) {
                return;
            }
            last = now;
        }
    }

    /** Medians of {@code ours} and {@code floor}. */
    double[] alternate(DoubleSupplier ours, DoubleSupplier floor) {
        double[][] figures = new double[2][count];
        for (int i = 0; i < count; i++) {
            figures[0][i] = ours.getAsDouble();
            figures[1][i] = floor.getAsDouble();
        }
        return new double[] {median(figures[0]), median(figures[1])};
    }

    static double median(double[] figures) {
        double[] sorted = figures.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
