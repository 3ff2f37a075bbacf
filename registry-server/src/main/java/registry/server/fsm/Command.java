package registry.server.fsm;

import java.nio.ByteBuffer;
import java.util.Arrays;
import registry.api.KvWrite;
import registry.api.json.Json;
import registry.server.kv.KvOp;
import registry.server.state.Op;

/**
 * A command in the log: version (1 byte), type (1 byte), the leader's time in milliseconds (8
 * bytes), the op as JSON.
 */
final class Command {
    /** The version written, and the only one understood. */
    static final byte VERSION = 1;

    private static final int HEADER = 10;

    private Command() {}

    static byte[] encode(Op op, long time) {
        byte[] json = Json.write(op);
        return ByteBuffer.allocate(HEADER + json.length)
                .put(VERSION)
                .put(CommandType.of(op).code())
                .putLong(time)
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
        return CommandType.of(command[1]).isEmpty() ? "it has the unknown type " + command[1] : "";
    }

    static long time(byte[] command) {
        return ByteBuffer.wrap(command).getLong(2);
    }

    /**
     * @throws java.io.UncheckedIOException when the JSON is not the op's
     */
    static Op op(byte[] command) {
        CommandType type = CommandType.of(command[1]).orElseThrow();
        return Json.read(command, HEADER, command.length - HEADER, type.op());
    }

    /** True when decoding the command gives an op equal to {@code op} in all that it holds. */
    static boolean says(byte[] command, Op op) {
        Op decoded = op(command);
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
