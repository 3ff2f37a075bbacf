package registry.agent.metrics;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import registry.agent.config.AgentConfig.Telemetry;

/**
 * All that an agent counts and measures, by name. Nothing runs on its own: series turn to their
 * next interval when something comes, gauges are read when somebody asks. Any thread. Source:
 * developer.hashicorp.com/consul/docs/agent/telemetry
 */
public final class Metrics {
    /** As long as Consul's. */
    static final long INTERVAL_MILLIS = 10_000;

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss '+0000 UTC'", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);
    private static final double INTERVAL_SECONDS = INTERVAL_MILLIS / 1000.0;

    /**
     * What a value is of.
     *
     * @param labels name, value, name, value, …
     */
    record Name(String text, List<String> labels) implements Comparable<Name> {
        @Override
        public int compareTo(Name other) {
            int order = text.compareTo(other.text);
            return order != 0 ? order : labels.toString().compareTo(other.labels.toString());
        }

        SortedMap<String, String> labelMap() {
            var map = new TreeMap<String, String>();
            for (int at = 0; at < labels.size(); at += 2) {
                map.put(labels.get(at), labels.get(at + 1));
            }
            return map;
        }
    }

    /** A value of this moment. */
    public record Gauge(String name, double value, SortedMap<String, String> labels) {}

    /** What came in an interval: of a counter, or of values that were measured. */
    public record Interval(
            String name,
            int count,
            double rate,
            double sum,
            double min,
            double max,
            double mean,
            double stddev,
            SortedMap<String, String> labels) {}

    /** The body of {@code /v1/agent/metrics}; {@code points} is always empty. */
    public record Finished(
            String timestamp,
            List<Gauge> gauges,
            List<String> points,
            List<Interval> counters,
            List<Interval> samples) {}

    /** Gauges that are read together. */
    public interface Gauges {
        void read(Sink sink);

        /** Takes one value. */
        interface Sink {
            void put(String name, double value, String... labels);
        }
    }

    private final Telemetry telemetry;
    private final String host;
    private final Series.Clock clock;
    private final long firstInterval;
    private final Map<Name, Series> counters = new ConcurrentSkipListMap<>();
    private final Map<Name, Series> samples = new ConcurrentSkipListMap<>();
    private final List<Gauges> gauges;

    /**
     * @param host what stands in the names of gauges, unless {@code disable_hostname} is set
     * @param gauges in the order in which they are shown
     */
    public Metrics(Telemetry telemetry, String host, List<Gauges> gauges) {
        this(telemetry, host, gauges, System::currentTimeMillis);
    }

    Metrics(Telemetry telemetry, String host, List<Gauges> gauges, Series.Clock clock) {
        this.telemetry = telemetry;
        this.host = host;
        this.gauges = List.copyOf(gauges);
        this.clock = clock;
        firstInterval = clock.millis() / INTERVAL_MILLIS;
    }

    /**
     * @param name without the prefix: {@code rpc.query}
     */
    public Series counter(String name, String... labels) {
        return counters.computeIfAbsent(name(name, labels), absent -> series(false));
    }

    /**
     * @param name without the prefix: {@code kvs.apply}
     */
    public Series sample(String name, String... labels) {
        return samples.computeIfAbsent(name(name, labels), absent -> series(true));
    }

    /** Shows a measured series under a second name. */
    public void alsoNamed(Series sample, String name, String... labels) {
        samples.put(name(name, labels), sample);
    }

    private Series series(boolean quantiles) {
        return new Series(clock, quantiles && isForPrometheus());
    }

    private Name name(String name, String... labels) {
        return new Name(prefixed(name), List.of(labels));
    }

    private String prefixed(String name) {
        return telemetry.prefix().isEmpty() ? name : telemetry.prefix() + "." + name;
    }

    /** Whether the configuration wants Prometheus' format. */
    public boolean isForPrometheus() {
        return telemetry.prometheusRetention().isPositive();
    }

    /** The last finished interval; the present one while there is no other. */
    public Finished finished() {
        long present = clock.millis() / INTERVAL_MILLIS;
        long shown = present == firstInterval ? present : present - 1;
        return new Finished(
                TIME.format(Instant.ofEpochMilli(shown * INTERVAL_MILLIS)),
                gauges(),
                List.of(),
                intervals(counters, shown),
                intervals(samples, shown));
    }

    private static List<Interval> intervals(Map<Name, Series> all, long shown) {
        var list = new ArrayList<Interval>();
        all.forEach((name, series) -> {
            Series.Window window = series.window(shown);
            if (window.count() > 0) {
                list.add(interval(name, window));
            }
        });
        return list;
    }

    private static Interval interval(Name name, Series.Window window) {
        return new Interval(
                name.text(),
                window.count(),
                window.sum() / INTERVAL_SECONDS,
                window.sum(),
                window.min(),
                window.max(),
                window.mean(),
                window.deviation(),
                name.labelMap());
    }

    private List<Gauge> gauges() {
        var list = new ArrayList<Gauge>();
        boolean withHost = isForPrometheus() && !telemetry.disableHostname();
        Gauges.Sink sink =
                (name, value, labels) -> {
                    String full = prefixed(withHost && !host.isEmpty() ? host + "." + name : name);
                    list.add(new Gauge(full, value, name(name, labels).labelMap()));
                };
        gauges.forEach(some -> some.read(sink));
        return list;
    }

    /** All in Prometheus' text format. */
    public String prometheus() {
        long oldest = clock.millis() - telemetry.prometheusRetention().toMillis();
        var text = new PrometheusText();
        gauges().forEach(gauge -> text.gauge(gauge.name(), gauge.labels(), gauge.value()));
        counters.forEach((name, series) -> {
            if (series.lastMillis() > oldest) {
                text.counter(name.text(), name.labelMap(), series.totalSum());
            }
        });
        samples.forEach((name, series) -> {
            if (series.lastMillis() > oldest) {
                text.summary(name.text(), name.labelMap(), series);
            }
        });
        return text.toString();
    }
}
