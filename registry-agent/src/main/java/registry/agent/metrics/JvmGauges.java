package registry.agent.metrics;

import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryUsage;
import java.lang.management.ThreadMXBean;

/** The process: under Consul's names where the JVM has the same thing, else under {@code jvm}. */
public final class JvmGauges implements Metrics.Gauges {
    @Override
    public void read(Sink sink) {
        MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
        MemoryUsage other = ManagementFactory.getMemoryMXBean().getNonHeapMemoryUsage();
        long runs = 0;
        long pauseMillis = 0;
        for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
            runs += Math.max(0, collector.getCollectionCount());
            pauseMillis += Math.max(0, collector.getCollectionTime());
        }
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        sink.put("runtime.alloc_bytes", heap.getUsed());
        sink.put("runtime.num_threads", threads.getThreadCount());
        sink.put("runtime.sys_bytes", heap.getCommitted() + other.getCommitted());
        sink.put("runtime.total_gc_pause_ns", pauseMillis * 1e6);
        sink.put("runtime.total_gc_runs", runs);
        sink.put("jvm.heap_max_bytes", heap.getMax());
        sink.put("jvm.threads_peak", threads.getPeakThreadCount());
        sink.put("jvm.threads_daemon", threads.getDaemonThreadCount());
        sink.put(
                "jvm.classes_loaded",
                ManagementFactory.getClassLoadingMXBean().getLoadedClassCount());
        sink.put("jvm.uptime_ms", ManagementFactory.getRuntimeMXBean().getUptime());
        var pools = ManagementFactory.getMemoryPoolMXBeans();
        for (MemoryPoolMXBean pool : pools) {
            sink.put("jvm.pool_used_bytes", pool.getUsage().getUsed(), "pool", pool.getName());
        }
        for (MemoryPoolMXBean pool : pools) {
            sink.put(
                    "jvm.pool_committed_bytes",
                    pool.getUsage().getCommitted(),
                    "pool",
                    pool.getName());
        }
        for (MemoryPoolMXBean pool : pools) {
            sink.put("jvm.pool_max_bytes", pool.getUsage().getMax(), "pool", pool.getName());
        }
    }
}
