package registry.agent.metrics;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One counter or one measured value: what came in the present interval and in the one before it,
 * and in all. Guarded by itself.
 */
public final class Series {
    /** Values that are kept for quantiles; those of the last seconds, when there were more. */
    private static final int KEPT = 256;

    private static final int KEPT_SECONDS = 10;

    /** What came in one interval; {@code count} 0 when nothing did. */
    record Window(long interval, int count, double sum, double squares, double min, double max) {
        static Window empty(long interval) {
            return new Window(interval, 0, 0, 0, 0, 0);
        }

        double mean() {
            return count == 0 ? 0 : sum / count;
        }

        /** Of a sample, not of the whole: as Consul's. */
        double deviation() {
            double spread = count * squares - sum * sum;
            return count < 2 ? 0 : Math.sqrt(Math.max(0, spread) / ((double) count * (count - 1)));
        }
    }

    private final Clock clock;
    private final float @Nullable [] kept;
    private final long @Nullable [] keptAt;
    private int next;
    private long interval;
    private int count;
    private double sum;
    private double squares;
    private double min;
    private double max;
    private Window before = Window.empty(-1);
    private long totalCount;
    private double totalSum;
    private long lastMillis;

    /** The wall clock, in milliseconds. */
    interface Clock {
        long millis();
    }

    Series(Clock clock, boolean quantiles) {
        this.clock = clock;
        kept = quantiles ? new float[KEPT] : null;
        keptAt = quantiles ? new long[KEPT] : null;
    }

    /** One more. */
    public void count() {
        add(1);
    }

    /** The time since a moment of {@link System#nanoTime}, in milliseconds. */
    public void measureSince(long beginNanos) {
        add((System.nanoTime() - beginNanos) / 1e6);
    }

    synchronized void add(double value) {
        long now = clock.millis();
        turnTo(now / Metrics.INTERVAL_MILLIS);
        min = count == 0 ? value : Math.min(min, value);
        max = count == 0 ? value : Math.max(max, value);
        count++;
        sum += value;
        squares += value * value;
        totalCount++;
        totalSum += value;
        lastMillis = now;
        if (kept != null && keptAt != null) {
            kept[next] = (float) value;
            keptAt[next] = now;
            next = (next + 1) % KEPT;
        }
    }

    private void turnTo(long present) {
        if (present != interval) {
            before = new Window(interval, count, sum, squares, min, max);
            interval = present;
            count = 0;
            sum = 0;
            squares = 0;
        }
    }

    synchronized Window window(long wanted) {
        if (wanted == interval) {
            return new Window(interval, count, sum, squares, min, max);
        }
        return wanted == before.interval() ? before : Window.empty(wanted);
    }

    synchronized long totalCount() {
        return totalCount;
    }

    synchronized double totalSum() {
        return totalSum;
    }

    /** When the last value came; 0 when none has. */
    synchronized long lastMillis() {
        return lastMillis;
    }

    /** What so many of the last seconds' values are at most; NaN when there was none. */
    synchronized double quantile(double part) {
        if (kept == null || keptAt == null) {
            return Double.NaN;
        }
        long oldest = clock.millis() - KEPT_SECONDS * 1000L;
        var recent = new float[KEPT];
        int size = 0;
        for (int at = 0; at < KEPT; at++) {
            if (keptAt[at] > oldest) {
                recent[size++] = kept[at];
            }
        }
        if (size == 0) {
            return Double.NaN;
        }
        Arrays.sort(recent, 0, size);
        return recent[Math.clamp((int) Math.ceil(part * size) - 1, 0, size - 1)];
    }
}
