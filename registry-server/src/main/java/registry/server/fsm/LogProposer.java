package registry.server.fsm;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import registry.api.ApiException;
import registry.server.once.Once;
import registry.server.raft.Consensus;
import registry.server.rpc.Proposer;
import registry.server.state.Op;

/**
 * Encodes ops with the leader's time, and waits for what the log makes of them. While it does, the
 * op itself lies ready for the state machine of the same process, which need not decode the bytes
 * that it gets back from the log.
 */
public final class LogProposer implements Proposer {
    private static final long PATIENCE_SECONDS = 30;

    private final Consensus consensus;
    private final Fsm fsm;

    /**
     * @param fsm what {@code consensus} applies commands to; knows the time
     */
    public LogProposer(Consensus consensus, Fsm fsm) {
        this.consensus = consensus;
        this.fsm = fsm;
    }

    @Override
    public Object propose(Op wanted) {
        Op op = Once.mark(wanted);
        byte[] command = Command.encode(op, fsm.time());
        fsm.proposed(command, op);
        try {
            return await(consensus.propose(command));
        } finally {
            fsm.forget(command);
        }
    }

    private static Object await(CompletableFuture<Object> applied) {
        try {
            Object result = applied.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            if (result instanceof ApiException refusal) {
                throw refusal;
            }
            return result;
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw cause instanceof ApiException known
                    ? known
                    : new ApiException(ApiException.Kind.INTERNAL, cause.toString(), cause);
        } catch (TimeoutException e) {
            throw new ApiException(
                    ApiException.Kind.UNKNOWN,
                    "no answer from the log within "
                            + PATIENCE_SECONDS
                            + "s, the write may or may not have been applied",
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ApiException(
                    ApiException.Kind.UNKNOWN,
                    "interrupted, the write may or may not have been applied",
                    e);
        }
    }
}
