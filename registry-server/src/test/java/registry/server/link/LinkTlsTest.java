package registry.server.link;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Links with certificates: EC and RSA, in all forms of key files, of the right authority or not.
 */
class LinkTlsTest {
    private static final byte SERVICE = 7;
    private static final String NAME = "server.dc1.consul";

    private final List<AutoCloseable> opened = new ArrayList<>();
    private final AtomicInteger came = new AtomicInteger();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : opened.reversed()) {
            each.close();
        }
    }

    private static Path file(String name) {
        try {
            return Path.of(LinkTlsTest.class.getResource("tls/" + name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static LinkTls tls(String who, boolean incoming, boolean outgoing, String name)
            throws IOException {
        return new LinkTls(
                new LinkTls.Keys(
                        file("ca.pem"),
                        who.isEmpty() ? null : file(who + ".pem"),
                        who.isEmpty() ? null : file(who + ".key"),
                        incoming,
                        outgoing,
                        name));
    }

    private InetSocketAddress serve(@Nullable LinkTls tls, boolean servers) throws IOException {
        var hub = new Hub(() -> "", List.of(service(servers)), tls);
        opened.add(hub);
        return hub.listen(new InetSocketAddress("127.0.0.1", 0));
    }

    private Service service(boolean servers) {
        return new Service(
                SERVICE,
                "s",
                request -> {
                    came.incrementAndGet();
                    request.reply(request.body());
                },
                2 << 20,
                8 << 20,
                Thread.ofVirtual().factory(),
                servers);
    }

    private Hub.Peer dial(@Nullable LinkTls tls, InetSocketAddress to) {
        var hub = new Hub(() -> "", List.of(), tls);
        opened.add(hub);
        return hub.dial("", service(false), () -> to, 100);
    }

    private static void works(Hub.Peer peer) throws Exception {
        await().atMost(Duration.ofSeconds(10)).until(() -> peer.link() != null);
        Link link = peer.link();
        for (int size : new int[] {0, 200, 100_000, 1_000_000}) {
            byte[] body = new byte[size];
            new Random(size).nextBytes(body);
            assertThat(link.call((byte) 1, body, 10_000, 0).get(10, SECONDS)).isEqualTo(body);
        }
    }

    /** For a second and several tries. */
    private void isRefused(Hub.Peer peer) {
        BooleanSupplier linked = () -> peer.link() != null;
        await().during(Duration.ofSeconds(1))
                .atMost(Duration.ofSeconds(3))
                .until(() -> !linked.getAsBoolean());
        assertThat(came).hasValue(0);
    }

    @Test
    void bothEndsShowACertificate() throws Exception {
        InetSocketAddress at = serve(tls("server", true, true, NAME), false);
        works(dial(tls("client", true, true, NAME), at));
        works(dial(tls("server", true, true, NAME), at));
    }

    @Test
    void aPlainPeerIsRefused() throws Exception {
        isRefused(dial(null, serve(tls("server", true, true, NAME), false)));
    }

    @Test
    void aPeerWithoutACertificateIsRefused() throws Exception {
        InetSocketAddress at = serve(tls("server", true, true, ""), false);
        isRefused(dial(tls("", false, true, ""), at));
    }

    @Test
    void aPeerOfAnotherAuthorityIsRefused() throws Exception {
        InetSocketAddress at = serve(tls("server", true, true, ""), false);
        isRefused(dial(tls("stranger", true, true, ""), at));
    }

    @Test
    void aServerOfAnotherAuthorityIsNotTalkedTo() throws Exception {
        isRefused(
                dial(
                        tls("client", false, true, ""),
                        serve(tls("stranger", false, true, ""), false)));
    }

    /** A client's certificate must not do for a server, in either direction. */
    @Test
    void whoIsNotNamedAsAServerIsNone() throws Exception {
        InetSocketAddress client = serve(tls("client", true, true, NAME), false);
        isRefused(dial(tls("server", true, true, NAME), client));
        InetSocketAddress raft = serve(tls("server", true, true, NAME), true);
        isRefused(dial(tls("client", true, true, NAME), raft));
        works(dial(tls("server", true, true, NAME), raft));
    }

    /** Node by node: until the last has {@code verify_incoming}, plain ones are taken too. */
    @Test
    void withoutVerifyIncomingPlainAndTlsAreTaken() throws Exception {
        InetSocketAddress at = serve(tls("server", false, false, ""), false);
        works(dial(null, at));
        works(dial(tls("", false, true, NAME), at));
        works(dial(tls("client", true, true, ""), at));
    }

    @Test
    void tlsToAPlainPortIsRefused() throws Exception {
        isRefused(dial(tls("client", false, true, ""), serve(null, false)));
    }

    @Test
    void rubbishIsShownTheDoor() throws Exception {
        InetSocketAddress at = serve(tls("server", true, true, ""), false);
        var random = new Random(1);
        for (int i = 0; i < 50; i++) {
            try (var socket = new Socket(at.getAddress(), at.getPort())) {
                byte[] bytes = new byte[1 + random.nextInt(300)];
                random.nextBytes(bytes);
                if (i % 2 == 0) {
                    bytes[0] = LinkTls.FIRST_BYTE;
                }
                socket.getOutputStream().write(bytes);
            }
        }
        try (var silent = new Socket(at.getAddress(), at.getPort())) {
            silent.getOutputStream().write(LinkTls.FIRST_BYTE);
            silent.setSoTimeout(6_000);
            assertThat(silent.getInputStream().readAllBytes().length).isLessThan(100);
        }
        works(dial(tls("client", true, true, ""), at));
    }

    @Test
    void filesThatCanNotBeUsedAreNamed(@TempDir Path dir) throws Exception {
        Path none = dir.resolve("none");
        Path text = Files.writeString(dir.resolve("text"), "hello");
        assertThatThrownBy(() -> new LinkTls(keys(none, file("server.pem"), file("server.key"))))
                .hasMessageContaining("ca_file: can't read");
        assertThatThrownBy(() -> new LinkTls(keys(text, file("server.pem"), file("server.key"))))
                .hasMessageContaining("ca_file");
        assertThatThrownBy(() -> new LinkTls(keys(file("ca.pem"), text, file("server.key"))))
                .hasMessageContaining("cert_file");
        assertThatThrownBy(() -> new LinkTls(keys(file("ca.pem"), file("server.pem"), text)))
                .hasMessageContaining("key_file");
        Path cut =
                Files.writeString(
                        dir.resolve("cut"), Files.readString(file("client.key")).replace("M", "A"));
        assertThatThrownBy(() -> new LinkTls(keys(file("ca.pem"), file("client.pem"), cut)))
                .hasMessageContaining("key_file");
        assertThatThrownBy(() ->
                        new LinkTls(keys(file("ca.pem"), file("server.pem"), file("client.key"))))
                .as("a key that is not the certificate's")
                .hasMessageContaining("key_file");
    }

    private static LinkTls.Keys keys(Path ca, Path certificate, Path key) {
        return new LinkTls.Keys(ca, certificate, key, true, true, "");
    }
}
