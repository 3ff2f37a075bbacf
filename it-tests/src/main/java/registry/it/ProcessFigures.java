package registry.it;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * What the kernel says of one process: the CPU time it has spent and the memory it holds. Linux
 * only.
 */
public record ProcessFigures(Duration cpu, long residentBytes) {
    /** Kernel clock ticks per second; 100 on every Linux that the JDK runs on. */
    private static final long TICKS_PER_SECOND = 100;

    private static final int UTIME = 11;
    private static final int STIME = 12;

    /** Reads {@code /proc/PID/stat} and {@code /proc/PID/status}. */
    public static ProcessFigures of(long pid) {
        Path proc = Path.of("/proc", Long.toString(pid));
        try {
            String stat = Files.readString(proc.resolve("stat"));
            // The command's name may hold blanks and brackets, so fields are counted behind its
            // last bracket.
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            long ticks = Long.parseLong(fields[UTIME]) + Long.parseLong(fields[STIME]);
            return new ProcessFigures(
                    Duration.ofMillis(ticks * 1000 / TICKS_PER_SECOND), resident(proc));
        } catch (IOException e) {
            throw new IllegalStateException("no process " + pid, e);
        }
    }

    private static long resident(Path proc) throws IOException {
        for (String line : Files.readAllLines(proc.resolve("status"))) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
            }
        }
        return 0;
    }
}
