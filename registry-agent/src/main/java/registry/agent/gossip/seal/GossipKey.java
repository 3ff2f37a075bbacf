package registry.agent.gossip.seal;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import javax.crypto.KDF;
import javax.crypto.SecretKey;
import javax.crypto.spec.HKDFParameterSpec;
import org.jspecify.annotations.Nullable;

/**
 * A key of the ring, from which all others are derived (HKDF-SHA256, RFC 5869): nothing is sealed
 * with the key itself. Its id names it on the wire and in the log, and tells nothing of it.
 */
public final class GossipKey {
    static final int ID_BYTES = 8;
    private static final String AES = "AES";

    private final String text;
    private final byte[] raw;
    private final long id;

    private GossipKey(String text, byte[] raw) {
        this.text = text;
        this.raw = raw;
        this.id = ByteBuffer.wrap(derive("id", new byte[0]).getEncoded()).getLong();
    }

    /**
     * @param base64 of 16, 24 or 32 bytes
     * @throws IllegalArgumentException with a text for the user, which does not show the key
     */
    public static GossipKey of(String base64) {
        byte[] raw;
        try {
            raw = Base64.getDecoder().decode(base64.strip());
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("illegal base64 data", e);
        }
        if (raw.length != 16 && raw.length != 24 && raw.length != 32) {
            throw new IllegalArgumentException("key size must be 16, 24 or 32 bytes");
        }
        return new GossipKey(Base64.getEncoder().encodeToString(raw), raw);
    }

    /** Base64, as users know it. */
    String text() {
        return text;
    }

    long id() {
        return id;
    }

    /** For the log. */
    static String name(long id) {
        return HexFormat.of().toHexDigits(id);
    }

    /** A key of 256 bits for one purpose. */
    SecretKey derive(String purpose, byte[] salt) {
        try {
            byte[] info = ("registry gossip " + purpose).getBytes(StandardCharsets.US_ASCII);
            return KDF.getInstance("HKDF-SHA256")
                    .deriveKey(
                            AES,
                            HKDFParameterSpec.ofExtract()
                                    .addIKM(raw)
                                    .addSalt(salt)
                                    .thenExpand(info, 32));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof GossipKey key && Arrays.equals(raw, key.raw);
    }

    @Override
    public int hashCode() {
        return Long.hashCode(id);
    }

    /** Not the key: this may end in a log. */
    @Override
    public String toString() {
        return "key " + name(id);
    }
}
