package registry.agent.metrics;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;

/**
 * Writes series in Prometheus' text format. Source:
 * prometheus.io/docs/instrumenting/exposition_formats
 */
final class PrometheusText {
    private static final double[] QUANTILES = {0.5, 0.9, 0.99};

    private final StringBuilder out = new StringBuilder();
    private final Set<String> headed = new HashSet<>();

    void gauge(String name, SortedMap<String, String> labels, double value) {
        String plain = head(name, "gauge");
        line(plain, labels, "", value);
    }

    void counter(String name, SortedMap<String, String> labels, double total) {
        String plain = head(name, "counter");
        line(plain, labels, "", total);
    }

    void summary(String name, SortedMap<String, String> labels, Series series) {
        String plain = head(name, "summary");
        for (double quantile : QUANTILES) {
            line(plain, labels, "quantile=\"" + quantile + "\"", series.quantile(quantile));
        }
        line(plain + "_sum", labels, "", series.totalSum());
        line(plain + "_count", labels, "", series.totalCount());
    }

    /** Help and type stand once before all series of a name, which come one after another. */
    private String head(String name, String type) {
        String plain = plain(name);
        if (headed.add(plain)) {
            out.append("# HELP ").append(plain).append(' ').append(plain).append('\n');
            out.append("# TYPE ").append(plain).append(' ').append(type).append('\n');
        }
        return plain;
    }

    private void line(String name, SortedMap<String, String> labels, String more, double value) {
        out.append(name);
        if (!labels.isEmpty() || !more.isEmpty()) {
            out.append('{');
            for (Map.Entry<String, String> label : labels.entrySet()) {
                out.append(plain(label.getKey())).append("=\"");
                out.append(escape(label.getValue())).append("\",");
            }
            out.append(more);
            if (more.isEmpty()) {
                out.setLength(out.length() - 1);
            }
            out.append('}');
        }
        out.append(' ').append(number(value)).append('\n');
    }

    private static String number(double value) {
        if (Double.isNaN(value)) {
            return "NaN";
        }
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? Long.toString((long) value)
                : Double.toString(value);
    }

    /** What a name may not have becomes an underscore. */
    private static String plain(String name) {
        String plain = name.replaceAll("[^a-zA-Z0-9_:]", "_");
        return Character.isDigit(plain.isEmpty() ? '_' : plain.charAt(0)) ? "_" + plain : plain;
    }

    private static String escape(String value) {
        return value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
    }

    @Override
    public String toString() {
        return out.toString();
    }
}
