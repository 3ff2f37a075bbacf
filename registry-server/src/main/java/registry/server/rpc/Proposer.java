package registry.server.rpc;

import registry.server.state.Op;

/** Takes a command to the log and waits for its result. */
public interface Proposer {
    /**
     * Blocks until the command is durable on a quorum and applied here.
     *
     * @return what {@link Op#apply} returned
     * @throws registry.api.ApiException the refusal, or why the command could not be proposed
     */
    Object propose(Op op);
}
