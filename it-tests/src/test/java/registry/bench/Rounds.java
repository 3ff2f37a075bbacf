package registry.bench;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleSupplier;
import java.util.function.ToLongFunction;

/**
 * How often and how long is measured: agent and floor in turns, the median of the rounds.
 *
 * @param rest how long processes are left alone before they are called at rest
 */
record Rounds(int count, Duration each, int maxWarmUps, Duration rest) {
    /** The compilers are done when they take no more than this share of a round's CPU. */
    private static final double COMPILING = 0.03;

    private static final int MIN_WARM_UPS = 3;

    static Rounds full() {
        return new Rounds(5, Duration.ofMillis(1200), 20, Duration.ofSeconds(60));
    }

    static Rounds quick() {
        return new Rounds(3, Duration.ofMillis(300), 4, Duration.ofSeconds(10));
    }

    /** Repeats what is measured until those asked no longer compile; three times at least. */
    void warmUp(List<Subject> asked, Runnable round) {
        for (int i = 0; i < maxWarmUps; i++) {
            long cpu = sum(asked, Subject::cpuMicros);
            long compiling = sum(asked, Subject::compilerMicros);
            round.run();
            cpu = sum(asked, Subject::cpuMicros) - cpu;
            compiling = sum(asked, Subject::compilerMicros) - compiling;
            if (i + 1 >= MIN_WARM_UPS && compiling <= cpu * COMPILING) {
                return;
            }
        }
    }

    private static long sum(List<Subject> subjects, ToLongFunction<Subject> of) {
        return subjects.stream().mapToLong(of).sum();
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
