package registry.server.raft;

import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;
import registry.server.link.Hub;
import registry.server.link.Service;

/** How a server's Raft reaches the others. */
public interface RaftNetwork {
    /** A hub that serves {@code raft} on this server's port, and dials. */
    Hub hub(Service raft);

    /** Where a peer is now; null while that is not known. */
    @Nullable InetSocketAddress address(String raftId);
}
