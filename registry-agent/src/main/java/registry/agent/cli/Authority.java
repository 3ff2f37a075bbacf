package registry.agent.cli;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A certificate authority: its certificate and key, and what it signs. Keys are of the curve P-256.
 * Source: RFC 5280; RFC 5758 (ecdsa-with-SHA256)
 */
final class Authority {
    private static final byte[] ECDSA_SHA256 = Der.sequence(Der.oid("1.2.840.10045.4.3.2"));
    private static final BigInteger VERSION_3 = BigInteger.TWO;
    private static final Duration CLOCKS_APART = Duration.ofHours(1);
    private static final Pattern KEY =
            Pattern.compile("-----BEGIN PRIVATE KEY-----([^-]+)-----END PRIVATE KEY-----");

    // What a key may be used for, as bits of KeyUsage.
    private static final byte[] SIGN_CERTIFICATES = {3, 2, 1, 0b0000_0110};
    private static final byte[] SIGN_AND_ENCIPHER = {3, 2, 5, (byte) 0b1010_0000};

    private final byte[] certificate;
    private final byte[] name;
    private final PublicKey publicKey;
    private final PrivateKey key;

    private Authority(byte[] certificate, byte[] name, PublicKey publicKey, PrivateKey key) {
        this.certificate = certificate;
        this.name = name;
        this.publicKey = publicKey;
        this.key = key;
    }

    /** What a certificate is for. */
    enum Use {
        SERVER("1.3.6.1.5.5.7.3.1"),
        CLIENT("1.3.6.1.5.5.7.3.2");

        private final String oid;

        Use(String oid) {
            this.oid = oid;
        }
    }

    /** A certificate and the key to it, as they stand in files. */
    record Issued(String certificate, String key) {}

    /** Makes a new one, which signs itself. */
    static Authority create(Duration validity) throws GeneralSecurityException {
        KeyPair pair = newKey();
        BigInteger serial = newSerial();
        byte[] name =
                Der.sequence(
                        attribute("2.5.4.6", "US"),
                        attribute("2.5.4.10", "Registry"),
                        attribute("2.5.4.3", "Registry Agent CA " + serial));
        byte[] keyId = keyId(pair.getPublic());
        byte[] body =
                body(
                        serial,
                        name,
                        name,
                        validity,
                        pair.getPublic(),
                        extension("2.5.29.19", true, Der.sequence(Der.bool(true))),
                        extension("2.5.29.15", true, SIGN_CERTIFICATES),
                        extension("2.5.29.14", false, Der.octets(keyId)),
                        extension("2.5.29.35", false, Der.sequence(Der.implicit(0, keyId))));
        return new Authority(
                signed(body, pair.getPrivate()), name, pair.getPublic(), pair.getPrivate());
    }

    /**
     * Reads what {@link #create} made.
     *
     * @throws IOException with a message for the user
     */
    static Authority read(Path certificate, Path key) throws IOException {
        try {
            var read =
                    (X509Certificate)
                            CertificateFactory.getInstance("X.509")
                                    .generateCertificate(
                                            new ByteArrayInputStream(
                                                    Files.readAllBytes(certificate)));
            Matcher pem = KEY.matcher(Files.readString(key, StandardCharsets.US_ASCII));
            if (!pem.find()) {
                throw new IOException(key + ": no key of the form \"BEGIN PRIVATE KEY\" in it");
            }
            PrivateKey own =
                    KeyFactory.getInstance("EC")
                            .generatePrivate(
                                    new PKCS8EncodedKeySpec(
                                            Base64.getMimeDecoder().decode(pem.group(1))));
            var authority =
                    new Authority(
                            read.getEncoded(),
                            read.getSubjectX500Principal().getEncoded(),
                            read.getPublicKey(),
                            own);
            authority.requireItsKey(key);
            return authority;
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new IOException(
                    "%s and %s are no authority: %s".formatted(certificate, key, e.getMessage()),
                    e);
        }
    }

