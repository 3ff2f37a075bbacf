package registry.server.link;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Certificates and keys as Consul's users have them in files. Keys may be of three forms: the JDK
 * reads the first, the two older ones only lack its head.
 */
final class Pem {
    private static final Pattern KEY =
            Pattern.compile(
                    "-----BEGIN (|EC |RSA |ENCRYPTED )PRIVATE KEY-----([^-]+)-----END \\1PRIVATE KEY-----");
    private static final byte[] RSA_HEAD = {
        2,
        1,
        0,
        0x30,
        13,
        6,
        9,
        0x2a,
        (byte) 0x86,
        0x48,
        (byte) 0x86,
        (byte) 0xf7,
        13,
        1,
        1,
        1,
        5,
        0
    };
    private static final byte[] EC_ALGORITHM = {
        6, 7, 0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 2, 1
    };
    private static final byte[] VERSION_0 = {2, 1, 0};
    private static final int SEQUENCE = 0x30;
    private static final int OCTETS = 4;
    private static final int CURVE = 0xa0;

    private Pem() {}

    /**
     * @param name of the file's key in the configuration
     * @throws IOException with a message for the user
     */
    static List<X509Certificate> certificates(String name, Path file) throws IOException {
        byte[] text = read(name, file);
        try {
            List<X509Certificate> found =
                    CertificateFactory.getInstance("X.509")
                            .generateCertificates(new ByteArrayInputStream(text))
                            .stream()
                            .map(X509Certificate.class::cast)
                            .toList();
            if (!found.isEmpty()) {
                return found;
            }
        } catch (CertificateException e) {
            throw new IOException(
                    name + ": " + file + ": not certificates in PEM form: " + e.getMessage(), e);
        }
        throw new IOException(name + ": " + file + ": no certificate in it");
    }

    /**
     * @throws IOException with a message for the user, which holds nothing of the key
     */
    static PrivateKey key(String name, Path file) throws IOException {
        Matcher pem = KEY.matcher(new String(read(name, file), StandardCharsets.ISO_8859_1));
        if (!pem.find()) {
            throw new IOException(name + ": " + file + ": no private key in PEM form in it");
        }
        try {
            byte[] der = Base64.getMimeDecoder().decode(pem.group(2));
            return switch (pem.group(1)) {
                case "RSA " -> decoded("RSA", tagged(SEQUENCE, RSA_HEAD, tagged(OCTETS, der)));
                case "EC " -> decoded("EC", wrapped(der));
                case "" -> plain(der);
                default ->
                        throw new IOException(
                                name + ": " + file + ": keys with a password can't be read");
            };
        } catch (GeneralSecurityException
                | IllegalArgumentException
                | IndexOutOfBoundsException e) {
            throw new IOException(name + ": " + file + ": not a private key that can be read", e);
        }
    }

    private static PrivateKey plain(byte[] der) throws GeneralSecurityException {
        for (String algorithm : List.of("EC", "RSA")) {
            try {
                return decoded(algorithm, der);
            } catch (GeneralSecurityException another) {
                // One of the others, then.
            }
        }
        return decoded("EdDSA", der);
    }

    private static PrivateKey decoded(String algorithm, byte[] der)
            throws GeneralSecurityException {
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(der));
    }

    /** {@code SEQUENCE { 1, private key, [0] curve, ... }}: the curve goes into the head. */
    private static byte[] wrapped(byte[] der) {
        int at = contentAt(der, 0);
        while (Byte.toUnsignedInt(der[at]) != CURVE) {
            at = contentAt(der, at) + length(der, at);
        }
        int from = contentAt(der, at);
        byte[] curve = Arrays.copyOfRange(der, from, from + length(der, at));
        return tagged(
                SEQUENCE, VERSION_0, tagged(SEQUENCE, EC_ALGORITHM, curve), tagged(OCTETS, der));
    }

    private static int contentAt(byte[] der, int at) {
        int first = Byte.toUnsignedInt(der[at + 1]);
        return at + 2 + (first < 0x80 ? 0 : first & 0x7f);
    }

    private static int length(byte[] der, int at) {
        int first = Byte.toUnsignedInt(der[at + 1]);
        if (first < 0x80) {
            return first;
        }
        int length = 0;
        for (int i = 0; i < (first & 0x7f); i++) {
            length = length << 8 | Byte.toUnsignedInt(der[at + 2 + i]);
        }
        return length;
    }

    private static byte[] tagged(int tag, byte[]... parts) {
        int length = Arrays.stream(parts).mapToInt(part -> part.length).sum();
        byte[] out = new byte[length + 4];
        out[0] = (byte) tag;
        out[1] = (byte) 0x82;
        out[2] = (byte) (length >> 8);
        out[3] = (byte) length;
        int at = 4;
        for (byte[] part : parts) {
            System.arraycopy(part, 0, out, at, part.length);
            at += part.length;
        }
        return out;
    }

    private static byte[] read(String name, Path file) throws IOException {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new IOException(name + ": can't read " + file + ": " + e.getMessage(), e);
        }
    }
}
