package registry.agent.http;

import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryUsage;
import java.lang.management.ThreadMXBean;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * {@code /v1/agent/metrics} and {@code /v1/agent/host}: the process and its machine. Source:
 * consul-api 3.5.
 */
final class AgentMetricsRoutes {
    private static final DateTimeFormatter SECONDS =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss '+0000 UTC'", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);
    private static final long INTERVAL_SECONDS = 10;

    /** A value of this moment. */
    record Gauge(String name, double value, SortedMap<String, String> labels) {}

    /** The body of {@code /v1/agent/metrics}; nothing is counted over intervals yet. */
    record Metrics(
            String timestamp,
            List<Gauge> gauges,
            List<String> points,
            List<String> counters,
            List<String> samples) {}

    void addTo(RouteTable.Builder table) {
        table.plain("GET", "/v1/agent/metrics", Handler.plain(AgentMetricsRoutes::metrics));
        table.plain(
                "GET", "/v1/agent/host", Handler.plain(r -> Answer.json(r, HostFacts.collect())));
    }

    private static Answer metrics(Request request) {
        String accept = request.header("Accept");
        if (request.query().first("format").equals("prometheus")
                || accept != null && accept.startsWith("application/openmetrics-text")) {
            return Answer.text(
                    415, "Prometheus is not enabled since its retention time is not positive");
        }
        long now = Instant.now().getEpochSecond();
        Instant interval = Instant.ofEpochSecond(now - now % INTERVAL_SECONDS);
        return Answer.json(
                request,
                new Metrics(SECONDS.format(interval), gauges(), List.of(), List.of(), List.of()));
    }

    private static List<Gauge> gauges() {
        var gauges = new ArrayList<Gauge>();
        MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
        MemoryUsage other = ManagementFactory.getMemoryMXBean().getNonHeapMemoryUsage();
        long runs = 0;
        long pauseMillis = 0;
        for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
            runs += Math.max(0, collector.getCollectionCount());
            pauseMillis += Math.max(0, collector.getCollectionTime());
        }
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        // Names as Consul's, where the JVM has the same thing.
        add(gauges, "consul.runtime.alloc_bytes", heap.getUsed());
        add(gauges, "consul.runtime.num_threads", threads.getThreadCount());
        add(gauges, "consul.runtime.sys_bytes", heap.getCommitted() + other.getCommitted());
        add(gauges, "consul.runtime.total_gc_pause_ns", pauseMillis * 1e6);
        add(gauges, "consul.runtime.total_gc_runs", runs);
        add(gauges, "consul.jvm.heap_max_bytes", heap.getMax());
        add(gauges, "consul.jvm.threads_peak", threads.getPeakThreadCount());
        add(gauges, "consul.jvm.threads_daemon", threads.getDaemonThreadCount());
        add(
                gauges,
                "consul.jvm.classes_loaded",
                ManagementFactory.getClassLoadingMXBean().getLoadedClassCount());
        add(gauges, "consul.jvm.uptime_ms", ManagementFactory.getRuntimeMXBean().getUptime());
        for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
            MemoryUsage usage = pool.getUsage();
            add(gauges, "consul.jvm.pool_used_bytes", usage.getUsed(), "pool", pool.getName());
            add(
                    gauges,
                    "consul.jvm.pool_committed_bytes",
                    usage.getCommitted(),
                    "pool",
                    pool.getName());
            add(gauges, "consul.jvm.pool_max_bytes", usage.getMax(), "pool", pool.getName());
        }
        return gauges;
    }

    private static void add(List<Gauge> gauges, String name, double value, String... label) {
        var labels = new TreeMap<String, String>();
        if (label.length > 0) {
            labels.put(label[0], label[1]);
        }
        gauges.add(new Gauge(name, value, labels));
    }
}
