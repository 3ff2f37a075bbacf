package registry.server.rpc;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import registry.api.ApiException;
import registry.api.json.Json;
import registry.server.once.RequestId;

/**
 * The bodies of RPC frames; what a frame is, its type says.
 *
 * <p>A call: flags (1), patience in milliseconds (4), length of the method's name (1), the name, if
 * the flags say so the write's id (length of the client's name (1), the name, number (8), oldest
 * (8)), the request as JSON. A question: flags (1), patience (4), the asker's number for it (8),
 * the question as JSON. A drop: that number (8). A status: nothing.
 *
 * <p>An answer begins with 0 when all went well; the call's answer follows as JSON, or of a reply
 * found (1), known leader (1), index (8), last contact in milliseconds (8) and the body as it is.
 * An error: 1, length of the kind's name (1), the name, the text.
 */
final class Wire {
    static final byte CALL = 1;
    static final byte ASK = 2;
    static final byte DROP = 3;
    static final byte STATUS = 4;

    /** Requests above this are refused unread. */
    static final int MAX_REQUEST_BYTES = 4 << 20;

    private static final byte FORWARDED = 1;
    private static final byte NUMBERED = 2;
    private static final byte FINE = 0;
    private static final byte ERROR = 1;
    private static final int CALL_HEAD = 6;
    private static final int ID_HEAD = 17;
    private static final int ASK_HEAD = 13;
    private static final int REPLY_HEAD = 19;

    private Wire() {}

    /** Bytes that are not what their frame's type says. */
    static final class Malformed extends Exception {
        private static final long serialVersionUID = 1L;

        Malformed(Throwable cause) {
            super(cause);
        }
    }

    /**
     * @param forwarded a server sent it on: it must not be sent on again
     * @param id null for a write that is sent once only
     */
    record Call(
            boolean forwarded,
            int patienceMillis,
            String method,
            @Nullable RequestId id,
            byte[] json) {
        byte[] bytes() {
            byte[] name = method.getBytes(StandardCharsets.UTF_8);
            byte[] client = id == null ? new byte[0] : id.client().getBytes(StandardCharsets.UTF_8);
            int idLength = id == null ? 0 : ID_HEAD + client.length;
            ByteBuffer out =
                    ByteBuffer.allocate(CALL_HEAD + name.length + idLength + json.length)
                            .put((byte) ((forwarded ? FORWARDED : 0) | (id == null ? 0 : NUMBERED)))
                            .putInt(patienceMillis)
                            .put((byte) name.length)
                            .put(name);
            if (id != null) {
                out.put((byte) client.length).put(client).putLong(id.number()).putLong(id.oldest());
            }
            return out.put(json).array();
        }

        static Call of(byte[] bytes) throws Malformed {
            try {
                ByteBuffer in = ByteBuffer.wrap(bytes);
                byte flags = in.get();
                int patience = in.getInt();
                String method = text(in);
                RequestId id =
                        (flags & NUMBERED) == 0
                                ? null
                                : new RequestId(text(in), in.getLong(), in.getLong());
                return new Call((flags & FORWARDED) != 0, patience, method, id, rest(in));
            } catch (BufferUnderflowException e) {
                throw new Malformed(e);
            }
        }

        private static String text(ByteBuffer in) {
            byte[] text = new byte[Byte.toUnsignedInt(in.get())];
            in.get(text);
            return utf8(text);
        }
    }

    /**
     * @param id the asker's number, by which it may drop the question
     */
    record Ask(boolean forwarded, int patienceMillis, long id, Question question) {
        byte[] bytes() {
            byte[] json = Json.write(question);
            return ByteBuffer.allocate(ASK_HEAD + json.length)
                    .put(flags(forwarded))
                    .putInt(patienceMillis)
                    .putLong(id)
                    .put(json)
                    .array();
        }

        static Ask of(byte[] bytes) throws Malformed {
            try {
                ByteBuffer in = ByteBuffer.wrap(bytes);
                boolean forwarded = in.get() == FORWARDED;
                int patience = in.getInt();
                long id = in.getLong();
                Question question =
                        Json.read(bytes, ASK_HEAD, bytes.length - ASK_HEAD, Question.class);
                if (question.consistency() == null || question.maxWait() == null) {
                    throw new IllegalArgumentException("the question lacks a part");
                }
                return new Ask(forwarded, patience, id, question);
            } catch (RuntimeException e) {
                throw new Malformed(e);
            }
        }
    }

    static byte[] drop(long id) {
        return ByteBuffer.allocate(Long.BYTES).putLong(id).array();
    }

    static long dropped(byte[] bytes) throws Malformed {
        try {
            return ByteBuffer.wrap(bytes).getLong();
        } catch (BufferUnderflowException e) {
            throw new Malformed(e);
        }
    }

    static byte[] reply(Reply reply) {
        byte[] body = reply.body();
        return ByteBuffer.allocate(REPLY_HEAD + body.length)
                .put(FINE)
                .put(flags(reply.found()))
                .put(flags(reply.knownLeader()))
                .putLong(reply.index())
                .putLong(reply.lastContactMillis())
                .put(body)
                .array();
    }

    /**
     * @throws ApiException the error, if it is one
     */
    static Reply reply(byte[] bytes) throws Malformed {
        try {
            ByteBuffer in = fine(bytes);
            boolean found = in.get() != 0;
            boolean knownLeader = in.get() != 0;
            long index = in.getLong();
            long lastContact = in.getLong();
            return new Reply(found, index, knownLeader, lastContact, rest(in));
        } catch (BufferUnderflowException e) {
            throw new Malformed(e);
        }
    }

    static byte[] answer(Object answer) {
        byte[] json = Json.write(answer);
        return ByteBuffer.allocate(1 + json.length).put(FINE).put(json).array();
    }

    /**
     * @throws ApiException the error, if it is one
     */
    static <A> A answer(byte[] bytes, Class<A> type) throws Malformed {
        try {
            fine(bytes);
            return Json.read(bytes, 1, bytes.length - 1, type);
        } catch (ApiException e) {
            throw e;
        } catch (RuntimeException e) {
            throw new Malformed(e);
        }
    }

    static byte[] error(ApiException error) {
        byte[] kind = error.kind().name().getBytes(StandardCharsets.US_ASCII);
        byte[] text = error.text().getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(2 + kind.length + text.length)
                .put(ERROR)
                .put((byte) kind.length)
                .put(kind)
                .put(text)
                .array();
    }

    private static ByteBuffer fine(byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        if (in.get() == FINE) {
            return in;
        }
        byte[] kind = new byte[Byte.toUnsignedInt(in.get())];
        in.get(kind);
        throw new ApiException(kind(utf8(kind)), utf8(rest(in)));
    }

    /** A newer server may know kinds that this program does not. */
    private static ApiException.Kind kind(String name) {
        return Arrays.stream(ApiException.Kind.values())
                .filter(kind -> kind.name().equals(name))
                .findFirst()
                .orElse(ApiException.Kind.INTERNAL);
    }

    private static byte flags(boolean on) {
        return (byte) (on ? 1 : 0);
    }

    private static byte[] rest(ByteBuffer in) {
        byte[] rest = new byte[in.remaining()];
        in.get(rest);
        return rest;
    }

    private static String utf8(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
