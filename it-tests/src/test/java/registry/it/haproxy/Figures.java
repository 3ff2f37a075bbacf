package registry.it.haproxy;

import java.util.List;
import java.util.SplittableRandom;

/** Medians and the like. */
final class Figures {
    private Figures() {}

    /** What a share of {@code sorted} does not exceed; NaN of none. */
    static double share(double[] sorted, double share) {
        if (sorted.length == 0) {
            return Double.NaN;
        }
        int at = (int) Math.ceil(share * sorted.length) - 1;
        return sorted[Math.max(0, Math.min(sorted.length - 1, at))];
    }

    static double share(List<Double> figures, double share) {
        double[] sorted = figures.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return share(sorted, share);
    }

    static double median(List<Double> figures) {
        return share(figures, 0.5);
    }

    static double max(List<Double> figures) {
        return figures.stream().mapToDouble(Double::doubleValue).max().orElse(Double.NaN);
    }

    static double millisSince(long nanoTime) {
        return (System.nanoTime() - nanoTime) / 1e6;
    }

    /** Its seed is printed, so that what it made can be made again. */
    static SplittableRandom random(String what) {
        long seed = System.nanoTime();
        System.err.println(what + ": seed " + seed);
        return new SplittableRandom(seed);
    }
}
