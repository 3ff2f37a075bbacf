package registry.agent.http;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.UnaryOperator;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpURI;
import org.eclipse.jetty.http.PreEncodedHttpField;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.Invocable;
import org.jspecify.annotations.Nullable;
import registry.agent.http.Dispatcher.Opened;

/**
 * The door in front: judges every request's head, reads its body, and answers those routes that are
 * its own. The rest it hands to the door behind it. Runs on the selector's thread, so nothing here
 * may block.
 */
final class CoreDoor extends Handler.Wrapper {
    /** What the other door sees of the path: its routes are not told by it. */
    private static final HttpURI BEHIND = HttpURI.from("/");

    private static final HttpField JSON =
            new PreEncodedHttpField(HttpHeader.CONTENT_TYPE, Answer.JSON);
    private static final HttpField TEXT =
            new PreEncodedHttpField(HttpHeader.CONTENT_TYPE, Answer.TEXT);
    private static final HttpField GZIPPED =
            new PreEncodedHttpField(HttpHeader.CONTENT_ENCODING, "gzip");
    private static final Answer COMPRESSED_BODY =
            Answer.text(415, "Compressed request bodies are not accepted");

    private final Dispatcher dispatcher;
    private final ClientConnections connections;
    private final Executor virtualThreads;
    private final Doors doors;
    private final Gzip gzip = new Gzip();
    private final Map<Answer.Dress, HttpFields> dresses = new EnumMap<>(Answer.Dress.class);

    /** Which door a route goes through; tests send all routes through one. */
    interface Doors {
        Route.Door of(Route route);
    }

    CoreDoor(
            Dispatcher dispatcher,
            ClientConnections connections,
            Executor virtualThreads,
            Doors doors,
            Handler behind) {
        super(behind);
        this.dispatcher = dispatcher;
        this.connections = connections;
        this.virtualThreads = virtualThreads;
        this.doors = doors;
        for (Answer.Dress dress : Answer.Dress.values()) {
            HttpFields.Mutable fields = HttpFields.build();
            for (Header line : dispatcher.linesOf(dress)) {
                fields.add(new PreEncodedHttpField(line.name(), line.value()));
            }
            dresses.put(dress, fields.asImmutable());
        }
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
        switch (doors.of(route)) {
            case READ -> exchange.ask(dispatcher, route, head, bare);
            case WRITE -> {
                exchange.ignoreIdleness();
                virtualThreads.execute(() -> dispatcher.ask(route, head, exchange));
            }
            case PLAIN -> {
                exchange.ignoreIdleness();
                virtualThreads.execute(() -> handBehind(exchange, route, head));
            }
        }
    }

    private void handBehind(Exchange exchange, Route route, registry.agent.http.Request head) {
        Request request = exchange.request();
        request.setAttribute(JavalinDoor.TASK, new JavalinDoor.Task(route, head));
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
        response.setStatus(answer.status());
        HttpFields.Mutable fields = response.getHeaders();
        fields.add(dresses.getOrDefault(answer.dress(), HttpFields.EMPTY));
        String type = answer.contentType();
        if (type != null) {
            fields.add(fieldOf(type));
        }
        List<Header> lines = answer.headers();
        for (int at = 0; at < lines.size(); at++) {
            Header line = lines.get(at);
            fields.add(new HttpField(line.name(), line.value()));
        }
        byte[] body = answer.body();
        if (answer.dress() == Answer.Dress.FULL
                && Gzip.wants(request.getHeaders().get(HttpHeader.ACCEPT_ENCODING), body)) {
            body = gzip.zip(body);
            fields.add(GZIPPED);
        }
        fields.put(HttpHeader.CONTENT_LENGTH, body.length);
        response.write(true, ByteBuffer.wrap(body), callback);
    }

    private static HttpField fieldOf(String type) {
        return switch (type) {
            case Answer.JSON -> JSON;
            case Answer.TEXT -> TEXT;
            default -> new HttpField(HttpHeader.CONTENT_TYPE, type);
        };
    }
}
