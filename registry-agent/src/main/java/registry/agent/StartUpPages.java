package registry.agent;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets go of mapped pages that only the start has read: of the class cache, the JVM and RocksDB's
 * library. They stay in the kernel's cache of files, from where whatever is used comes back. Only
 * what can't be written is let go, and of that only mappings without a page of their own: one that
 * was changed after it was read (a relocated library has such) would come back unchanged.
 */
final class StartUpPages {
    private static final Logger LOG = LoggerFactory.getLogger(StartUpPages.class);

    /** After the start; what little is read by each next step of growing old is let go as well. */
    private static final List<Duration> PAUSES =
            List.of(Duration.ofSeconds(4), Duration.ofSeconds(15), Duration.ofSeconds(40));

    private static final Path SMAPS = Path.of("/proc/self/smaps");
    private static final int MADV_DONTNEED = 4;

    /** Else one read would bring back two megabytes. */
    private static final int MADV_NOHUGEPAGE = 15;

    private static final Pattern HEAD =
            Pattern.compile("([0-9a-f]+)-([0-9a-f]+) r-([x-])p \\S+ \\S+ \\S+ +(/.*)");
    private static final Pattern OURS =
            Pattern.compile(".*/(registry\\.aot|libjvm\\.so|librocksdbjni[^/]*\\.so)");
    private static final Pattern ANY_HEAD = Pattern.compile("[0-9a-f]+-[0-9a-f]+ .*");
    private static final Pattern NO_OWN_PAGE = Pattern.compile("Anonymous: +0 kB");

    private StartUpPages() {}

    /**
     * A part of the address space.
     *
     * @param code is executed, and not only read
     */
    record Range(long from, long to, boolean code) {
        long bytes() {
            return to - from;
        }
    }

    /** Does it some seconds from now, on a thread of its own. */
    static void giveBackSoon() {
        Thread.ofVirtual()
                .name("start-up-pages")
                .start(() -> {
                    try {
                        for (Duration pause : PAUSES) {
                            Thread.sleep(pause);
                            giveBack();
                        }
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    } catch (IOException | RuntimeException | LinkageError e) {
                        // An optimisation of one kind of system: elsewhere the pages stay.
                        LOG.debug("pages of the start are kept: error={}", e.toString());
                    }
                });
    }

    /**
     * Does it now.
     *
     * @return how many ranges were let go
     */
    static int giveBack() throws IOException {
        MethodHandle madvise = madvise();
        int count = 0;
        for (Range range : clean(Files.readAllLines(SMAPS))) {
            if (!range.code) {
                call(madvise, range, MADV_NOHUGEPAGE);
            }
            if (call(madvise, range, MADV_DONTNEED) == 0) {
                count++;
            }
        }
        return count;
    }

    /** The ranges that may be let go, of the lines of {@code /proc/PID/smaps}. */
    static List<Range> clean(List<String> smaps) {
        List<Range> clean = new ArrayList<>();
        Range candidate = null;
        for (String line : smaps) {
            if (ANY_HEAD.matcher(line).matches()) {
                Matcher head = HEAD.matcher(line);
                candidate =
                        head.matches() && OURS.matcher(head.group(4)).matches()
                                ? new Range(
                                        Long.parseUnsignedLong(head.group(1), 16),
                                        Long.parseUnsignedLong(head.group(2), 16),
                                        head.group(3).equals("x"))
                                : null;
            } else if (candidate != null && NO_OWN_PAGE.matcher(line).matches()) {
                clean.add(candidate);
            }
        }
        return clean;
    }

    @SuppressWarnings("restricted")
    private static MethodHandle madvise() {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(
                linker.defaultLookup().findOrThrow("madvise"),
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT,
                        ValueLayout.ADDRESS,
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_INT));
    }

    private static int call(MethodHandle madvise, Range range, int advice) {
        try {
            return (int)
                    madvise.invokeExact(MemorySegment.ofAddress(range.from), range.bytes(), advice);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
