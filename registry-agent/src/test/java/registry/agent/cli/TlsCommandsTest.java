package registry.agent.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The files are read by the JDK, which is not who wrote them. */
class TlsCommandsTest {
    private static final String SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
    private static final String CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

    @TempDir Path dir;

    private String run(Command command, String... words) throws Exception {
        var out = new ByteArrayOutputStream();
        var terminal =
                new Terminal(
                        new ByteArrayInputStream(new byte[0]),
                        new PrintStream(out, true, UTF_8),
                        new PrintStream(out, true, UTF_8),
                        Map.of());
        Flags flags = command.flags();
        flags.parse(List.of(words));
        assertThat(command.run(flags, terminal)).isZero();
        return out.toString(UTF_8);
    }

    private String ca(String... words) throws Exception {
        return run(new TlsCaCreateCommand(dir), words);
    }

    private String cert(String... words) throws Exception {
        return run(new TlsCertCreateCommand(dir), words);
    }

    private X509Certificate read(String file) throws Exception {
        return (X509Certificate)
                CertificateFactory.getInstance("X.509")
                        .generateCertificate(
                                new ByteArrayInputStream(Files.readAllBytes(dir.resolve(file))));
    }

    private void requireSigned(X509Certificate certificate, X509Certificate by) throws Exception {
        var parameters = new PKIXParameters(Set.of(new TrustAnchor(by, null)));
        parameters.setRevocationEnabled(false);
        CertPathValidator.getInstance("PKIX")
                .validate(
                        CertificateFactory.getInstance("X.509")
                                .generateCertPath(List.of(certificate)),
                        parameters);
    }

    @Test
    void anAuthoritySignsCertificatesOfServersAndClients() throws Exception {
        assertThat(ca())
                .isEqualTo(
                        "==> Saved %1$s/consul-agent-ca.pem\n==> Saved %1$s/consul-agent-ca-key.pem\n"
                                .formatted(dir));
        X509Certificate authority = read("consul-agent-ca.pem");
        assertThat(authority.getBasicConstraints()).isGreaterThanOrEqualTo(0);
        assertThat(authority.getKeyUsage()[5]).as("may sign certificates").isTrue();
        assertThat(Duration.between(Instant.now(), authority.getNotAfter().toInstant()))
                .isBetween(Duration.ofDays(1824), Duration.ofDays(1826));
        authority.verify(authority.getPublicKey());

        cert("-server", "-node", "s1", "-additional-ipaddress", "fd00::1");
        X509Certificate server = read("dc1-server-consul-0.pem");
        requireSigned(server, authority);
        assertThat(server.getSubjectX500Principal().getName()).isEqualTo("CN=server.dc1.consul");
        assertThat(server.getBasicConstraints()).isEqualTo(-1);
        assertThat(server.getExtendedKeyUsage()).contains(SERVER_AUTH, CLIENT_AUTH);
        assertThat(server.getSubjectAlternativeNames())
                .containsExactlyInAnyOrder(
                        List.of(2, "server.dc1.consul"),
                        List.of(2, "s1.server.dc1.consul"),
                        List.of(2, "localhost"),
                        List.of(7, "fd00:0:0:0:0:0:0:1"),
                        List.of(7, "127.0.0.1"));

        cert("-client", "-dc", "west", "-days", "10");
        X509Certificate client = read("west-client-consul-0.pem");
        requireSigned(client, authority);
        assertThat(client.getSubjectX500Principal().getName()).isEqualTo("CN=client.west.consul");
        assertThat(client.getNotAfter().toInstant())
                .isBefore(Instant.now().plus(Duration.ofDays(11)));
        cert("-client", "-dc", "west");
        assertThat(read("west-client-consul-1.pem").getSerialNumber())
                .isNotEqualTo(client.getSerialNumber());
        cert("-cli");
        assertThat(read("dc1-cli-consul-0.pem").getExtendedKeyUsage()).containsExactly(CLIENT_AUTH);
    }

    @Test
    void aKeyIsItsOwnersAndNothingIsOverwritten() throws Exception {
        ca();
        assertThat(
                        PosixFilePermissions.toString(
                                Files.getPosixFilePermissions(
                                        dir.resolve("consul-agent-ca-key.pem"))))
                .isEqualTo("rw-------");
        byte[] before = Files.readAllBytes(dir.resolve("consul-agent-ca-key.pem"));
        assertThatThrownBy(this::ca)
                .isInstanceOf(Failure.class)
                .hasMessageContaining("consul-agent-ca.pem already exists.");
        assertThat(dir.resolve("consul-agent-ca-key.pem")).hasBinaryContent(before);
    }

    @Test
    void anotherAuthorityIsAnother() throws Exception {
        ca();
        ca("-domain", "other");
        cert("-client", "-domain", "other");
        assertThatThrownBy(() ->
                        requireSigned(read("dc1-client-other-0.pem"), read("consul-agent-ca.pem")))
                .isInstanceOf(CertPathValidatorException.class);
        assertThatThrownBy(() -> cert("-client", "-key", "other-agent-ca-key.pem"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("it is the key of another certificate");
    }

    @Test
    void whatIsWrongIsTold() throws Exception {
        assertThatThrownBy(() -> cert("-server")).hasMessageStartingWith("Error reading CA: ");
        ca();
        assertThatThrownBy(this::cert)
                .hasMessage("Please provide either -server, -client, or -cli");
        assertThatThrownBy(() -> cert("-client", "-server"))
                .hasMessage("Please provide either -server, -client, or -cli");
        assertThatThrownBy(() -> cert("-client", "-node", "x"))
                .hasMessage("-node requires -server");
        assertThatThrownBy(() -> cert("-client", "-additional-ipaddress", "web"))
                .hasMessageContaining("is no address");
        assertThatThrownBy(() -> cert("-client", "-days", "0")).hasMessageContaining("-days");
    }
}
