package registry.agent.http;

import java.nio.ByteBuffer;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;
import registry.agent.http.Feed.Piece;

/**
 * An answer that goes on until its client hangs up or the agent stops. No thread belongs to it:
 * whoever has news for it sends them on, and the next piece is fetched when the last one was taken.
 * So of a client that reads slowly, or not at all, one piece is kept and no more.
 *
 * <p>One thread at a time drives it, see {@link #more}; its lock is held for memory only.
 */
final class LiveAnswer implements Callback, Predicate<TimeoutException>, Runnable {
    /** Pieces that one thread sends in a row before others get their turn. */
    private static final int TURNS = 8;

    private final Exchange exchange;
    private final LiveAnswers all;
    private volatile @Nullable Feed feed;
    private boolean begun; // guarded by this, as all below
    private boolean driven;
    private boolean again;
    private boolean writing;
    private boolean beating;
    private boolean ending;
    private boolean over;

    LiveAnswer(Exchange exchange, LiveAnswers all) {
        this.exchange = exchange;
        this.all = all;
    }

    /** Called on the thread that handles the request. */
    void begin(Feed pieces, boolean watched) {
        feed = pieces;
        exchange.request().addIdleTimeoutListener(this);
        HangupWatch watch = watched ? HangupWatch.attach(exchange.request(), this) : null;
        all.add(this);
        more();
        if (watch != null && !isOver()) {
            watch.arm();
        }
    }

    /** There may be a next piece. */
    void more() {
        synchronized (this) {
            if (driven) {
                again = true;
                return;
            }
            if (over || writing) {
                // Asked for as soon as the last one was taken.
                return;
            }
            driven = true;
        }
        drive();
    }

    /** Lets the client see, and the connection notice, that both are still there. */
    void beat() {
        synchronized (this) {
            if (!begun || writing || over) {
                return;
            }
            beating = true;
        }
        more();
    }

    /** Ends the answer as if it were complete. */
    void end() {
        closeFeed();
        synchronized (this) {
            ending = true;
        }
        more();
    }

    /** The client has gone, or will at least send nothing more. */
    @Override
    public void run() {
        end();
    }

    /** Whether the idle timeout is to end the answer: only while the client does not take it. */
    @Override
    public synchronized boolean test(TimeoutException timeout) {
        return writing;
    }

    private void drive() {
        for (int turn = 0; turn < TURNS; turn++) {
            Piece piece = feed == null ? null : feed.next();
            switch (piece) {
                case Piece.Refusal(Answer answer) -> {
                    refuse(answer);
                    return;
                }
                case Piece.Bytes(byte[] bytes) -> {
                    if (!write(bytes)) {
                        return;
                    }
                }
                case null -> {
                    if (!rest()) {
                        return;
                    }
                }
            }
        }
        all.execute(this::drive);
    }

    /**
     * There is no piece: what else is to be done?
     *
     * @return whether to look for a piece again
     */
    private boolean rest() {
        boolean last;
        synchronized (this) {
            last = ending && !over;
            if (last) {
                over = true;
            } else if (over || !beating) {
                boolean look = again && !over;
                again = false;
                driven = look;
                return look;
            }
        }
        if (last) {
            finish();
            return false;
        }
        Feed beats = feed;
        byte[] heartbeat = beats == null ? new byte[0] : beats.heartbeat();
        if (heartbeat.length == 0) {
            synchronized (this) {
                beating = false;
            }
            return true;
        }
        return write(heartbeat);
    }

    /**
     * @return whether the bytes were taken at once; else the driver's turn ends here, and {@link
     *     #succeeded} begins the next
     */
    private boolean write(byte[] bytes) {
        boolean first;
        synchronized (this) {
            first = !begun;
            begun = true;
            beating = false;
            writing = true;
        }
        Feed pieces = feed;
        if (first && pieces != null) {
            exchange.beginLive(pieces.head());
        }
        exchange.response().write(false, ByteBuffer.wrap(bytes), this);
        synchronized (this) {
            driven = !writing && !over;
            return driven;
        }
    }

    @Override
    public void succeeded() {
        synchronized (this) {
            writing = false;
            if (driven) {
                again = true;
                return;
            }
            driven = true;
        }
        drive();
    }

    @Override
    public void failed(Throwable cause) {
        synchronized (this) {
            over = true;
            writing = false;
        }
        forget();
        exchange.callback().failed(cause);
    }

    @Override
    public InvocationType getInvocationType() {
        return InvocationType.NON_BLOCKING;
    }

    private void refuse(Answer answer) {
        synchronized (this) {
            over = true;
        }
        forget();
        exchange.accept(answer);
    }

    private void finish() {
        forget();
        boolean headed;
        synchronized (this) {
            headed = begun;
        }
        if (headed) {
            exchange.response().write(true, BufferUtil.EMPTY_BUFFER, exchange.callback());
        } else {
            exchange.accept(Answer.text(503, "Ended before there was an answer"));
        }
    }

    private void forget() {
        all.remove(this);
        closeFeed();
    }

    private void closeFeed() {
        Feed pieces = feed;
        if (pieces != null) {
            pieces.close();
        }
    }

    private synchronized boolean isOver() {
        return over;
    }
}
