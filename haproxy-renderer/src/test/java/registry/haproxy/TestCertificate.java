package registry.haproxy;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Base64;

/** A certificate for {@code localhost} that vouches for itself, made with the JDK's keytool. */
final class TestCertificate {
    private TestCertificate() {}

    /**
     * @param both gets the certificate and its key
     * @param alone gets the certificate
     */
    static void write(Path both, Path alone) throws Exception {
        Path store = both.resolveSibling("store.p12");
        String command =
                System.getProperty("java.home")
                        + "/bin/keytool -genkeypair -alias a -keyalg EC -storetype PKCS12 -storepass secret"
                        + " -dname CN=localhost -ext san=dns:localhost -validity 2 -keystore "
                        + store;
        Process keytool =
                new ProcessBuilder(command.split(" "))
                        .redirectErrorStream(true)
                        .redirectOutput(Redirect.DISCARD)
                        .start();
        assertThat(keytool.waitFor()).isZero();
        char[] password = "secret".toCharArray();
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, password);
        }
        String certificate = pem("CERTIFICATE", keys.getCertificate("a").getEncoded());
        Files.writeString(alone, certificate);
        Files.writeString(
                both, certificate + pem("PRIVATE KEY", keys.getKey("a", password).getEncoded()));
    }

    private static String pem(String type, byte[] content) {
        String text = Base64.getMimeEncoder(64, "\n".getBytes(US_ASCII)).encodeToString(content);
        return "-----BEGIN " + type + "-----\n" + text + "\n-----END " + type + "-----\n";
    }
}
