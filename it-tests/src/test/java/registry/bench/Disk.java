package registry.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The block device below a directory, as /proc/diskstats counts it: for all its users. */
final class Disk {
    private static final int FLUSHES = 18; // after major, minor and name; Linux 5.5 and newer

    private final String device;

    Disk(Path below) {
        try {
            long number = ((Number) Files.getAttribute(below, "unix:dev")).longValue();
            device = (number >> 8 & 0xfff) + ":" + (number & 0xff | number >> 12 & 0xfff00);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Flush requests completed; 0 for a device that counts none. */
    long flushes() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/diskstats"))) {
                String[] fields = line.strip().split(" +");
                if (device.equals(fields[0] + ":" + fields[1]) && fields.length > FLUSHES) {
                    return Long.parseLong(fields[FLUSHES]);
                }
            }
            return 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
