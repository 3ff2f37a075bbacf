package registry.agent.check;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.FutureTask;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Opens TCP connections within a time, and says what went wrong in the words that Consul's users
 * know.
 */
final class Dial {
    /**
     * The system's resolver blocks its thread for as long as it likes, which would stop one of the
     * few that carry all virtual ones: it gets platform threads that go when idle.
     */
    private static final ExecutorService RESOLVER =
            new ThreadPoolExecutor(
                    0,
                    64,
                    10,
                    TimeUnit.SECONDS,
                    new SynchronousQueue<>(),
                    Thread.ofPlatform().name("check-resolver").daemon(true).factory(),
                    new ThreadPoolExecutor.DiscardPolicy());

    private Dial() {}

    /**
     * A connection to the first address of the host that answers.
     *
     * @param host a name or an address, IPv6 without brackets
     * @throws IOException as in {@code dial tcp 127.0.0.1:1: connect: connection refused}
     */
    static Socket connect(String host, int port, Duration timeout)
            throws IOException, InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        IOException failure = new IOException("dial tcp: lookup " + host + ": no such host");
        for (InetAddress address : resolve(host, timeout)) {
            long left = deadline - System.nanoTime();
            if (left <= 0) {
                break;
            }
            var socket = new Socket();
            try {
                socket.connect(
                        new InetSocketAddress(address, port),
                        Math.clamp(left / 1_000_000, 1, Integer.MAX_VALUE));
                return socket;
            } catch (IOException e) {
                socket.close();
                failure = new IOException("dial tcp " + hostPort(address, port) + ": " + reason(e));
            }
        }
        throw failure;
    }

    private static InetAddress[] resolve(String host, Duration timeout)
            throws IOException, InterruptedException {
        if (isLiteral(host)) {
            return InetAddress.getAllByName(host);
        }
        var lookup = new FutureTask<>(() -> InetAddress.getAllByName(host));
        RESOLVER.execute(lookup);
        try {
            return lookup.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw new IOException("dial tcp: lookup " + host + ": i/o timeout", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof UnknownHostException) {
                throw new IOException("dial tcp: lookup " + host + ": no such host", e);
            }
            throw new IOException("dial tcp: lookup " + host + ": " + e.getCause(), e);
        }
    }

    private static boolean isLiteral(String host) {
        return host.indexOf(':') >= 0
                || host.chars().allMatch(c -> c == '.' || c >= '0' && c <= '9');
    }

    private static String hostPort(InetAddress address, int port) {
        String text = address.getHostAddress();
        return (text.indexOf(':') >= 0 ? "[" + text + "]" : text) + ":" + port;
    }

    /** Java's words for an error of a socket in Go's. */
    static String reason(IOException e) {
        return switch (e) {
            case SocketTimeoutException _ -> "i/o timeout";
            case NoRouteToHostException _ -> "connect: no route to host";
            case ConnectException _ when says(e, "refused") -> "connect: connection refused";
            case IOException _ when says(e, "unreachable") -> "connect: network is unreachable";
            case IOException _ when says(e, "reset") -> "read: connection reset by peer";
            default -> String.valueOf(e.getMessage());
        };
    }

    private static boolean says(IOException e, String word) {
        String message = e.getMessage();
        return message != null && message.contains(word);
    }
}
