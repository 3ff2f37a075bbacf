package registry.haproxy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/** What the tests need of the machine: the real HAProxy, and free ports. */
final class RealHaproxy {
    private RealHaproxy() {}

    /** The program; a test without it fails, because a skipped one shows nothing. */
    static String binary() {
        return List.of(
                        "/usr/sbin/haproxy",
                        "/usr/local/sbin/haproxy",
                        "/usr/bin/haproxy",
                        "/usr/local/bin/haproxy")
                .stream()
                .filter(path -> Files.isExecutable(Path.of(path)))
                .findFirst()
                .orElseThrow(() ->
                        new AssertionError(
                                "HAProxy is not installed, and this test needs it: apt-get install haproxy"));
    }

    /**
     * A port that nobody listens on. Below those that the kernel gives to outgoing connections: one
     * of these may take any of them before HAProxy does.
     */
    static int freePort() {
        var random = new SplittableRandom();
        while (true) {
            int port = random.nextInt(22_000, 32_000);
            try (var socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (IOException e) {
                // Taken: another one.
            }
        }
    }

    /** A session with the worker, if one answers. */
    static Optional<String> ask(Path socket, String command) {
        try {
            return Optional.of(
                    new UnixRuntimeApi(socket, java.time.Duration.ofSeconds(5)).ask(command));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    static boolean isListening(int port) {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    /** As kill -9. */
    static void kill(long pid) {
        ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    }
}
