package registry.server.fsm;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import registry.api.KvWrite;
import registry.api.json.Json;
import registry.server.kv.KvOp;
import registry.server.once.OnceOp;
import registry.server.once.RequestId;
import registry.server.state.Op;

/**
 * A command in the log: version (1 byte), type (1 byte), the leader's time in milliseconds (8
 * bytes), the op as JSON. An op that has its effect once is preceded by its request: length of the
 * client's name (1), the name, number (8), oldest (8), part (4), then the type of the op itself
 * (1).
 */
final class Command {
    /** The version written, and the only one understood. */
    static final byte VERSION = 1;

    private static final int HEADER = 10;
    private static final int ONCE_HEADER = 22;

    private Command() {}

    static byte[] encode(Op op, long time) {
        if (op instanceof OnceOp once) {
            return encode(once, time);
        }
        byte[] json = Json.write(op);
        return ByteBuffer.allocate(HEADER + json.length)
                .put(VERSION)
                .put(CommandType.of(op).code())
                .putLong(time)
                .put(json)
                .array();
    }

    private static byte[] encode(OnceOp once, long time) {
        RequestId id = once.id();
        byte[] client = id.client().getBytes(StandardCharsets.UTF_8);
        byte[] json = Json.write(once.op());
        return ByteBuffer.allocate(HEADER + ONCE_HEADER + client.length + json.length)
                .put(VERSION)
                .put(CommandType.ONCE.code())
                .putLong(time)
                .put((byte) client.length)
                .put(client)
                .putLong(id.number())
                .putLong(id.oldest())
                .putInt(once.part())
                .put(CommandType.of(once.op()).code())
                .put(json)
                .array();
    }

    /** Why this program cannot read the command; empty when it can. */
    static String unreadable(byte[] command) {
        if (command.length < HEADER) {
            return "it has " + command.length + " bytes";
        }
        if (command[0] != VERSION) {
            return "it has version " + command[0] + ", this program reads " + VERSION;
        }
        byte type = command[1];
        if (type == CommandType.ONCE.code()) {
            int client = command.length == HEADER ? 0 : Byte.toUnsignedInt(command[HEADER]);
            int inner = HEADER + ONCE_HEADER - 1 + client;
            if (command.length <= inner) {
                return "it has " + command.length + " bytes";
            }
            type = command[inner];
        }
        return CommandType.of(type).isEmpty() ? "it has the unknown type " + type : "";
    }

    static long time(byte[] command) {
        return ByteBuffer.wrap(command).getLong(2);
    }

    /**
     * @throws java.io.UncheckedIOException when the JSON is not the op's
     */
    static Op op(byte[] command) {
        CommandType type = CommandType.of(command[1]).orElseThrow();
        if (type == CommandType.ONCE) {
            return once(ByteBuffer.wrap(command, HEADER, command.length - HEADER));
        }
        return Json.read(command, HEADER, command.length - HEADER, type.op());
    }

    private static OnceOp once(ByteBuffer in) {
        byte[] client = new byte[Byte.toUnsignedInt(in.get())];
        in.get(client);
        var id =
                new RequestId(
                        new String(client, StandardCharsets.UTF_8), in.getLong(), in.getLong());
        int part = in.getInt();
        CommandType type = CommandType.of(in.get()).orElseThrow();
        return new OnceOp(
                id, part, Json.read(in.array(), in.position(), in.remaining(), type.op()));
    }

    /** True when decoding the command gives an op equal to {@code op} in all that it holds. */
    static boolean says(byte[] command, Op op) {
        return isSame(op(command), op);
    }

    private static boolean isSame(Op decoded, Op op) {
        if (decoded instanceof OnceOp(RequestId a, int partA, Op inner)
                && op instanceof OnceOp(RequestId b, int partB, Op other)) {
            return a.equals(b) && partA == partB && isSame(inner, other);
        }
        return decoded.equals(op) || isSameWrite(decoded, op);
    }

    /** Records compare arrays by identity. */
    private static boolean isSameWrite(Op decoded, Op op) {
        return decoded instanceof KvOp.Write(KvWrite a)
                && op instanceof KvOp.Write(KvWrite b)
                && Arrays.equals(a.value(), b.value())
                && withoutValue(a).equals(withoutValue(b));
    }

    private static KvWrite withoutValue(KvWrite w) {
        return new KvWrite(w.verb(), w.key(), null, w.flags(), w.index(), w.session());
    }
}
