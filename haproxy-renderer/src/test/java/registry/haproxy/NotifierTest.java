package registry.haproxy;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NotifierTest {
    private static final int MSG_DONTWAIT = 0x40;

    @TempDir private Path folder;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void systemdHearsHowWeAre(boolean isAbstract) throws Throwable {
        String name = (isAbstract ? "@" : "") + folder.resolve("notify");
        try (var systemd = new Datagrams(name)) {
            var notifier = new Notifier(Map.of("NOTIFY_SOCKET", name, "WATCHDOG_USEC", "30000"), 7);
            notifier.alive();
            assertThat(systemd.receive()).isEqualTo("READY=1");
            await().atMost(5, SECONDS)
                    .untilAsserted(() -> {
                        notifier.alive();
                        assertThat(systemd.receive()).isEqualTo("WATCHDOG=1");
                    });
            notifier.reloading();
            assertThat(systemd.receive()).matches("RELOADING=1\nMONOTONIC_USEC=\\d+");
            notifier.reloaded();
            assertThat(systemd.receive()).isEqualTo("READY=1");
            notifier.stopping();
            assertThat(systemd.receive()).isEqualTo("STOPPING=1");
        }
    }

    @Test
    void withoutSystemdNothingHappens() {
        var none = new Notifier(Map.of(), 7);
        none.alive();
        none.stopping();
        var gone = new Notifier(Map.of("NOTIFY_SOCKET", folder.resolve("gone").toString()), 7);
        gone.alive();
        gone.stopping();
    }

    /** The socket that systemd has, which the JDK cannot make. */
    private static final class Datagrams implements AutoCloseable {
        private final Arena arena = Arena.ofShared();
        private final MethodHandle recv = function("recv", true, 0, 1L, 1L, 0);
        private final MethodHandle close = function("close", false, 0);
        private final int descriptor;

        @SuppressWarnings("restricted")
        private static MethodHandle function(String name, boolean returnsLong, Object... like) {
            Linker linker = Linker.nativeLinker();
            var arguments = new java.lang.foreign.MemoryLayout[like.length];
            for (int at = 0; at < like.length; at++) {
                arguments[at] =
                        like[at] instanceof Long ? ValueLayout.JAVA_LONG : ValueLayout.JAVA_INT;
            }
            return linker.downcallHandle(
                    linker.defaultLookup().findOrThrow(name),
                    FunctionDescriptor.of(
                            returnsLong ? ValueLayout.JAVA_LONG : ValueLayout.JAVA_INT, arguments));
        }

        Datagrams(String name) throws Throwable {
            descriptor = (int) function("socket", false, 0, 0, 0).invoke(1, 2, 0);
            byte[] path = name.getBytes(StandardCharsets.UTF_8);
            if (path[0] == '@') {
                path[0] = 0;
            }
            MemorySegment address = arena.allocate(110);
            address.set(ValueLayout.JAVA_SHORT, 0, (short) 1);
            MemorySegment.copy(path, 0, address, ValueLayout.JAVA_BYTE, 2, path.length);
            int bound =
                    (int)
                            function("bind", false, 0, 1L, 0)
                                    .invoke(descriptor, address.address(), 2 + path.length);
            assertThat(bound).isZero();
        }

        /** The next datagram that is there; empty when there is none. */
        String receive() {
            MemorySegment buffer = arena.allocate(200);
            try {
                long length = (long) recv.invoke(descriptor, buffer.address(), 200L, MSG_DONTWAIT);
                byte[] text = new byte[(int) Math.max(0, length)];
                MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, 0, text, 0, text.length);
                return new String(text, StandardCharsets.UTF_8);
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
        }

        @Override
        public void close() throws Exception {
            try {
                assertThat((int) close.invoke(descriptor)).isZero();
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
            arena.close();
        }
    }
}
