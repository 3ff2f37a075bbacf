package registry.agent.http;

import java.io.FilterInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.Executor;
import java.util.function.UnaryOperator;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpURI;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.Invocable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.agent.http.Dispatcher.Opened;
import registry.api.ApiException;

/**
 * The door in front: judges every request's head, reads its body, and answers those routes that are
 * its own. The rest it hands to the door behind it. Runs on the selector's thread, so nothing here
 * may block.
 */
final class CoreDoor extends Handler.Wrapper {
    private static final Logger LOG = LoggerFactory.getLogger(CoreDoor.class);

    /** What the other door sees of the path: its routes are not told by it. */
    private static final HttpURI BEHIND = HttpURI.from("/");

    private static final Answer COMPRESSED_BODY =
            Answer.text(415, "Compressed request bodies are not accepted");

    private final Dispatcher dispatcher;
    private final ClientConnections connections;
    private final Executor virtualThreads;
    private final Doors doors;
    private final AnswerWriter writer;
    private final LiveAnswers live;

    /** Which door a route goes through; tests send all routes through one. */
    interface Doors {
        Route.Door of(Route route);
    }

    CoreDoor(
            Dispatcher dispatcher,
            ClientConnections connections,
            Executor virtualThreads,
            Doors doors,
            AnswerWriter writer,
            LiveAnswers live,
            Handler behind) {
        super(behind);
        this.dispatcher = dispatcher;
        this.connections = connections;
        this.virtualThreads = virtualThreads;
        this.doors = doors;
        this.writer = writer;
        this.live = live;
    }

    /** Whatever blocks is handed to a virtual thread here, also what the door behind does. */
    @Override
    public Invocable.InvocationType getInvocationType() {
        return Invocable.InvocationType.NON_BLOCKING;
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) {
        var exchange = new Exchange(this, request, response, callback);
        Answer refusal = connections.refusal(request.getConnectionMetaData().getConnection());
        if (refusal != null) {
            exchange.accept(refusal);
            return true;
        }
        switch (open(request)) {
            case Opened.Refused refused -> exchange.accept(refused.answer());
            case Opened.Routed(Route route, registry.agent.http.Request head) ->
                    readBody(exchange, request, route, head);
        }
        return true;
    }

    /** The head of a request, judged. */
    Opened open(Request request) {
        HttpURI uri = request.getHttpURI();
        return dispatcher.open(
                request.getMethod(),
                uri.getPath(),
                uri.getQuery(),
                headersOf(request),
                clientOf(request));
    }

    private static UnaryOperator<@Nullable String> headersOf(Request request) {
        HttpFields fields = request.getHeaders();
        return name -> name == null ? null : fields.get(name);
    }

    private static @Nullable InetAddress clientOf(Request request) {
        return request.getConnectionMetaData().getRemoteSocketAddress()
                        instanceof InetSocketAddress peer
                ? peer.getAddress()
                : null;
    }

    private void readBody(
            Exchange exchange, Request request, Route route, registry.agent.http.Request head) {
        if (route.handler() instanceof StreamHandler.InTable(StreamHandler handler)) {
            virtualThreads.execute(() -> stream(exchange, route, head, handler));
            return;
        }
        HttpFields fields = request.getHeaders();
        long length = fields.getLongField(HttpHeader.CONTENT_LENGTH);
        if (length <= 0 && !fields.contains(HttpHeader.TRANSFER_ENCODING)) {
            serve(exchange, route, head, true);
            return;
        }
        String coding = fields.get(HttpHeader.CONTENT_ENCODING);
        if (coding != null && !coding.equalsIgnoreCase("identity")) {
            exchange.accept(COMPRESSED_BODY);
            return;
        }
        var outcome =
                new BodyReader.Outcome() {
                    @Override
                    public void read(byte[] body) {
                        serve(exchange, route, head.withBody(body), false);
                    }

                    @Override
                    public void refused(Answer answer) {
                        exchange.accept(answer);
                    }

                    @Override
                    public void broken(Throwable cause) {
                        exchange.broken(cause);
                    }
                };
        new BodyReader(
                        request,
                        dispatcher.bodyLimit(route),
                        size -> dispatcher.tooLarge(route, size),
                        outcome)
                .start();
    }

