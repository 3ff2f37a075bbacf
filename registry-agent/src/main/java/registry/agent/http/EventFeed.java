package registry.agent.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import registry.agent.http.Handler.Position;
import registry.api.ApiException;
import registry.api.json.Json;
import registry.server.rpc.Servers;

/**
 * The answers to one read as server-sent events: asks its handler what a client of a blocking query
 * would ask, again and again with the position of the last answer. The next question is asked when
 * the last event was taken, so a slow client skips states instead of collecting them. Source:
 * html.spec.whatwg.org, server-sent events.
 */
final class EventFeed implements Feed {
    /** A part of what is sent, the same for all who hear the same news. */
    static final class Frames {
        private record Framed(byte[] body, String position, byte[] event) {}

        private volatile @Nullable Framed last;

        byte[] update(byte[] body, String position) {
            Framed known = last;
            if (known != null && known.body() == body && known.position().equals(position)) {
                return known.event();
            }
            byte[] event = event("update", position, body);
            last = new Framed(body, position, event);
            return event;
        }
    }

    /** The data of {@code reset}: what the client knew, and what there is instead. */
    record Reset(String known, String index) {}

    private static final byte[] HEARTBEAT = ":\n\n".getBytes(UTF_8);
    private static final byte[] NULL = "null".getBytes(UTF_8);

    /** How soon a client is to come back when its connection broke. */
    private static final byte[] RETRY = "retry: 1000\n\n".getBytes(UTF_8);

    private static final Duration RETRY_FAILED = Duration.ofSeconds(1);
    private static final String TYPE = "text/event-stream";
    private static final String LAST_ID = "Last-Event-ID";

    private static final Answer HEAD =
            Answer.empty(200)
                    .withContentType(TYPE)
                    .with("Cache-Control", "no-cache")
                    // Proxies of nginx's kind would collect events until their buffer is full.
                    .with("X-Accel-Buffering", "no");

    /** Puts a question to the route's handler, as the dispatcher does. */
    interface Asking {
        Servers.@Nullable Held ask(Request request, Consumer<Answer> then);
    }

    private final Request request;
    private final Position position;
    private final Asking asking;
    private final LiveAnswers all;
    private final Runnable more;

    /** A client that had this stream before will give it up for good when it sees an error. */
    private final boolean resumed;

    /** Of the last answer that the client has; empty for none. Only the driver's. */
    private String known;

    private boolean begun; // the driver's
    private boolean failing; // the driver's

    private boolean asked; // guarded by this
    private boolean closed; // guarded by this
    private @Nullable Answer arrived; // guarded by this
    private Servers.@Nullable Held held; // guarded by this

    /**
     * @throws ApiException when the answers can't be events
     */
    EventFeed(Request request, Position position, Asking asking, LiveAnswers all, Runnable more) {
        if (request.query().has("raw")) {
            throw ApiException.badRequest("?raw can't be sent as events, whose data is JSON");
        }
        this.request =
                request.withQuery(request.query().without("index", "hash", "wait", "pretty"))
                        .compact();
        this.position = position;
        this.asking = asking;
        this.all = all;
        this.more = more;
        String index = request.query().first(Position.INDEX.param());
        if (position == Position.INDEX && !index.isEmpty() && !isNumber(index)) {
            throw ApiException.badRequest("Invalid index");
        }
        String lastId = request.header(LAST_ID);
        resumed = lastId != null;
        known = lastId == null ? request.query().first(position.param()) : lastId.strip();
    }

    /** Whether a client wants events rather than one answer. */
    static boolean isWantedBy(Request request) {
        String accept = request.header("Accept");
        if (accept == null || !accept.toLowerCase(Locale.ROOT).contains(TYPE)) {
            return false;
        }
        for (String range : accept.toLowerCase(Locale.ROOT).split(",", -1)) {
            String[] parts = range.split(";", 2);
            if (parts[0].strip().equals(TYPE)) {
                return parts.length < 2 || !parts[1].strip().matches("q=0(\\.0*)?");
            }
        }
        return false;
    }

    @Override
    public Answer head() {
        return HEAD;
    }

    @Override
    public byte[] heartbeat() {
        return HEARTBEAT;
    }

    @Override
    public @Nullable Piece next() {
        for (Answer answer = take(); answer != null; answer = take()) {
            Piece piece = piece(answer);
            if (piece != null) {
                return piece;
            }
        }
        return null;
    }

