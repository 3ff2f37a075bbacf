package registry.server.leader;

import java.util.List;
import java.util.SortedMap;

/** What the leader's duties need to know of gossip. */
public interface Members {
    /**
     * A gossip member with what the catalogue must say of it.
     *
     * @param rpcPort 0 on a client agent
     * @param tags what {@code /v1/agent/members} shows
     * @param facts what members tell each other and show nobody; on a server {@code raft_id},
     *     {@code cluster_id}, {@code command_version} and {@code expect}
     */
    record Peer(
            String id,
            String name,
            String address,
            boolean server,
            int rpcPort,
            State state,
            SortedMap<String, String> tags,
            SortedMap<String, String> facts) {}

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

    /** Replaces this node's own facts and tells all members; does not block. */
    void publish(SortedMap<String, String> facts);
}
