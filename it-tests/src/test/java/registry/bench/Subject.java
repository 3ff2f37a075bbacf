package registry.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A server process under measurement, and what the kernel and its JVM tell about it. */
final class Subject implements AutoCloseable {
    private static final long MICROS_PER_TICK = 10_000; // USER_HZ is 100 on every Linux we run on
    private static final long SETTLE_NANOS = 10_000_000_000L;
    private static final Pattern COMPILER = Pattern.compile("\\(C[12] Compiler");
    private static final Pattern LIVE = Pattern.compile("(?m)^Total +\\d+ +(\\d+)");

    private final Process process;
    private final int port;

    private Subject(Process process, int port) {
        this.process = process;
        this.port = port;
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
    }

    /** Starts {@code command}, which will serve HTTP on {@code port}; its output goes to a file. */
    static Subject start(List<String> command, int port, Path log) {
        try {
            return new Subject(
                    new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(log.toFile())
                            .start(),
                    port);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    int port() {
        return port;
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** The arguments it runs with, the program first. */
    List<String> commandLine() {
        return List.of(read("cmdline").split("\0"));
    }

    /** User and system time since its start, in steps of 10 ms. */
    long cpuMicros() {
        return cpuMicros(read("stat"));
    }

    /** What the threads of its compilers have used. */
    long compilerMicros() {
        try (Stream<Path> threads = Files.list(proc("task"))) {
            return threads.mapToLong(Subject::compilerMicros).sum();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static long compilerMicros(Path thread) {
        try {
            String stat = Files.readString(thread.resolve("stat"));
            return COMPILER.matcher(stat).find() ? cpuMicros(stat) : 0;
        } catch (IOException e) {
            // It has ended meanwhile.
            return 0;
        }
    }

    private static long cpuMicros(String stat) {
        // The name before the last parenthesis may hold anything; utime is field 14, stime 15.
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) * MICROS_PER_TICK;
    }

    long residentBytes() {
        return read("status")
                        .lines()
                        .filter(line -> line.startsWith("VmRSS:"))
                        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                        .sum()
                * 1024;
    }

    long openFiles() {
        try (Stream<Path> files = Files.list(proc("fd"))) {
            return files.count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Bytes of reachable objects, after a full collection. */
    long liveBytes() {
        String histogram = jcmd("GC.class_histogram");
        Matcher total = LIVE.matcher(histogram);
        if (!total.find()) {
            throw new IllegalStateException("no total in: " + histogram);
        }
        return Long.parseLong(total.group(1));
    }

    /** Waits until it has used next to no CPU for half a second, ten seconds at most. */
    void settle() {
        long end = System.nanoTime() + SETTLE_NANOS;
        long used;
        do {
            long before = cpuMicros();
            LockSupport.parkNanos(500_000_000);
            used = cpuMicros() - before;
        } while (used > MICROS_PER_TICK && System.nanoTime() < end);
    }

    private String jcmd(String command) {
        try {
            Path jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd");
            Process run =
                    new ProcessBuilder(jcmd.toString(), pid(), command)
                            .redirectErrorStream(true)
                            .start();
            return new String(run.getInputStream().readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    String pid() {
        return Long.toString(process.pid());
    }

    private String read(String name) {
        try {
            return Files.readString(proc(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path proc(String name) {
        return Path.of("/proc", pid(), name);
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
