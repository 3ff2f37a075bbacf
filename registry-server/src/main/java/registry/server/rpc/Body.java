package registry.server.rpc;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import registry.api.json.Json;

/** Puts a JSON answer together from rows that are JSON already. */
public final class Body {
    private static final byte[] NULL = "null".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] EMPTY_LIST = "[]".getBytes(StandardCharsets.US_ASCII);

    private byte[] bytes = new byte[1024];
    private int size;

    /** Opens a list or an object: {@code [} or <code>{</code>. */
    public Body open(char bracket) {
        next();
        return put((byte) bracket);
    }

    public Body close(char bracket) {
        return put((byte) bracket);
    }

    /** A member's name; its value follows. */
    public Body name(String name) {
        next();
        append(Json.write(name));
        return put((byte) ':');
    }

    /** A member's name that needs no escaping, quoted and with its colon. */
    public Body name(byte[] quoted) {
        next();
        return append(quoted);
    }

    /** A value that is JSON already. */
    public Body value(byte[] json) {
        next();
        return append(json);
    }

    public Body nil() {
        return value(NULL);
    }

    public Body emptyList() {
        return value(EMPTY_LIST);
    }

    /** {@code "name":} for {@link #name(byte[])}. */
    public static byte[] member(String name) {
        return ('"' + name + "\":").getBytes(StandardCharsets.US_ASCII);
    }

    /** The finished answer, indented when the question asks for it. */
    public Query.Answer answer(Question question) {
        return Query.Answer.found(of(question, Arrays.copyOf(bytes, size)));
    }

    /** Compact JSON as the question wants it. */
    public static byte[] of(Question question, byte[] compact) {
        return question.has("pretty") ? Json.pretty(compact) : compact;
    }

    /** A comma, unless a value begins here anyway. */
    private void next() {
        if (size > 0
                && bytes[size - 1] != '['
                && bytes[size - 1] != '{'
                && bytes[size - 1] != ':') {
            put((byte) ',');
        }
    }

    private Body put(byte b) {
        room(1);
        bytes[size++] = b;
        return this;
    }

    private Body append(byte[] more) {
        room(more.length);
        System.arraycopy(more, 0, bytes, size, more.length);
        size += more.length;
        return this;
    }

    private void room(int more) {
        if (size + more > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(size + more, bytes.length * 2));
        }
    }
}
