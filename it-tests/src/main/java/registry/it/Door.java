package registry.it;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Sockets of this JVM inside a network namespace. A socket belongs for ever to the namespace of the
 * thread that made it, so one thread enters the namespace and makes them, and any thread uses them.
 * Needs root; the JVM should run with {@code --enable-native-access=ALL-UNNAMED}.
 */
final class Door implements AutoCloseable {
    private static final int CLONE_NEWNET = 0x40000000;
    private static final int BUFFER = 65_536;

    private final ExecutorService inside =
            Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("door").factory());
    private final ServerSocketChannel outside;
    private final int port;

    /**
     * @param namespace file of the namespace
     * @param port of 127.0.0.1 inside that a free port of 127.0.0.1 outside leads to
     */
    Door(Path namespace, int port) throws IOException {
        this.port = port;
        inside(() -> {
            enter(namespace);
            return true;
        });
        outside = ServerSocketChannel.open(StandardProtocolFamily.INET);
        outside.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), Ports.free(1)[0]));
        Thread.ofVirtual().name("door-accept").start(this::accept);
    }

    /** The port of 127.0.0.1 in the tests' own network. */
    int outsidePort() throws IOException {
        return ((InetSocketAddress) outside.getLocalAddress()).getPort();
    }

    /** A listener inside. */
    ServerSocketChannel listen(InetSocketAddress address) throws IOException {
        return inside(() -> ServerSocketChannel.open(StandardProtocolFamily.INET).bind(address));
    }

    private <T> T inside(Callable<T> action) throws IOException {
        try {
            return inside.submit(action).get();
        } catch (ExecutionException e) {
            throw new IOException("in the namespace", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    @SuppressWarnings("restricted")
    private static void enter(Path namespace) throws IOException {
        var linker = Linker.nativeLinker();
        var lookup = linker.defaultLookup();
        var open =
                linker.downcallHandle(
                        lookup.find("open").orElseThrow(),
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
                        Linker.Option.firstVariadicArg(2));
        var ofTwo =
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
        var setns = linker.downcallHandle(lookup.find("setns").orElseThrow(), ofTwo);
        var close =
                linker.downcallHandle(
                        lookup.find("close").orElseThrow(),
                        FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        try (var arena = Arena.ofConfined()) {
            int file = (int) open.invokeExact(arena.allocateFrom(namespace.toString()), 0);
            if (file < 0) {
                throw new IOException("cannot open " + namespace);
            }
            int refused = (int) setns.invokeExact(file, CLONE_NEWNET);
            int ignored = (int) close.invokeExact(file);
            if (refused != 0) {
                throw new IOException("cannot enter " + namespace);
            }
        } catch (IOException e) {
            throw e;
        } catch (Throwable e) {
            throw new IOException("cannot enter " + namespace, e);
        }
    }

    private void accept() {
        try {
            while (true) {
                SocketChannel caller = outside.accept();
                Thread.ofVirtual().name("door-relay").start(() -> relay(caller));
            }
        } catch (IOException closed) {
            // The door is closed.
        }
    }

    /** Connects on this thread, not inside: a frozen agent with a full backlog keeps it waiting. */
    private void relay(SocketChannel caller) {
        try (caller;
                SocketChannel agent =
                        inside(() -> SocketChannel.open(StandardProtocolFamily.INET))) {
            try {
                caller.setOption(StandardSocketOptions.TCP_NODELAY, true);
                agent.setOption(StandardSocketOptions.TCP_NODELAY, true);
                agent.connect(new InetSocketAddress("127.0.0.1", port));
                Thread back = Thread.ofVirtual().name("door-back").start(() -> pump(agent, caller));
                pump(caller, agent);
                back.join();
            } catch (IOException refused) {
                // What the agent did not take is refused outside too, as a reset.
                caller.setOption(StandardSocketOptions.SO_LINGER, 0);
            }
        } catch (IOException gone) {
            // One of the two has ended; both are closed.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void pump(SocketChannel from, SocketChannel to) {
        var buffer = ByteBuffer.allocate(BUFFER);
        try {
            while (from.read(buffer) >= 0) {
                buffer.flip();
                while (buffer.hasRemaining()) {
                    to.write(buffer);
                }
                buffer.clear();
            }
            to.shutdownOutput();
        } catch (IOException broken) {
            close(from);
            close(to);
        }
    }

    private static void close(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        outside.close();
        inside.shutdownNow();
    }
}
