package registry.agent.gossip.seal;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import org.jspecify.annotations.Nullable;

/**
 * AES-GCM whose nonce is a counter: a key may be used with each number once. Of one thread at a
 * time.
 */
final class Aead {
    static final int TAG_BYTES = 16;
    private static final int TAG_BITS = 8 * TAG_BYTES;
    private static final int NONCE_BYTES = 12;

    private final SecretKey key;
    private final Cipher cipher;

    Aead(SecretKey key) {
        this.key = key;
        try {
            cipher = Cipher.getInstance("AES/GCM/NoPadding");
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    byte[] seal(long number, byte[] associated, byte[] plain, int offset, int length) {
        try {
            init(Cipher.ENCRYPT_MODE, number, associated);
            return cipher.doFinal(plain, offset, length);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Null for what was not sealed so. */
    byte @Nullable [] open(long number, byte[] associated, byte[] sealed, int offset, int length) {
        try {
            init(Cipher.DECRYPT_MODE, number, associated);
            return cipher.doFinal(sealed, offset, length);
        } catch (AEADBadTagException e) {
            return null;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private void init(int mode, long number, byte[] associated) throws GeneralSecurityException {
        byte[] nonce = ByteBuffer.allocate(NONCE_BYTES).putInt(0).putLong(number).array();
        cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, nonce));
        cipher.updateAAD(associated);
    }
}
