package registry.agent.cli;

import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A lock that processes of many machines share, as Consul's clients keep it in the KV store. */
interface ClusterLock {
    /**
     * Takes the lock, or waits for it. Blocks.
     *
     * @param patience how long to wait for others; null for ever
     * @return false when others have it for longer than that
     * @throws Failure when it can't be known, or the key is used otherwise
     */
    boolean acquire(@Nullable Duration patience) throws Failure, InterruptedException;

    /** Returns when the lock is lost; only after {@link #acquire}. Blocks. */
    void awaitLoss() throws InterruptedException;

    /** Lets go, in whatever state; the lock may have been lost before. */
    void release() throws Failure, InterruptedException;

    /** Removes what is left in the KV store; false when others use it. */
    boolean cleanUp() throws Failure, IOException, InterruptedException;
}
