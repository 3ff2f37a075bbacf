package registry.agent.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.Type;

/** The interface on real sockets. */
class DnsServerTest {
    private final List<DnsServer> opened = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (DnsServer server : opened) {
            server.close();
        }
    }

    /** Free for both UDP and TCP, a moment ago. */
    private static int freePort() throws IOException {
        try (var stream = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                var datagrams =
                        new DatagramSocket(
                                stream.getLocalPort(), InetAddress.getLoopbackAddress())) {
            return datagrams.getLocalPort();
        }
    }

    private int start(String settings, StubCatalog catalog) throws IOException {
        int port = freePort();
        String all = "{\"ports\": {\"dns\": " + port + "}" + settings + "}";
        var server = new DnsServer(ResponderTest.config(all), catalog);
        opened.add(server);
        server.start();
        return port;
    }

    private static StubCatalog catalog() {
        return new StubCatalog()
                .node("a", "10.0.0.1", Map.of())
                .service("a", "web", "", 80, "passing");
    }

    private static Message ask(int port, boolean tcp, String name, int type) throws Exception {
        var resolver = new SimpleResolver(new InetSocketAddress("127.0.0.1", port));
        resolver.setTCP(tcp);
        resolver.setTimeout(Duration.ofSeconds(8));
        return resolver.sendAsync(ResponderTest.query(name, type))
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);
    }

    private static List<String> answers(Message message) {
        return message.getSection(Section.ANSWER).stream().map(Record::rdataToString).toList();
    }

    @Test
    void bothTransportsAnswer() throws Exception {
        int port = start("", catalog());
        for (boolean tcp : new boolean[] {false, true}) {
            assertThat(answers(ask(port, tcp, "web.service.consul.", Type.A)))
                    .containsExactly("10.0.0.1");
            assertThat(answers(ask(port, tcp, "1.0.0.10.in-addr.arpa.", Type.PTR)))
                    .containsExactly("a.node.dc1.consul.");
        }
    }

    @Test
    void aPortThatIsTakenIsNamed() throws Exception {
        int port = start("", catalog());
        var second =
                new DnsServer(
                        ResponderTest.config("{\"ports\": {\"dns\": " + port + "}}"), catalog());
        opened.add(second);
        assertThatThrownBy(second::start)
                .isInstanceOf(IOException.class)
                .hasMessageContaining("dns: listen udp 127.0.0.1:" + port);
    }

    @Test
    void garbageIsNotAnsweredAndHurtsNobody() throws Exception {
        int port = start("", catalog());
        try (var socket = new DatagramSocket()) {
            for (byte[] garbage : List.of(new byte[0], new byte[] {1, 2, 3}, new byte[600])) {
                socket.send(
                        new DatagramPacket(
                                garbage, garbage.length, new InetSocketAddress("127.0.0.1", port)));
            }
            byte[] good = ResponderTest.query("web.service.consul.", Type.A).toWire();
            socket.send(
                    new DatagramPacket(
                            good, good.length, new InetSocketAddress("127.0.0.1", port)));
            var answer = new DatagramPacket(new byte[512], 512);
            socket.setSoTimeout(8000);
            socket.receive(answer);
            assertThat(answer.getData()[0])
                    .as("the first answer is the good one's")
                    .isEqualTo(good[0]);
            assertThat(answer.getData()[1]).isEqualTo(good[1]);
        }
    }

    @Test
    void oneConnectionTakesManyQuestions() throws Exception {
        int port = start("", catalog());
        try (var socket = new Socket("127.0.0.1", port)) {
            socket.setSoTimeout(8000);
            var out = new DataOutputStream(socket.getOutputStream());
            var in = new DataInputStream(socket.getInputStream());
            for (int i = 0; i < 3; i++) {
                byte[] question = ResponderTest.query("web.service.consul.", Type.SRV).toWire();
                out.writeShort(question.length);
                out.write(question);
                var answer = new byte[in.readUnsignedShort()];
                in.readFully(answer);
                assertThat(new Message(answer).getSection(Section.ANSWER)).hasSize(1);
            }
        }
    }

    @Test
    void recursorsAnswerForOtherNamesInTurn() throws Exception {
        int other =
                start(", \"domain\": \"other\"", new StubCatalog().node("b", "10.0.0.2", Map.of()));
        // The first one refuses the name, for it knows no recursor itself.
        int refusing = start("", catalog());
        int port =
                start(
                        ", \"recursors\": [\"127.0.0.1:%d\", \"127.0.0.1:%d\"]"
                                .formatted(refusing, other),
                        catalog().node("ext", "b.node.other", Map.of()));
        for (boolean tcp : new boolean[] {false, true}) {
            Message answer = ask(port, tcp, "b.node.other.", Type.A);
            assertThat(answers(answer)).containsExactly("10.0.0.2");
            assertThat(answer.getHeader().getFlag(Flags.RA)).isTrue();
            assertThat(answers(ask(port, tcp, "ext.node.consul.", Type.A)))
                    .containsExactly("b.node.other.", "10.0.0.2");
        }
    }

    @Test
    void withoutAnAnswerOfRecursorsItIsAFailure() throws Exception {
        int nobody = freePort();
        int port =
                start(
                        ", \"recursors\": [\"127.0.0.1:%d\"], \"dns_config\": {\"recursor_timeout\": \"300ms\"}"
                                .formatted(nobody),
                        catalog());
        assertThat(ask(port, false, "example.com.", Type.A).getRcode()).isEqualTo(Rcode.SERVFAIL);
        assertThat(answers(ask(port, false, "web.service.consul.", Type.A))).hasSize(1);
    }
}
