package registry.agent.http;

import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;
import registry.server.rpc.Servers;

/**
 * One request at the core door, until it is answered: by whoever is first. All that a parked query
 * keeps hangs on this.
 */
final class Exchange
        implements Consumer<Answer>, Predicate<TimeoutException>, Runnable, StreamHandler.Out {
    private static final AtomicIntegerFieldUpdater<Exchange> ANSWERED =
            AtomicIntegerFieldUpdater.newUpdater(Exchange.class, "answered");

    private final CoreDoor door;
    private final Request request;
    private final Response response;
    private final Callback callback;
    private volatile Servers.@Nullable Held held;
    private volatile int answered;
    private volatile boolean begun;

    Exchange(CoreDoor door, Request request, Response response, Callback callback) {
        this.door = door;
        this.request = request;
        this.response = response;
        this.callback = callback;
    }

    Request request() {
        return request;
    }

    Response response() {
        return response;
    }

    Callback callback() {
        return callback;
    }

    /**
     * Lets the handler take its time: the idle timeout is for clients that do not send or do not
     * read.
     */
    void ignoreIdleness() {
        request.addIdleTimeoutListener(this);
    }

    /**
     * Whether the idle timeout is to end the exchange: only while the client does not take its
     * answer.
     */
    @Override
    public boolean test(TimeoutException timeout) {
        return answered != 0;
    }

    /** Asks a handler that may leave its answer for later, and watches the client meanwhile. */
    void ask(
            Dispatcher dispatcher, Route route, registry.agent.http.Request head, boolean watched) {
        if (!head.mayWait()) {
            dispatcher.ask(route, head, this);
            if (answered == 0) {
                ignoreIdleness();
            }
            return;
        }
        ignoreIdleness();
        HangupWatch watch = watched ? HangupWatch.attach(request, this) : null;
        held = dispatcher.ask(route, head, this);
        if (watch != null && answered == 0) {
            watch.arm();
        }
    }

    /** The client has gone, or will at least send nothing more. */
    @Override
    public void run() {
        Servers.Held question = held;
        if (answered == 0) {
            if (question != null) {
                question.drop();
            }
            door.askWithoutWaiting(this);
        }
    }

    @Override
    public void accept(Answer answer) {
        if (ANSWERED.compareAndSet(this, 0, 1)) {
            door.write(request, response, callback, answer);
        }
    }

    @Override
    public void answer(Answer whole) {
        accept(whole);
    }

    @Override
    public OutputStream begin(Answer head) throws IOException {
        if (!ANSWERED.compareAndSet(this, 0, 1)) {
            throw new IOException("the request was answered already");
        }
        begun = true;
        return door.begin(response, callback, head);
    }

    /** Sets the head of a live answer, which then writes its pieces itself. */
    void beginLive(Answer head) {
        ANSWERED.set(this, 1);
        door.head(response, head);
    }

    /** Cuts an answer off that was begun and not ended; false when none was begun. */
    boolean cut(Throwable cause) {
        if (begun) {
            callback.failed(cause);
        }
        return begun;
    }

    /** Ends the exchange where no answer can be made: the server's error handler finds words. */
    void broken(Throwable cause) {
        if (ANSWERED.compareAndSet(this, 0, 1)) {
            Response.writeError(request, response, callback, cause);
        }
    }
}
