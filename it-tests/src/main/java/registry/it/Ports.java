package registry.it;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Hands out ports of 127.0.0.1 that nobody listens on, each only once per JVM. They lie below the
 * range from which the kernel takes ports for outgoing connections, so that none of those can grab
 * one before its listener is up; and a JVM takes them from blocks of its own, so that no other JVM
 * of the same tests can. A block is owned by whoever holds its first port, until the JVM ends.
 */
public final class Ports {
    private static final int FIRST = 20_000;
    private static final int LAST = 31_999;
    private static final int BLOCK = 100;

    private static final List<Block> BLOCKS = new ArrayList<>();

    private Ports() {}

    /** {@code count} free ports. */
    public static int[] free(int count) {
        return freeBetween(FIRST, LAST, count);
    }

    /** {@code count} free ports from {@code first} to {@code last}, both included. */
    public static synchronized int[] freeBetween(int first, int last, int count) {
        var ports = new int[count];
        for (int found = 0; found < count; found++) {
            ports[found] = next(first, last);
        }
        return ports;
    }

    private static int next(int first, int last) {
        for (Block block : BLOCKS) {
            while (block.isWithin(first, last) && block.used < BLOCK) {
                int port = block.first() + block.used++;
                if (bound(port) instanceof ServerSocket free) {
                    close(free);
                    return port;
                }
            }
        }
        BLOCKS.add(claim(first, last));
        return next(first, last);
    }

    private static Block claim(int first, int last) {
        for (int start = first; start + BLOCK - 1 <= last; start += BLOCK) {
            if (bound(start) instanceof ServerSocket guard) {
                return new Block(guard);
            }
        }
        throw new IllegalStateException("all ports from " + first + " to " + last + " are taken");
    }

    /** A listener on {@code port}, or null where somebody else has it. */
    private static @Nullable ServerSocket bound(int port) {
        try {
            return new ServerSocket(port, 1, InetAddress.getLoopbackAddress());
        } catch (IOException taken) {
            return null;
        }
    }

    private static void close(ServerSocket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static final class Block {
        private final ServerSocket guard;
        private int used = 1;

        Block(ServerSocket guard) {
            this.guard = guard;
        }

        int first() {
            return guard.getLocalPort();
        }

        boolean isWithin(int first, int last) {
            return first() >= first && first() + BLOCK - 1 <= last;
        }
    }
}