    private void requireItsKey(Path file) throws GeneralSecurityException, IOException {
        byte[] probe = {1};
        Signature check = Signature.getInstance("SHA256withECDSA");
        check.initVerify(publicKey);
        check.update(probe);
        if (!check.verify(signature(probe, key))) {
            throw new IOException(file + ": it is the key of another certificate");
        }
    }

    /**
     * Signs a certificate for somebody with these names, the first of which is the subject's.
     *
     * @param addresses by which they are reached, besides the names
     */
    Issued issue(List<String> names, List<InetAddress> addresses, Set<Use> uses, Duration validity)
            throws GeneralSecurityException {
        KeyPair pair = newKey();
        List<byte[]> alternatives = new ArrayList<>();
        names.forEach(name -> alternatives.add(Der.implicit(2, Der.ascii(name))));
        addresses.forEach(address -> alternatives.add(Der.implicit(7, address.getAddress())));
        byte[] body =
                body(
                        newSerial(),
                        name,
                        Der.sequence(attribute("2.5.4.3", names.getFirst())),
                        validity,
                        pair.getPublic(),
                        extension("2.5.29.19", true, Der.sequence()),
                        extension("2.5.29.15", true, SIGN_AND_ENCIPHER),
                        extension(
                                "2.5.29.37",
                                false,
                                Der.sequence(
                                        uses.stream()
                                                .map(use -> Der.oid(use.oid))
                                                .toArray(byte[][]::new))),
                        extension("2.5.29.14", false, Der.octets(keyId(pair.getPublic()))),
                        extension(
                                "2.5.29.35",
                                false,
                                Der.sequence(Der.implicit(0, keyId(publicKey)))),
                        extension(
                                "2.5.29.17",
                                false,
                                Der.sequence(alternatives.toArray(byte[][]::new))));
        return new Issued(
                pem("CERTIFICATE", signed(body, key)),
                pem("PRIVATE KEY", pair.getPrivate().getEncoded()));
    }

    /** As it stands in files. */
    Issued asFiles() {
        return new Issued(pem("CERTIFICATE", certificate), pem("PRIVATE KEY", key.getEncoded()));
    }

    private static byte[] body(
            BigInteger serial,
            byte[] issuer,
            byte[] subject,
            Duration validity,
            PublicKey key,
            byte[]... extensions) {
        Instant now = Instant.now();
        return Der.sequence(
                Der.explicit(0, Der.integer(VERSION_3)),
                Der.integer(serial),
                ECDSA_SHA256,
                issuer,
                Der.sequence(Der.time(now.minus(CLOCKS_APART)), Der.time(now.plus(validity))),
                subject,
                key.getEncoded(),
                Der.explicit(3, Der.sequence(extensions)));
    }

    private static byte[] signed(byte[] body, PrivateKey key) throws GeneralSecurityException {
        return Der.sequence(body, ECDSA_SHA256, Der.bits(0, signature(body, key)));
    }

    private static byte[] signature(byte[] body, PrivateKey key) throws GeneralSecurityException {
        Signature signature = Signature.getInstance("SHA256withECDSA");
        signature.initSign(key);
        signature.update(body);
        return signature.sign();
    }

    private static byte[] attribute(String oid, String value) {
        return Der.set(Der.sequence(Der.oid(oid), Der.text(value)));
    }

    private static byte[] extension(String oid, boolean critical, byte[] value) {
        return critical
                ? Der.sequence(Der.oid(oid), Der.bool(true), Der.octets(value))
                : Der.sequence(Der.oid(oid), Der.octets(value));
    }

    private static byte[] keyId(PublicKey key) throws GeneralSecurityException {
        return MessageDigest.getInstance("SHA-256").digest(key.getEncoded());
    }

    private static KeyPair newKey() throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        return generator.generateKeyPair();
    }

    private static BigInteger newSerial() {
        return new BigInteger(127, new SecureRandom()).setBit(0);
    }

    private static String pem(String what, byte[] der) {
        return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
                .formatted(
                        what,
                        Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der),
                        what);
    }
}
