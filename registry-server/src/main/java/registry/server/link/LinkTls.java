package registry.server.link;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * TLS of links, by the JDK, with certificates of one's own authority on both ends. The first byte
 * of an incoming link says whether TLS is spoken, so a cluster can be changed over node by node:
 * certificates first, then {@code verify_outgoing}, {@code verify_incoming} last.
 */
public final class LinkTls {
    /** A TLS record of the kind that each handshake begins with. */
    static final int FIRST_BYTE = 0x16;

    private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};
    private static final int DNS_NAME = 2;

    /** No password: the store lives in memory, made of files that have none. */
    private static final char[] NO_PASSWORD = {};

    private final SSLContext context;
    private final Keys keys;

    /**
     * What the configuration says.
     *
     * @param ca the authorities that peers' certificates are believed by
     * @param verifyIncoming whoever comes without TLS, or without such a certificate, is refused
     * @param verifyOutgoing TLS is spoken to whoever is dialled, who must have such a certificate
     * @param serverName what the certificate of a server must name; empty when that is not asked
     */
    public record Keys(
            @Nullable Path ca,
            @Nullable Path certificate,
            @Nullable Path key,
            boolean verifyIncoming,
            boolean verifyOutgoing,
            String serverName) {}

    /**
     * @throws IOException with a message for the user, when the files can't be used
     */
    public LinkTls(Keys keys) throws IOException {
        this.keys = keys;
        try {
            context = SSLContext.getInstance("TLS");
            context.init(own(keys), trusted(keys), null);
        } catch (GeneralSecurityException e) {
            throw new IOException("TLS can't be had: " + e.getMessage(), e);
        }
    }

    private static KeyManager @Nullable [] own(Keys keys)
            throws IOException, GeneralSecurityException {
        if (keys.certificate == null || keys.key == null) {
            return null;
        }
        List<X509Certificate> chain = Pem.certificates("cert_file", keys.certificate);
        PrivateKey key = Pem.key("key_file", keys.key);
        if (!belongTogether(key, chain.getFirst())) {
            throw new IOException("key_file: is not the key of the certificate in cert_file");
        }
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setKeyEntry("own", key, NO_PASSWORD, chain.toArray(X509Certificate[]::new));
        var managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(store, NO_PASSWORD);
        return managers.getKeyManagers();
    }

    private static boolean belongTogether(PrivateKey key, X509Certificate certificate)
            throws GeneralSecurityException {
        if (!key.getAlgorithm().equals(certificate.getPublicKey().getAlgorithm())) {
            return false;
        }
        Signature signature =
                Signature.getInstance(
                        switch (key.getAlgorithm()) {
                            case "RSA" -> "SHA256withRSA";
                            case "EC" -> "SHA256withECDSA";
                            default -> key.getAlgorithm();
                        });
        signature.initSign(key);
        byte[] signed = signature.sign();
        signature.initVerify(certificate.getPublicKey());
        return signature.verify(signed);
    }

    /** Without authorities nobody is believed, rather than those of the web. */
    private static TrustManager[] trusted(Keys keys) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        if (keys.ca != null) {
            int number = 0;
            for (X509Certificate authority : Pem.certificates("ca_file", keys.ca)) {
                store.setCertificateEntry("ca" + number++, authority);
            }
        }
        var managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(store);
        return managers.getTrustManagers();
    }

    boolean isIncomingVerified() {
        return keys.verifyIncoming;
    }

    boolean isSpokenToOthers() {
        return keys.verifyOutgoing;
    }

    /** Whether there is something to show to whoever comes with TLS. */
    boolean hasCertificate() {
        return keys.certificate != null;
    }

    /**
     * Shakes hands with whoever came; closing {@code plain} ends it at any time.
     *
     * @param read what has been read of it already
     */
    SSLSocket accept(Socket plain, byte[] read) throws IOException {
        var socket =
                (SSLSocket)
                        context.getSocketFactory()
                                .createSocket(plain, new ByteArrayInputStream(read), true);
        socket.setEnabledProtocols(PROTOCOLS);
        socket.setNeedClientAuth(keys.verifyIncoming);
        socket.startHandshake();
        return socket;
    }

    /** Shakes hands with whoever was dialled; closing {@code plain} ends it at any time. */
    SSLSocket dial(Socket plain) throws IOException {
        String name =
                keys.serverName.isEmpty()
                        ? plain.getInetAddress().getHostAddress()
                        : keys.serverName;
        var socket =
                (SSLSocket)
                        context.getSocketFactory().createSocket(plain, name, plain.getPort(), true);
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setProtocols(PROTOCOLS);
        if (!keys.serverName.isEmpty()) {
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
        }
        socket.setSSLParameters(parameters);
        socket.startHandshake();
        return socket;
    }

    /**
     * Whether an incoming peer may be taken for a server: any certificate of the authority does,
     * unless servers have a name of their own, which a client's certificate must not have.
     */
    boolean mayBeServer(@Nullable SSLSocket peer) throws IOException {
        if (keys.serverName.isEmpty() || !keys.verifyIncoming) {
            return true;
        }
        if (peer == null
                || !(peer.getSession().getPeerCertificates()[0] instanceof X509Certificate shown)) {
            return false;
        }
        try {
            Collection<List<?>> names = shown.getSubjectAlternativeNames();
            return names != null
                    && names.stream()
                            .anyMatch(name ->
                                    name.get(0) instanceof Integer kind
                                            && kind == DNS_NAME
                                            && keys.serverName.equalsIgnoreCase(
                                                    String.valueOf(name.get(1))));
        } catch (CertificateParsingException e) {
            throw new IOException("a certificate that can't be read", e);
        }
    }
}
