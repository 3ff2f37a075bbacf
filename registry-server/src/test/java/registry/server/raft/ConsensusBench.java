package registry.server.raft;

import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Measures the way of a command through the log: latency at one client, throughput at 64, CPU per
 * command, beside what the disk alone can do. Arguments: directory, seconds per row.
 */
final class ConsensusBench {
    private static final int COMMAND_BYTES = 200;

    private ConsensusBench() {}

    public static void main(String[] args) throws Exception {
        Path base = args.length > 0 ? Path.of(args[0]) : Files.createTempDirectory("bench");
        long seconds = args.length > 1 ? Long.parseLong(args[1]) : 5;
        say(
                "fdatasync of 300 B appended: p50 %.3f ms",
                syncMillis(Files.createDirectories(base).resolve("sync")));
        long start = System.nanoTime();
        try (TestServer server = TestServer.open(base.resolve("node"))) {
            say("start to ready leader: %.0f ms", (System.nanoTime() - start) / 1e6);
            say("threads: %s", threads());
            run(server, 1, 2);
            run(server, 64, 3);
            for (int clients : new int[] {1, 4, 16, 64, 256}) {
                run(server, clients, seconds);
            }
            System.gc();
            say("RSS %s", rss());
            say("threads: %s", threads());
        }
        start = System.nanoTime();
        try (TestServer server = TestServer.open(base.resolve("node"))) {
            say(
                    "restart: %.0f ms, last index %d",
                    (System.nanoTime() - start) / 1e6, server.ledger.lastIndex());
        }
    }

    private static void run(TestServer server, int clients, long seconds)
            throws InterruptedException {
        long cpu = cpuNanos();
        long end = System.nanoTime() + seconds * 1_000_000_000L;
        AtomicLong done = new AtomicLong();
        CountDownLatch left = new CountDownLatch(clients);
        long[][] latencies = new long[clients][];
        for (int i = 0; i < clients; i++) {
            int client = i;
            Thread.ofVirtual()
                    .start(() -> {
                        latencies[client] = client(server, end);
                        done.addAndGet(latencies[client].length);
                        left.countDown();
                    });
        }
        left.await();
        long used = cpuNanos() - cpu;
        long[] all = Arrays.stream(latencies).flatMapToLong(Arrays::stream).sorted().toArray();
        say(
                "%3d clients: %,7d/s  p50 %.3f  p99 %.3f ms  CPU %.0f us each",
                clients,
                done.get() / seconds,
                all[all.length / 2] / 1e6,
                all[(int) (all.length * 0.99)] / 1e6,
                used / 1e3 / done.get());
    }

    private static long[] client(TestServer server, long end) {
        long[] latencies = new long[1 << 10];
        int count = 0;
        for (long t = System.nanoTime(); t < end; ) {
            server.consensus.propose(Ledger.command(count, COMMAND_BYTES)).join();
            long now = System.nanoTime();
            if (count == latencies.length) {
                latencies = Arrays.copyOf(latencies, count * 2);
            }
            latencies[count++] = now - t;
            t = now;
        }
        return Arrays.copyOf(latencies, count);
    }

    private static double syncMillis(Path file) throws Exception {
        long[] took = new long[2000];
        try (var channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            for (int i = 0; i < took.length; i++) {
                long t = System.nanoTime();
                channel.write(ByteBuffer.allocate(300));
                channel.force(false);
                took[i] = System.nanoTime() - t;
            }
        }
        Arrays.sort(took);
        return took[took.length / 2] / 1e6;
    }

    private static long cpuNanos() {
        return ((com.sun.management.OperatingSystemMXBean)
                        ManagementFactory.getOperatingSystemMXBean())
                .getProcessCpuTime();
    }

    private static String rss() throws Exception {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmRSS"))
                .findFirst()
                .orElse("");
    }

    private static String threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .sorted()
                .toList()
                .toString();
    }

    private static void say(String format, Object... args) {
        System.out.println(String.format(Locale.ROOT, format, args));
    }
}
