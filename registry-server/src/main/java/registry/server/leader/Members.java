package registry.server.leader;

import java.util.List;
import java.util.SortedMap;

/** What the leader's duties need to know of gossip. */
public interface Members {
    /**
     * A gossip member with what the catalogue must say of it. {@code rpcPort} is 0 for a client
     * agent.
     */
    record Peer(
            String id,
            String name,
            String address,
            boolean server,
            int rpcPort,
            State state,
            SortedMap<String, String> tags) {}

    /** The state of a member. */
    enum State {
        ALIVE,
        LEAVING,
        LEFT,
        FAILED
    }

    /** All members known at this moment. */
    List<Peer> all();

    /** Calls the listener, on a thread that may not be blocked, whenever a member has changed. */
    void onChange(Runnable listener);
}
