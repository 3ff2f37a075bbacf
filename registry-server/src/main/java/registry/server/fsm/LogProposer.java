package registry.server.fsm;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import registry.api.ApiException;
import registry.server.raft.Consensus;
import registry.server.rpc.Proposer;
import registry.server.state.Op;

/** Encodes ops with the leader's time, and waits for what the log makes of them. */
public final class LogProposer implements Proposer {
    private static final long PATIENCE_SECONDS = 30;

    private final Consensus consensus;
    private final LongSupplier time;

    /**
     * @param time see {@link Fsm#time}
     */
    public LogProposer(Consensus consensus, LongSupplier time) {
        this.consensus = consensus;
        this.time = time;
    }

    @Override
    public Object propose(Op op) {
        CompletableFuture<Object> applied = consensus.propose(Command.encode(op, time.getAsLong()));
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
                    ApiException.Kind.TIMEOUT,
                    "no answer from the log within "
                            + PATIENCE_SECONDS
                            + "s, the write may or may not have been applied",
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ApiException(
                    ApiException.Kind.INTERNAL,
                    "interrupted, the write may or may not have been applied",
                    e);
        }
    }
}
