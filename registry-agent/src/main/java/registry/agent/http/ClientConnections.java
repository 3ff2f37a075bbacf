package registry.agent.http;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.eclipse.jetty.io.Connection;
import org.jspecify.annotations.Nullable;

/**
 * Counts the connections of each client; those above {@code limits.http_max_conns_per_client} are
 * refused.
 */
final class ClientConnections implements Connection.Listener {
    /** How long a refused connection may wait for the request that is to be refused. */
    private static final long REFUSED_IDLE_MILLIS = 2_000;

    private final int limit;
    private final ConcurrentHashMap<InetAddress, Integer> counts = new ConcurrentHashMap<>();

    /** A closed connection does not know its peer any more. */
    private final ConcurrentHashMap<Connection, InetAddress> counted = new ConcurrentHashMap<>();

    private final Set<Connection> refused = ConcurrentHashMap.newKeySet();

    /**
     * @param limit 0 for none
     */
    ClientConnections(int limit) {
        this.limit = limit;
    }

    @Override
    public void onOpened(Connection connection) {
        InetAddress client = clientOf(connection);
        if (limit <= 0 || client == null) {
            return;
        }
        counted.put(connection, client);
        if (counts.merge(client, 1, Integer::sum) > limit) {
            refused.add(connection);
            connection.getEndPoint().setIdleTimeout(REFUSED_IDLE_MILLIS);
        }
    }

    @Override
    public void onClosed(Connection connection) {
        InetAddress client = counted.remove(connection);
        if (client != null) {
            refused.remove(connection);
            counts.computeIfPresent(client, (address, count) -> count == 1 ? null : count - 1);
        }
    }

    /** The answer to requests of a connection that is one too many; null for all others. */
    @Nullable Answer refusal(Connection connection) {
        if (refused.isEmpty() || !refused.contains(connection)) {
            return null;
        }
        return Answer.text(
                        429,
                        "Too many connections from this address: "
                                + limit
                                + " are allowed, see limits.http_max_conns_per_client")
                .with("Connection", "close");
    }

    private static @Nullable InetAddress clientOf(Connection connection) {
        return connection.getEndPoint().getRemoteSocketAddress() instanceof InetSocketAddress peer
                ? peer.getAddress()
                : null;
    }
}
