package registry.it.haproxy;

import java.util.Arrays;
import java.util.List;

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

    /** Medians do not tell of a single odd one; this is for the eye. */
    static String spread(List<Double> figures) {
        double[] sorted = figures.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return Arrays.toString(Arrays.stream(sorted).map(each -> Math.rint(each * 10) / 10).toArray());
    }
}
