package registry.agent.gossip;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether the others let this node in. Who is refused asks again for some seconds, since the other
 * may be its own dead past; then it gives way for good.
 */
final class Admission {
    private static final Logger LOG = LoggerFactory.getLogger(Admission.class);
    private static final long WELCOME_MILLIS = 1_000;
    private static final long REPEAT_NANOS = 400_000_000L;

    /** Without a refusal for so long after an announcement it is accepted. */
    private static final long ACCEPTED_NANOS = 1_500_000_000L;

    /** A process that died is found dead in less. */
    private static final long REFUSED_NANOS = 8_000_000_000L;

    private final LongSupplier upMillis;
    private final CountDownLatch welcomed = new CountDownLatch(1);
    private final CompletableFuture<String> fatal = new CompletableFuture<>();
    private volatile long refusedSince; // 0: is not
    private volatile long refusedLast;

    /**
     * @param upMillis for how long this process has run
     */
    Admission(LongSupplier upMillis) {
        this.upMillis = upMillis;
    }

    /** Somebody has told us whom he knows. */
    void welcome() {
        welcomed.countDown();
    }

    /**
     * Somebody says that our name is another's. Called by the {@code gossip} thread.
     *
     * @param holderUpMillis for how long that one has run: who came later gives way
     * @return whether to ask again in a moment
     */
    boolean refused(String text, long holderUpMillis) {
        if (holderUpMillis < upMillis.getAsLong()) {
            return false;
        }
        long now = System.nanoTime();
        if (refusedSince == 0 || now - refusedLast > ACCEPTED_NANOS) {
            refusedSince = now;
        }
        boolean first = now - refusedLast > REPEAT_NANOS;
        refusedLast = now;
        welcome();
        if (now - refusedSince > REFUSED_NANOS) {
            giveUp(text);
            return false;
        }
        return first;
    }

    /** This node can't go on, for a reason that the user is told. */
    void giveUp(String why) {
        fatal.complete(why);
    }

    /**
     * Others may hold our name: they say so before, or instead of, telling whom they know.
     *
     * @throws IOException when the name is not to be had
     */
    void await(boolean others) throws IOException {
        try {
            if (others && !welcomed.await(WELCOME_MILLIS, MILLISECONDS)) {
                LOG.warn("no member has greeted this node yet");
            }
            while (refusedSince != 0 && !fatal.isDone()) {
                MILLISECONDS.sleep(50);
                if (System.nanoTime() - refusedLast > ACCEPTED_NANOS) {
                    refusedSince = 0;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (fatal.isDone()) {
            throw new IOException(fatal.join());
        }
    }

    void onFatal(Consumer<String> listener) {
        fatal.thenAccept(listener);
    }
}