    /**
     * @param bare without a body: only then can its connection be watched
     */
    private void serve(
            Exchange exchange, Route route, registry.agent.http.Request head, boolean bare) {
        if (route.handler() instanceof LiveHandler.InTable(LiveHandler feeds)) {
            answerLive(exchange, route, head, feeds, bare);
            return;
        }
        switch (doors.of(route)) {
            case READ -> {
                var position = route.handler().position();
                if (position != null && EventFeed.isWantedBy(head)) {
                    EventFeed.Asking asking = (next, then) -> dispatcher.answer(route, next, then);
                    LiveHandler events =
                            (first, more) -> new EventFeed(first, position, asking, live, more);
                    answerLive(exchange, route, head, events, bare);
                } else {
                    exchange.ask(dispatcher, route, head, bare);
                }
            }
            case WRITE -> {
                long begin = System.nanoTime();
                Answer quick = route.handler().quick(head);
                if (quick != null) {
                    dispatcher.measure(route, begin);
                    exchange.accept(quick);
                    return;
                }
                exchange.ignoreIdleness();
                virtualThreads.execute(() -> dispatcher.ask(route, head, exchange));
            }
            case STREAM -> throw new IllegalStateException("its handler has no streams");
            case PLAIN -> {
                exchange.ignoreIdleness();
                virtualThreads.execute(() -> handBehind(exchange, route, head));
            }
        }
    }

    private void answerLive(
            Exchange exchange,
            Route route,
            registry.agent.http.Request head,
            LiveHandler feeds,
            boolean bare) {
        Answer refusal = dispatcher.refusal(route, head);
        if (refusal != null) {
            exchange.accept(refusal);
            return;
        }
        var answer = new LiveAnswer(exchange, live);
        Feed feed;
        try {
            feed = feeds.open(head, answer::more);
        } catch (ApiException e) {
            exchange.accept(Answer.of(e));
            return;
        }
        answer.begin(feed, bare);
    }

    private void stream(
            Exchange exchange,
            Route route,
            registry.agent.http.Request head,
            StreamHandler handler) {
        Answer refusal = dispatcher.refusal(route, head);
        if (refusal != null) {
            exchange.accept(refusal);
            return;
        }
        long begin = System.nanoTime();
        try {
            handler.stream(head, new Body(exchange), exchange);
            dispatcher.measure(route, begin);
        } catch (ApiException e) {
            if (!exchange.cut(e)) {
                exchange.accept(Answer.of(e));
            }
        } catch (IOException | RuntimeException e) {
            LOG.warn("stream broken: path={} error={}", head.path(), e.toString());
            if (!exchange.cut(e)) {
                exchange.accept(Answer.text(500, "Internal error: " + e.getMessage()));
            }
        }
    }

    /** A body that has to keep coming; once it is there the client may wait for its answer. */
    private static final class Body extends FilterInputStream {
        private final Exchange exchange;

        Body(Exchange exchange) {
            super(Content.Source.asInputStream(exchange.request()));
            this.exchange = exchange;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            int read = super.read(bytes, offset, length);
            if (read < 0) {
                exchange.ignoreIdleness();
            }
            return read;
        }
    }

    void head(Response response, Answer head) {
        writer.head(response, head);
    }

    /** Sends the head of an answer whose body follows. */
    OutputStream begin(Response response, Callback callback, Answer head) {
        writer.head(response, head);
        OutputStream body = Content.Sink.asOutputStream(response);
        return new FilterOutputStream(body) {
            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                out.write(bytes, offset, length);
            }

            @Override
            public void close() throws IOException {
                super.close();
                callback.succeeded();
            }
        };
    }

    private void handBehind(Exchange exchange, Route route, registry.agent.http.Request head) {
        Request request = exchange.request();
        request.setAttribute(
                JavalinDoor.TASK, new JavalinDoor.Task(route, head, request, exchange.response()));
        try {
            boolean handled =
                    super.handle(
                            Request.serveAs(request, BEHIND),
                            exchange.response(),
                            exchange.callback());
            if (!handled) {
                exchange.accept(Answer.empty(404));
            }
        } catch (Exception e) {
            exchange.broken(e);
        }
    }

    /**
     * Asks anew and without waiting, for a client that went or that only closed its half of the
     * connection.
     */
    void askWithoutWaiting(Exchange exchange) {
        virtualThreads.execute(() -> {
            if (open(exchange.request()) instanceof Opened.Routed(Route route, var head)) {
                dispatcher.ask(route, head.withoutWaiting(), exchange);
            }
        });
    }

    /** Writes an answer; never blocks. */
    void write(Request request, Response response, Callback callback, Answer answer) {
        byte[] body = writer.begin(request, response, answer);
        response.write(true, ByteBuffer.wrap(body), callback);
    }
}
