package registry.agent.gossip;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import registry.agent.gossip.seal.Links;
import registry.agent.gossip.seal.RefusedException;
import registry.api.ApiException;

/** Asks the addresses of a {@code join} whether a member lives there. Texts are Consul's. */
final class Knocking {
    private final int port;
    private final Links links;

    /**
     * @param port where none is said
     */
    Knocking(int port, Links links) {
        this.port = port;
        this.links = links;
    }

    /**
     * An address that a user named, and where it is.
     *
     * @param name as the user wrote it
     */
    record Answered(String name, InetSocketAddress at) {}

    /**
     * Those that answered. Blocks.
     *
     * @throws ApiException REFUSED when none did, with a line for each
     */
    List<Answered> all(List<String> addresses) {
        List<Answered> answered = new ArrayList<>();
        List<String> errors = new ArrayList<>();
        for (String address : addresses) {
            try {
                answered.add(new Answered(address, one(address)));
            } catch (IOException e) {
                errors.add(e.getMessage());
            }
        }
        if (answered.isEmpty()) {
            throw ApiException.refused(ErrorList.text(errors));
        }
        return answered;
    }

    private InetSocketAddress one(String address) throws IOException {
        String host = host(address);
        InetSocketAddress target;
        try {
            target = Seeds.resolve(address, port).getFirst();
        } catch (UnknownHostException e) {
            throw new IOException(
                    "Failed to resolve " + host + ": lookup " + host + ": no such host", e);
        }
        try {
            links.knock(target, GossipStack.CONNECT_MILLIS);
            return target;
        } catch (RefusedException e) {
            throw new IOException("Failed to join " + host + ": " + e.getMessage(), e);
        } catch (ConnectException e) {
            throw failed(host, target, "connect: connection refused", e);
        } catch (IOException e) {
            throw failed(host, target, "i/o timeout", e);
        }
    }

    private static IOException failed(
            String host, InetSocketAddress target, String why, IOException e) {
        return new IOException(
                "Failed to join %s: dial tcp %s:%d: %s"
                        .formatted(host, host, target.getPort(), why),
                e);
    }

    private static String host(String address) {
        int colon = address.lastIndexOf(':');
        boolean port =
                colon > 0 && (address.indexOf(':') == colon || address.charAt(colon - 1) == ']');
        return port ? address.substring(0, colon) : address;
    }
}