    /** The answer that has arrived; asks for one if nothing is asked. */
    private @Nullable Answer take() {
        synchronized (this) {
            Answer answer = arrived;
            if (answer != null || asked || closed) {
                arrived = null;
                return answer;
            }
            asked = true;
        }
        Servers.Held question = asking.ask(question(), this::arrived);
        synchronized (this) {
            Answer answer = arrived;
            arrived = null;
            if (answer != null) {
                return answer;
            }
            if (!closed) {
                held = question;
                return null;
            }
        }
        if (question != null) {
            question.drop();
        }
        return null;
    }

    /** Where the client stands is found out by its first question, which never waits. */
    private Request question() {
        return begun && !failing && !known.isEmpty()
                ? request.withQuery(request.query().with(position.param(), known))
                : request;
    }

    private void arrived(Answer answer) {
        synchronized (this) {
            if (closed) {
                return;
            }
            arrived = answer;
            asked = false;
            held = null;
        }
        more.run();
    }

    private @Nullable Piece piece(Answer answer) {
        String at = positionOf(answer);
        boolean good =
                answer.status() == 404 || answer.status() == 200 && isJson(answer.contentType());
        if (!begun && (at == null || !good) && (!resumed || answer.status() < 500)) {
            return new Piece.Refusal(answer);
        }
        var out = new Parts();
        if (!begun) {
            out.add(RETRY);
            begun = true;
        }
        if (at == null || !good) {
            fail(answer, out);
        } else if (failing || !at.equals(known)) {
            if (position == Position.INDEX && isBehind(at, known)) {
                out.add(event("reset", at, Json.write(new Reset(known, at))));
            }
            failing = false;
            known = at;
            byte[] body = answer.status() == 404 ? NULL : answer.body();
            out.add(all.frames().update(body, at));
        }
        return out.piece();
    }

    private @Nullable String positionOf(Answer answer) {
        for (Header line : answer.headers()) {
            if (line.name().equals(position.header())) {
                return line.value();
            }
        }
        return null;
    }

    private static boolean isJson(@Nullable String contentType) {
        return Answer.JSON.equals(contentType);
    }

    /** What is known may be old until the next update; to be tried again soon. */
    private void fail(Answer answer, Parts out) {
        if (!failing) {
            failing = true;
            out.add(event("failure", null, Json.write(new String(answer.body(), UTF_8))));
        }
        synchronized (this) {
            // Nothing may be asked before its time.
            asked = true;
        }
        long jitter = ThreadLocalRandom.current().nextLong(RETRY_FAILED.toNanos());
        all.later(this::askAgain, RETRY_FAILED.plusNanos(jitter));
    }

    private void askAgain() {
        synchronized (this) {
            asked = false;
        }
        more.run();
    }

    /** Whether the state is another's than the one that the client has seen. */
    private static boolean isBehind(String at, String known) {
        return isNumber(known)
                && Long.compareUnsigned(Long.parseUnsignedLong(at), Long.parseUnsignedLong(known))
                        < 0;
    }

    private static boolean isNumber(String text) {
        try {
            return Character.isDigit(text.isEmpty() ? '-' : text.charAt(0))
                    && Long.parseUnsignedLong(text) != -1;
        } catch (NumberFormatException e) {
            return false;
        }
    }

    private static byte[] event(String name, @Nullable String id, byte[] data) {
        var out = new ByteArrayOutputStream(data.length + 64);
        out.writeBytes(("event: " + name + "\n").getBytes(UTF_8));
        if (id != null) {
            out.writeBytes(("id: " + id + "\n").getBytes(UTF_8));
        }
        out.writeBytes("data: ".getBytes(UTF_8));
        out.writeBytes(data);
        out.writeBytes("\n\n".getBytes(UTF_8));
        return out.toByteArray();
    }

    @Override
    public void close() {
        Servers.Held question;
        synchronized (this) {
            closed = true;
            arrived = null;
            question = held;
            held = null;
        }
        if (question != null) {
            question.drop();
        }
    }

    /** What one piece is put together from; most have one part, which then is shared. */
    private static final class Parts {
        private byte[] bytes = {};

        void add(byte[] more) {
            if (bytes.length == 0) {
                bytes = more;
                return;
            }
            byte[] both = Arrays.copyOf(bytes, bytes.length + more.length);
            System.arraycopy(more, 0, both, bytes.length, more.length);
            bytes = both;
        }

        @Nullable Piece piece() {
            return bytes.length == 0 ? null : new Piece.Bytes(bytes);
        }
    }
}
