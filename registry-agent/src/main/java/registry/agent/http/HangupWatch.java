package registry.agent.http;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.eclipse.jetty.http.HttpVersion;
import org.eclipse.jetty.io.AbstractEndPoint;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.HttpStream;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;

/**
 * Watches the connection of one parked HTTP/1 request for its client's end. Jetty itself reads
 * nothing while a request is being answered, so neither FIN nor RST would be seen before the answer
 * is written. The watch takes the read interest instead; bytes that arrive meanwhile belong to the
 * next request and are handed to the connection's own buffer.
 */
final class HangupWatch implements Callback {
    /** What the watch's own interest is withdrawn with. */
    private static final Throwable ANSWERED =
            new Throwable("answered", null, false, false) {
                private static final long serialVersionUID = 1L;
            };

    private static final int SCRATCH = 4096;

    private final EndPoint endPoint;
    private final Connection connection;
    private final Runnable onGone;

    /** Bytes that the connection's buffer can still take; guarded by this. */
    private int room;

    private boolean armed; // guarded by this
    private boolean done; // guarded by this

    private HangupWatch(Request request, Runnable onGone) {
        connection = request.getConnectionMetaData().getConnection();
        endPoint = connection.getEndPoint();
        this.onGone = onGone;
        room = request.getConnectionMetaData().getHttpConfiguration().getInputBufferSize();
    }

    /**
     * Prepares the watch of a request without a body; null where the protocol tells by itself.
     * Called on the thread that handles the request, before anything can answer it.
     *
     * @param onGone called when the client has gone, on a thread that must not be held up; maybe
     *     also after the answer
     */
    static @Nullable HangupWatch attach(Request request, Runnable onGone) {
        if (request.getConnectionMetaData().getHttpVersion() == HttpVersion.HTTP_2) {
            request.addFailureListener(cause -> onGone.run());
            return null;
        }
        var watch = new HangupWatch(request, onGone);
        watch.keepPipelined();
        request.addHttpStreamWrapper(stream -> new Stopping(stream, watch));
        return watch;
    }

    private void keepPipelined() {
        if (connection instanceof Connection.UpgradeFrom from) {
            ByteBuffer pipelined = from.onUpgradeFrom();
            if (pipelined != null) {
                room -= pipelined.remaining();
                ((Connection.UpgradeTo) connection).onUpgradeTo(pipelined);
            }
        }
    }

    /** Begins to watch; when the buffer is full of pipelined requests, the answer comes first. */
    synchronized void arm() {
        if (!done && room > 0) {
            armed = true;
            endPoint.tryFillInterested(this);
        }
    }

    /** Gives the read interest back, just before the connection looks for its next request. */
    synchronized void stop() {
        if (done) {
            return;
        }
        done = true;
        if (armed && endPoint instanceof AbstractEndPoint own) {
            own.getFillInterest().onFail(ANSWERED);
        }
    }

    /** The connection is readable: bytes of a next request, or its end. */
    @Override
    public void succeeded() {
        if (isAtEnd()) {
            onGone.run();
        }
    }

    @Override
    public void failed(Throwable cause) {
        if (cause != ANSWERED) {
            onGone.run();
        }
    }

    @Override
    public InvocationType getInvocationType() {
        return InvocationType.NON_BLOCKING;
    }

    private synchronized boolean isAtEnd() {
        if (done || room <= 0) {
            return false;
        }
        ByteBuffer scratch = BufferUtil.allocate(Math.min(room, SCRATCH));
        int filled;
        try {
            filled = endPoint.fill(scratch);
        } catch (IOException e) {
            return true;
        }
        if (filled < 0) {
            return true;
        }
        if (filled > 0) {
            room -= filled;
            ((Connection.UpgradeTo) connection).onUpgradeTo(scratch);
        }
        if (room > 0) {
            endPoint.tryFillInterested(this);
        }
        return false;
    }

    /** Stops the watch when the exchange ends, before the connection goes on. */
    private static final class Stopping extends HttpStream.Wrapper {
        private final HangupWatch watch;

        Stopping(HttpStream stream, HangupWatch watch) {
            super(stream);
            this.watch = watch;
        }

        @Override
        public void succeeded() {
            watch.stop();
            super.succeeded();
        }

        @Override
        public void failed(Throwable cause) {
            watch.stop();
            super.failed(cause);
        }
    }
}
