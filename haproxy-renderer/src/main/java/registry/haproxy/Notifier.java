package registry.haproxy;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells systemd how we are, by datagrams to its socket. The JDK has none for UNIX sockets, so three
 * functions of the C library are called; without {@code NOTIFY_SOCKET} nothing of that is loaded.
 * Source: sd_notify(3). Safe for any thread.
 */
final class Notifier {
    private static final Logger LOG = LoggerFactory.getLogger(Notifier.class);
    private static final int AF_UNIX = 1;
    private static final int SOCK_DGRAM = 2;
    private static final int SOCK_CLOEXEC = 0x80000;
    private static final int PATH_OFFSET = 2;
    private static final int MAX_PATH = 108;

    private final byte[] address;
    private final long watchdogNanos;
    private boolean ready;
    private boolean broken;
    private long lastAlive = System.nanoTime();

    /**
     * @param environment what systemd gave: {@code NOTIFY_SOCKET}, {@code WATCHDOG_USEC} and {@code
     *     WATCHDOG_PID}
     */
    Notifier(Map<String, String> environment, long pid) {
        String socket = environment.getOrDefault("NOTIFY_SOCKET", "");
        byte[] path = socket.getBytes(StandardCharsets.UTF_8);
        if (socket.startsWith("@")) {
            path[0] = 0;
        }
        address = path.length >= MAX_PATH ? new byte[0] : path;
        String watched = environment.getOrDefault("WATCHDOG_PID", Long.toString(pid));
        watchdogNanos =
                watched.equals(Long.toString(pid)) ? period(environment.get("WATCHDOG_USEC")) : 0;
    }

    private static long period(@Nullable String micros) {
        try {
            return micros == null ? 0 : Long.parseLong(micros) * 1000;
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    /** To be called often: says that we are ready, once, and then that we are alive. */
    synchronized void alive() {
        long now = System.nanoTime();
        if (!ready) {
            ready = true;
            send("READY=1");
        } else if (watchdogNanos > 0 && now - lastAlive > watchdogNanos / 3) {
            lastAlive = now;
            send("WATCHDOG=1");
        }
    }

    void reloading() {
        // Nanoseconds of this clock are those of CLOCK_MONOTONIC on Linux.
        long micros = Duration.ofNanos(System.nanoTime()).toNanos() / 1000;
        send("RELOADING=1\nMONOTONIC_USEC=" + micros);
    }

    void reloaded() {
        send("READY=1");
    }

    void stopping() {
        send("STOPPING=1");
    }

    private synchronized void send(String state) {
        if (address.length == 0 || broken) {
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            Libc libc = new Libc();
            int descriptor = (int) libc.socket.invokeExact(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
            try {
                MemorySegment to = arena.allocate(PATH_OFFSET + MAX_PATH);
                to.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
                MemorySegment.copy(
                        address, 0, to, ValueLayout.JAVA_BYTE, PATH_OFFSET, address.length);
                byte[] text = state.getBytes(StandardCharsets.UTF_8);
                MemorySegment message = arena.allocateFrom(ValueLayout.JAVA_BYTE, text);
                // An abstract name ends with the length, a path with a zero that is there already.
                int length = PATH_OFFSET + address.length + (address[0] == 0 ? 0 : 1);
                long sent =
                        (long)
                                libc.sendto.invokeExact(
                                        descriptor, message, (long) text.length, 0, to, length);
                if (sent < 0) {
                    LOG.debug("systemd does not take {}", state);
                }
            } finally {
                int closed = (int) libc.close.invokeExact(descriptor);
                LOG.trace("closed {}", closed);
            }
        } catch (Throwable e) {
            broken = true;
            LOG.warn("systemd cannot be told how we are: {}", e.toString());
        }
    }

    // The launcher allows native access.
    @SuppressWarnings("restricted")
    private static final class Libc {
        private final MethodHandle socket;
        private final MethodHandle sendto;
        private final MethodHandle close;

        Libc() {
            Linker linker = Linker.nativeLinker();
            SymbolLookup names = linker.defaultLookup();
            var number = ValueLayout.JAVA_INT;
            socket =
                    linker.downcallHandle(
                            names.findOrThrow("socket"),
                            FunctionDescriptor.of(number, number, number, number));
            sendto =
                    linker.downcallHandle(
                            names.findOrThrow("sendto"),
                            FunctionDescriptor.of(
                                    ValueLayout.JAVA_LONG,
                                    number,
                                    ValueLayout.ADDRESS,
                                    ValueLayout.JAVA_LONG,
                                    number,
                                    ValueLayout.ADDRESS,
                                    number));
            close =
                    linker.downcallHandle(
                            names.findOrThrow("close"), FunctionDescriptor.of(number, number));
        }
    }
}
