package registry.it;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Hands out ports of 127.0.0.1 that nobody listens on, each only once per JVM. They lie below the
 * range from which the kernel takes ports for outgoing connections, so that none of those can grab
 * one before its listener is up.
 */
public final class Ports {
    private static final int FIRST = 20_000;
    private static final int LAST = 31_999;
    private static final AtomicInteger NEXT =
            new AtomicInteger(
                    FIRST + Math.floorMod(ProcessHandle.current().pid() * 37, LAST - FIRST));

    private Ports() {}

    /** {@code count} free ports. */
    public static int[] free(int count) {
        return freeBetween(FIRST, LAST, count);
    }

    /** {@code count} free ports from {@code first} to {@code last}, both included. */
    public static int[] freeBetween(int first, int last, int count) {
        var ports = new int[count];
        int found = 0;
        for (int tries = 0; tries <= last - first && found < count; tries++) {
            int port = first + Math.floorMod(NEXT.getAndIncrement() - first, last - first + 1);
            if (isFree(port)) {
                ports[found++] = port;
            }
        }
        if (found < count) {
            throw new IllegalStateException(
                    "only " + found + " free ports: " + Arrays.toString(ports));
        }
        return ports;
    }

    private static boolean isFree(int port) {
        try (var socket = new ServerSocket()) {
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            return true;
        } catch (IOException taken) {
            return false;
        }
    }
}
