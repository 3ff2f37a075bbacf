package registry.agent.dns;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import registry.api.ApiException;

/**
 * Whether an answer may take its time. Most need none, and are given by the thread that received
 * the question; what would have to wait is begun again by a thread that may.
 */
enum Patience {
    NONE,
    SOME;

    private static final long LIMIT_SECONDS = 5;

    /** Thrown instead of waiting. */
    static final class NotAtOnce extends RuntimeException {
        private static final long serialVersionUID = 1L;
        static final NotAtOnce INSTANCE = new NotAtOnce();

        private NotAtOnce() {
            super("not at once", null, false, false);
        }
    }

    /** Refuses what always waits. */
    void demand() {
        if (this == NONE) {
            throw NotAtOnce.INSTANCE;
        }
    }

    /**
     * The result.
     *
     * @throws NotAtOnce when it is not there yet and there is no patience
     * @throws ApiException when there will be none
     */
    <T> T await(CompletableFuture<T> result) {
        if (this == NONE && !result.isDone()) {
            throw NotAtOnce.INSTANCE;
        }
        try {
            return result.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof ApiException own
                    ? own
                    : new ApiException(ApiException.Kind.INTERNAL, e.toString(), e);
        } catch (TimeoutException e) {
            throw new ApiException(ApiException.Kind.INTERNAL, "no answer in time", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ApiException(ApiException.Kind.INTERNAL, "interrupted", e);
        }
    }
}
