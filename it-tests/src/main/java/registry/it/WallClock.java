package registry.it;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a process takes for the time of day, which may be set forward or back while it runs. What
 * counts from a start, as timers do, is not touched: no machine sets that. Needs libfaketime.
 */
final class WallClock implements AutoCloseable {
    private static final List<Path> PLACES =
            List.of(
                    Path.of("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"),
                    Path.of("/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1"),
                    Path.of("/usr/lib64/faketime/libfaketimeMT.so.1"));

    private final Path library;
    private final Path offset;

    private WallClock(Path library, Path offset) {
        this.library = library;
        this.offset = offset;
    }

    /** One that is right; none where the library is missing. */
    static Optional<WallClock> open() throws IOException {
        Optional<Path> library = PLACES.stream().filter(Files::exists).findFirst();
        if (library.isEmpty()) {
            return Optional.empty();
        }
        var clock = new WallClock(library.get(), Files.createTempFile("registry-clock", ".offset"));
        Watchdog.remove(clock.offset);
        clock.set(Duration.ZERO);
        return Optional.of(clock);
    }

    /** Variables of the process that is to see this clock. */
    Map<String, String> environment() {
        return Map.of(
                "LD_PRELOAD",
                library.toString(),
                "FAKETIME_TIMESTAMP_FILE",
                offset.toString(),
                "FAKETIME_CACHE_DURATION",
                "1",
                "DONT_FAKE_MONOTONIC",
                "1",
                "NO_FAKE_STAT",
                "1");
    }

    /** Sets it so far ahead of the right time, or behind; seen within a second. */
    void set(Duration ahead) {
        try {
            Path draft = offset.resolveSibling(offset.getFileName() + ".new");
            Files.writeString(draft, "%+d\n".formatted(ahead.toSeconds()));
            Files.move(draft, offset, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        Files.deleteIfExists(offset);
    }
}
