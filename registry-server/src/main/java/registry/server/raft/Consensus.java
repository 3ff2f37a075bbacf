package registry.server.raft;

import java.util.List;
import java.util.SortedMap;
import java.util.concurrent.CompletableFuture;

/**
 * Orders commands: what it has acknowledged survives any crash, and all servers apply the same
 * commands in the same order. Knows bytes only.
 */
public interface Consensus extends AutoCloseable {
    /**
     * A voter or learner. {@code id} is its node id, or its raft id while no member of gossip is
     * known to have that, {@code address} its RPC address as {@code ip:port}, empty when unknown.
     */
    record Peer(String id, String node, String address, boolean leader, boolean voter) {}

    /**
     * What the leader knows of a member.
     *
     * @param answers whether it was heard within an election timeout
     * @param lastContactMillis since it was heard; 0 on the leader itself
     * @param lastIndex of the entries that it is known to have, {@code lastTerm} that one's term
     */
    record Standing(
            String raftId,
            Peer peer,
            boolean answers,
            long lastContactMillis,
            long lastTerm,
            long lastIndex) {}

    /**
     * Proposes a command; the future completes with what {@link Applier#apply} returned, on the
     * applier's thread, once a quorum has the command on disk. It fails with an {@link
     * registry.api.ApiException}: NO_LEADER when this server does not lead, OVERLOADED when its
     * bounded queue is full, UNKNOWN when it can't be known whether the command was applied.
     */
    CompletableFuture<Object> propose(byte[] command);

    /**
     * Completes when the local state contains all that was acknowledged anywhere before the call: a
     * linearizable read may follow.
     */
    CompletableFuture<Void> readIndex();

    /**
     * True while this server leads, has applied an entry of its own term, and has heard a quorum
     * within an election timeout.
     */
    boolean isReadyLeader();

    /** Id of the leader as far as this server knows; empty text while there is none. */
    String leaderId();

    /**
     * Where {@link #leaderId} serves calls, as {@code ip:port}; empty text when that is unknown.
     */
    default String leaderAddress() {
        String id = leaderId();
        return peers().stream()
                .filter(peer -> !id.isEmpty() && peer.id().equals(id))
                .map(Peer::address)
                .findFirst()
                .orElse("");
    }

    /** Milliseconds since this server heard its leader; 0 on the leader itself. */
    long lastContactMillis();

    /** The present members. */
    List<Peer> peers();

    /** How the members stand, as the leader sees it; nothing on others. */
    List<Standing> standings();

    /**
     * Removes a voter, as the leader.
     *
     * @throws registry.api.ApiException REFUSED when the others that answer are no quorum
     */
    void removeVoter(String raftId);

    /**
     * Hands leadership over, and waits for it.
     *
     * @param id node id of who shall lead; empty for any other voter
     * @throws registry.api.ApiException REFUSED with the reason
     */
    void transferLeadership(String id);

    /** Figures for {@code registry info}: applied_index, commit_index, term, state, … */
    SortedMap<String, String> stats();

    /** Stops cleanly: a snapshot when it is worth it, then the stores are closed. */
    @Override
    void close();
}
