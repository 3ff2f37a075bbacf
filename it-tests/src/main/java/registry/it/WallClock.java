package registry.it;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * What a process takes for the time of day, which may be set forward or back while it runs. What
 * counts from a start, as timers do, is not touched: no machine sets that. Needs a C compiler, for
 * the few lines that are preloaded.
 */
final class WallClock implements AutoCloseable {
    private final Path preloaded;
    private final Path ahead;

    private WallClock(Path preloaded, Path ahead) {
        this.preloaded = preloaded;
        this.ahead = ahead;
    }

    /** One that is right; none where nothing can be compiled. */
    static Optional<WallClock> open() throws IOException {
        if (Compiled.LIBRARY.isEmpty()) {
            return Optional.empty();
        }
        var clock =
                new WallClock(
                        Compiled.LIBRARY.get(), Files.createTempFile("registry-clock", ".ahead"));
        Watchdog.remove(clock.ahead);
        clock.set(Duration.ZERO);
        return Optional.of(clock);
    }

    /** Compiled once, when it is first wanted. */
    private static final class Compiled {
        static final Optional<Path> LIBRARY = compile();
    }

    private static Optional<Path> compile() {
        try (InputStream in = WallClock.class.getResourceAsStream("clock.c")) {
            Path folder = Files.createTempDirectory("registry-clock");
            Watchdog.remove(folder);
            Path source = folder.resolve("clock.c");
            Files.copy(Objects.requireNonNull(in), source);
            return compile(source, folder.resolve("clock.so"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Optional<Path> compile(Path source, Path compiled) {
        Launcher.Result result =
                Launcher.run(
                        List.of(
                                "sh",
                                "-c",
                                "cc -shared -fPIC -O2 -o \"$1\" \"$0\" -ldl",
                                source.toString(),
                                compiled.toString()),
                        Map.of(),
                        "");
        return result.exit() == 0 ? Optional.of(compiled) : Optional.empty();
    }

    /** Variables of the process that is to see this clock. */
    Map<String, String> environment() {
        return Map.of("LD_PRELOAD", preloaded.toString(), "REGISTRY_IT_CLOCK", ahead.toString());
    }

    /** Sets it so far ahead of the right time, or behind; seen at once. */
    void set(Duration by) {
        ByteBuffer seconds =
                ByteBuffer.allocate(Long.BYTES)
                        .order(ByteOrder.nativeOrder())
                        .putLong(by.toSeconds())
                        .flip();
        try (var file = FileChannel.open(ahead, StandardOpenOption.WRITE)) {
            file.write(seconds, 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        Files.deleteIfExists(ahead);
    }
}
