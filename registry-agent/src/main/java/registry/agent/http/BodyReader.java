package registry.agent.http;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongFunction;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.util.thread.Invocable;

/**
 * Reads the body of one request as it comes, without a thread that waits for it; a body that is too
 * long or too slow is refused.
 */
final class BodyReader implements Invocable.Task {
    /** What is still read of a refused body, so that its sender gets to see the answer. */
    private static final long MAX_DISCARDED = 8 << 20;

    private static final long GRACE_NANOS = TimeUnit.SECONDS.toNanos(30);

    /** The slowest that a body may come, after the grace. */
    private static final long MIN_BYTES_PER_SECOND = 1024;

    /** What becomes of the body. */
    interface Outcome {
        void read(byte[] body);

        void refused(Answer answer);

        /** Not HTTP, or the client is gone. */
        void broken(Throwable cause);
    }

    private final Request request;
    private final int limit;
    private final LongFunction<Answer> tooLarge;
    private final Outcome outcome;
    private final long begin = System.nanoTime();
    private ByteArrayOutputStream kept = new ByteArrayOutputStream(0);
    private long total;

    /**
     * @param limit in bytes
     * @param tooLarge the answer to a body of that many bytes
     */
    BodyReader(Request request, int limit, LongFunction<Answer> tooLarge, Outcome outcome) {
        this.request = request;
        this.limit = limit;
        this.tooLarge = tooLarge;
        this.outcome = outcome;
    }

    /** Reads what is there, and comes back when there is more. */
    void start() {
        long length = request.getHeaders().getLongField(HttpHeader.CONTENT_LENGTH);
        boolean hopeless = length > limit + MAX_DISCARDED;
        boolean asks = length > limit && request.getHeaders().contains(HttpHeader.EXPECT);
        if (hopeless || asks) {
            outcome.refused(closing(tooLarge.apply(length)));
        } else {
            run();
        }
    }

    @Override
    public void run() {
        while (true) {
            Content.Chunk chunk = request.read();
            if (chunk == null) {
                request.demand(this);
                return;
            }
            if (Content.Chunk.isFailure(chunk)) {
                fail(chunk.getFailure());
                return;
            }
            byte[] whole = take(chunk);
            boolean last = chunk.isLast();
            chunk.release();
            if (last) {
                finish(whole);
                return;
            }
            if (total > limit + MAX_DISCARDED || isTooSlow()) {
                outcome.refused(closing(total > limit ? tooLarge.apply(total) : tooSlow()));
                return;
            }
        }
    }

    @Override
    public InvocationType getInvocationType() {
        return InvocationType.NON_BLOCKING;
    }

    /**
     * The bytes of a chunk that is the whole body; else they are kept for {@link #finish} and the
     * result is empty.
     */
    private byte[] take(Content.Chunk chunk) {
        ByteBuffer bytes = chunk.getByteBuffer();
        int length = bytes.remaining();
        total += length;
        if (length == 0) {
            return registry.agent.http.Request.NO_BODY;
        }
        var copy = new byte[length];
        bytes.get(copy);
        if (chunk.isLast() && total == length) {
            return copy;
        }
        if (total > limit) {
            kept = new ByteArrayOutputStream(0);
        } else {
            kept.writeBytes(copy);
        }
        return registry.agent.http.Request.NO_BODY;
    }

    private void finish(byte[] whole) {
        if (total > limit) {
            outcome.refused(tooLarge.apply(total));
        } else {
            outcome.read(whole.length > 0 ? whole : kept.toByteArray());
        }
    }

    private void fail(Throwable cause) {
        if (cause instanceof TimeoutException) {
            outcome.refused(closing(tooSlow()));
        } else {
            outcome.broken(cause);
        }
    }

    private boolean isTooSlow() {
        long late = System.nanoTime() - begin - GRACE_NANOS;
        return late > 0 && total < TimeUnit.NANOSECONDS.toSeconds(late) * MIN_BYTES_PER_SECOND;
    }

    private static Answer tooSlow() {
        return Answer.text(408, "Request body comes too slowly");
    }

    private static Answer closing(Answer answer) {
        return answer.with("Connection", "close");
    }
}
