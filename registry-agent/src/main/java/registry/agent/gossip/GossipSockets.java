package registry.agent.gossip;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import org.jgroups.util.DefaultSocketFactory;
import registry.agent.gossip.seal.Links;

/** Gives the transport connections of {@link Links} in the place of plain ones. */
final class GossipSockets extends DefaultSocketFactory {
    private final Links links;

    GossipSockets(Links links) {
        this.links = links;
    }

    @Override
    public Socket createSocket(String purpose) {
        return links.dialling();
    }

    @Override
    public ServerSocket createServerSocket(String purpose) throws IOException {
        return links.door();
    }
}
