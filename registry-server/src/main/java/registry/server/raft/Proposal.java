package registry.server.raft;

import com.alipay.sofa.jraft.Closure;
import com.alipay.sofa.jraft.Status;
import java.util.concurrent.CompletableFuture;
import registry.api.ApiException;
import registry.api.ApiException.Kind;

/** One command on its way through the log, and the future that its proposer holds. */
final class Proposal extends CompletableFuture<Object> implements Closure {
    /** Takes the command's bytes off what is under way. */
    interface Ended {
        void ended(int bytes);
    }

    private final int bytes;
    private final Ended ended;

    Proposal(int bytes, Ended ended) {
        this.bytes = bytes;
        this.ended = ended;
    }

    /** On the applier's thread. */
    void applied(Object result) {
        ended.ended(bytes);
        complete(result);
    }

    /**
     * Called by the engine for what it could not bring through; also after {@link #applied}, which
     * then counts.
     */
    @Override
    public void run(Status status) {
        if (isDone()) {
            return;
        }
        ended.ended(bytes);
        completeExceptionally(refusal(status));
    }

    /**
     * Only what certainly never entered the log may be told as such: such a write may be tried
     * again elsewhere.
     */
    static ApiException refusal(Status status) {
        String text = String.valueOf(status.getErrorMsg());
        return switch (status.getRaftError()) {
            case EBUSY -> text.contains("transferring") ? ApiException.noLeader() : overloaded();
            case ENODESHUTDOWN -> ApiException.noLeader();
            case EPERM ->
                    text.equals("Is not leader.") || text.startsWith("expected_term=")
                            ? ApiException.noLeader()
                            : unknown(text);
            default -> unknown(text);
        };
    }

    static ApiException overloaded() {
        return new ApiException(
                Kind.OVERLOADED, "too many writes are waiting to be written, try again later");
    }

    static ApiException tooLarge(int bytes) {
        return new ApiException(
                Kind.TOO_LARGE,
                "a write of %d bytes is too large, at most %d are possible"
                        .formatted(bytes, RaftLinks.MAX_COMMAND_BYTES));
    }

    private static ApiException unknown(String text) {
        return new ApiException(
                Kind.UNKNOWN,
                "it is not known whether the write was applied, the leader changed: " + text);
    }
}
