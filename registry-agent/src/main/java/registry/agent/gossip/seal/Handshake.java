package registry.agent.gossip.seal;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import javax.crypto.Mac;
import javax.crypto.SecretKey;
import org.jspecify.annotations.Nullable;

/**
 * How two members begin a connection. Who dials says which key it means, and a number never used
 * before; who answers adds one of its own; each proves that it has the key by a code over both.
 * What follows is sealed with keys made of the key and both numbers, one for each direction: what
 * was recorded of another connection opens nowhere, so nothing can be replayed.
 *
 * <pre>
 * dials    "RGS1", id of the key (8), number (32)
 * answers  1, number (32), code (32)     or one byte that says why not
 * dials    code (32)
 * </pre>
 */
final class Handshake {
    static final byte[] MAGIC = "RGS1".getBytes(StandardCharsets.US_ASCII);

    /** Instead of a key's id, by whoever has none: "who lives here?" */
    static final long NO_KEY = 0;

    private static final int NUMBER_BYTES = 32;
    private static final int CODE_BYTES = 32;
    private static final SecureRandom RANDOM = new SecureRandom();

    /** The first byte of the answer. */
    private enum Reply {
        GONE,
        ACCEPTED,
        UNKNOWN_KEY,
        NO_KEYS_HERE,
        ONLY_SEALED,
        PLAIN_IS_FINE
    }

    /**
     * A connection that may be used.
     *
     * @param key null: plain
     */
    record Session(InputStream in, OutputStream out, @Nullable GossipKey key) {}

    private Handshake() {}

    /**
     * As who dials. Blocks.
     *
     * @throws RefusedException with what the other said
     */
    static Session dial(Keyring ring, InputStream rawIn, OutputStream rawOut) throws IOException {
        GossipKey key = ring.primary();
        byte[] mine = number();
        greet(rawOut, key.id(), mine);
        var in = new DataInputStream(rawIn);
        Reply reply = reply(in);
        if (reply != Reply.ACCEPTED) {
            throw new RefusedException(
                    reply == Reply.UNKNOWN_KEY
                            ? "No installed keys could decrypt the message"
                            : "the member there does not encrypt its gossip, and this node does (encrypt)");
        }
        byte[] theirs = bytes(in, NUMBER_BYTES);
        byte[] salt = concat(mine, theirs);
        if (!MessageDigest.isEqual(
                bytes(in, CODE_BYTES), code(key.derive("answer proof", salt), salt))) {
            throw new RefusedException("the member there does not have the key that it names");
        }
        rawOut.write(code(key.derive("dial proof", salt), salt));
        rawOut.flush();
        return session(key, salt, rawIn, "answer", rawOut, "dial");
    }

    /** As who has no key, or speaks plain, and only asks whether that is welcome. Blocks. */
    static void ask(InputStream rawIn, OutputStream rawOut) throws IOException {
        greet(rawOut, NO_KEY, number());
        switch (reply(new DataInputStream(rawIn))) {
            case PLAIN_IS_FINE -> {}
            case ONLY_SEALED ->
                    throw new RefusedException(
                            "the member there encrypts its gossip, and this node has no key (encrypt)");
            default -> throw new IOException("no answer of a member");
        }
    }

    /**
     * As who answers, after {@link #MAGIC} has been read. Blocks. Null: all is said, there is
     * nothing to come.
     *
     * @throws RefusedException when the other is not let in, with the reason
     */
    static @Nullable Session answer(Keyring ring, InputStream rawIn, OutputStream rawOut)
            throws IOException {
        var in = new DataInputStream(rawIn);
        long id = in.readLong();
        byte[] theirs = bytes(in, NUMBER_BYTES);
        if (id == NO_KEY) {
            say(rawOut, ring.admitsPlain() ? Reply.PLAIN_IS_FINE : Reply.ONLY_SEALED);
            return null;
        }
        if (!ring.isOn()) {
            say(rawOut, Reply.NO_KEYS_HERE);
            throw new RefusedException("it encrypts its gossip, and this node has no key");
        }
        GossipKey key = ring.find(id);
        if (key == null) {
            say(rawOut, Reply.UNKNOWN_KEY);
            throw new RefusedException(
                    "its key %s is not in the keyring of this node".formatted(GossipKey.name(id)));
        }
        byte[] mine = number();
        byte[] salt = concat(theirs, mine);
        rawOut.write(
                concat(
                        concat(new byte[] {(byte) Reply.ACCEPTED.ordinal()}, mine),
                        code(key.derive("answer proof", salt), salt)));
        rawOut.flush();
        byte[] proof = in.readNBytes(CODE_BYTES);
        if (proof.length == 0) {
            return null; // it only knocked
        }
        if (!MessageDigest.isEqual(proof, code(key.derive("dial proof", salt), salt))) {
            throw new RefusedException(
                    "it does not have the key %s that it names".formatted(GossipKey.name(id)));
        }
        return session(key, salt, rawIn, "dial", rawOut, "answer");
    }

    private static Session session(
            GossipKey key,
            byte[] salt,
            InputStream in,
            String theirs,
            OutputStream out,
            String mine) {
        return new Session(
                new SealedInput(in, key.derive(theirs, salt)),
                new SealedOutput(out, key.derive(mine, salt)),
                key);
    }

    private static void greet(OutputStream out, long id, byte[] number) throws IOException {
        out.write(
                ByteBuffer.allocate(MAGIC.length + Long.BYTES + NUMBER_BYTES)
                        .put(MAGIC)
                        .putLong(id)
                        .put(number)
                        .array());
        out.flush();
    }

    private static void say(OutputStream out, Reply reply) throws IOException {
        out.write(reply.ordinal());
        out.flush();
    }

    private static Reply reply(DataInputStream in) throws IOException {
        int reply = in.read();
        if (reply < 0) {
            throw new EOFException("closed by the other side");
        }
        return reply < Reply.values().length ? Reply.values()[reply] : Reply.GONE;
    }

    private static byte[] number() {
        byte[] number = new byte[NUMBER_BYTES];
        RANDOM.nextBytes(number);
        return number;
    }

    private static byte[] bytes(DataInputStream in, int count) throws IOException {
        byte[] bytes = new byte[count];
        in.readFully(bytes);
        return bytes;
    }

    private static byte[] code(SecretKey key, byte[] text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(key);
            return mac.doFinal(text);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] concat(byte[] one, byte[] other) {
        return ByteBuffer.allocate(one.length + other.length).put(one).put(other).array();
    }
}
