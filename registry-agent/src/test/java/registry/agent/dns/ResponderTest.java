package registry.agent.dns;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xbill.DNS.ClientSubnetOption;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Header;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SRVRecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.Type;
import registry.agent.config.AgentConfig;
import registry.agent.config.ConfigException;
import registry.agent.config.ConfigLoader;
import registry.agent.config.ConfigSources;
import registry.api.json.Json;

/** Answers as bytes, of a catalogue that stands still. Source: consul-api 10. */
class ResponderTest {
    private final StubCatalog catalog = new StubCatalog();

    private Responder responder(String settings) {
        return new Responder(config(settings), catalog);
    }

    static AgentConfig config(String settings) {
        var flags = Json.mapper().createObjectNode();
        flags.put("server", true)
                .put("bootstrap_expect", 1)
                .put("data_dir", "/tmp/no-such-directory")
                .put("bind_addr", "127.0.0.1")
                .put("node_name", "n1");
        try {
            return ConfigLoader.load(
                            new ConfigSources(false, List.of(), "", List.of(settings), flags))
                    .config();
        } catch (ConfigException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static Asker asker(Patience patience) {
        return new Asker("10.0.0.2", patience);
    }

    static Message query(String name, int type) throws IOException {
        return Message.newQuery(Record.newRecord(new Name(name), type, DClass.IN));
    }

    static Message query(String name, int type, int size) throws IOException {
        Message query = query(name, type);
        query.addRecord(new OPTRecord(size, 0, 0), Section.ADDITIONAL);
        return query;
    }

    private Message udp(Responder responder, Message query) throws IOException {
        byte[] wire = query.toWire();
        byte[] answer = responder.answer(wire, false, asker(Patience.SOME));
        assertThat(answer.length).isLessThanOrEqualTo(10 * wire.length);
        return new Message(answer);
    }

    private Message udp(String name, int type) throws IOException {
        return udp(responder("{}"), query(name, type));
    }

    private Message tcp(String name, int type) throws IOException {
        return new Message(
                responder("{}").answer(query(name, type).toWire(), true, asker(Patience.SOME)));
    }

    private void many(int count) {
        for (int i = 0; i < count; i++) {
            catalog.node("m" + i, "10.1." + i / 200 + "." + i % 200, Map.of());
            catalog.service("m" + i, "many", "", 9000 + i, "passing");
        }
    }

    @Test
    void udpWithoutEdnsHasThreeAnswersAndAllOfThemInTime() throws IOException {
        many(40);
        var seen = new TreeSet<String>();
        Responder responder = responder("{}");
        for (int i = 0; i < 400; i++) {
            Message answer = udp(responder, query("many.service.consul.", Type.A));
            assertThat(answer.getSection(Section.ANSWER)).hasSize(3);
            assertThat(answer.getHeader().getFlag(Flags.TC)).isFalse();
            answer.getSection(Section.ANSWER).forEach(each -> seen.add(each.rdataToString()));
        }
        assertThat(seen).as("addresses in 400 answers").hasSize(40);
    }

    @Test
    void aPreparedQueryAnswersInItsOrderAndWithItsTtl() throws IOException {
        many(3);
        catalog.service("m0", "many", "", 9100, "critical");
        catalog.query("q.dots", "many", "7s");
        for (int i = 0; i < 20; i++) {
            Message answer = tcp("Q.dots.query.dc1.consul.", Type.SRV);
            assertThat(answer.getSection(Section.ANSWER))
                    .extracting(each -> ((SRVRecord) each).getPort())
                    // Which instances are healthy is the query's business.
                    .containsExactly(9000, 9001, 9002, 9100);
            assertThat(answer.getSection(Section.ANSWER)).allMatch(each -> each.getTTL() == 7);
            assertThat(answer.getSection(Section.ADDITIONAL)).allMatch(each -> each.getTTL() == 7);
        }
        assertThat(catalog.lastParams())
                .containsEntry("agent", List.of("n1"))
                .containsEntry("ip", List.of("10.0.0.2"));
    }

    @Test
    void withoutATtlOfItsOwnItHasTheServices() throws IOException {
        many(1);
        catalog.query("q", "many", "").query("none", "nothing", "");
        Responder responder = responder("{\"dns_config\":{\"service_ttl\":{\"many\":\"5s\"}}}");
        Message answer = udp(responder, query("q.query.consul.", Type.A));
        assertThat(answer.getSection(Section.ANSWER).getFirst().getTTL()).isEqualTo(5);
        for (String name : List.of("none.query.consul.", "unknown.query.consul.")) {
            Message missing = udp(responder, query(name, Type.A));
            assertThat(missing.getRcode()).isEqualTo(Rcode.NXDOMAIN);
            assertThat(missing.getSection(Section.AUTHORITY)).hasSize(1);
        }
    }

    @Test
    void whatIsOverTenfoldIsCutAndSaysSo() throws IOException {
        many(200);
        for (int type : new int[] {Type.A, Type.SRV}) {
            Message query = query("many.service.consul.", type, 4096);
            Message answer = udp(responder("{}"), query);
            assertThat(answer.getHeader().getFlag(Flags.TC)).isTrue();
            assertThat(answer.getSection(Section.ANSWER)).hasSizeGreaterThan(3);
        }
    }

    @Test
    void ednsIsCappedAtOnePacket() throws IOException {
        many(200);
        // A long name would have room for more.
        String label = "x".repeat(60);
        catalog.service("m1", "long", "", 1, "passing", label + "." + label + "." + label);
        for (int i = 0; i < 200; i++) {
            catalog.service("m" + i, "wide", "", i, "passing", label + "." + label);
        }
        Message query = query(label + "." + label + ".wide.service.consul.", Type.A, 65_000);
        byte[] answer = responder("{}").answer(query.toWire(), false, asker(Patience.NONE));
        assertThat(answer.length).isBetween(1200, 1232);
    }

    @Test
    void tcpHasAllOfThem() throws IOException {
        many(500);
        assertThat(tcp("many.service.consul.", Type.A).getSection(Section.ANSWER)).hasSize(500);
        Message srv = tcp("many.service.consul.", Type.SRV);
        assertThat(srv.getSection(Section.ANSWER)).hasSize(500);
        assertThat(srv.getSection(Section.ADDITIONAL)).hasSize(500);
    }

    @Test
    void anSrvAnswerIsCutWithWhatBelongsToIt() throws IOException {
        many(2000);
        Message answer = tcp("many.service.consul.", Type.SRV);
        var targets =
                answer.getSection(Section.ANSWER).stream()
                        .map(each -> ((SRVRecord) each).getTarget())
                        .toList();
        assertThat(targets).hasSizeBetween(900, 1024);
        assertThat(answer.getSection(Section.ADDITIONAL))
                .extracting(Record::getName)
                .containsExactlyInAnyOrderElementsOf(targets);
    }

    @Test
    void aSubnetOfTheClientIsEchoed() throws Exception {
        many(1);
        Message query = query("many.service.consul.", Type.A);
        query.addRecord(
                new OPTRecord(
                        1000,
                        0,
                        0,
                        0,
                        new ClientSubnetOption(24, InetAddress.ofLiteral("10.2.3.0"))),
                Section.ADDITIONAL);
        OPTRecord opt = udp(responder("{}"), query).getOPT();
        assertThat(opt.getPayloadSize()).isEqualTo(1000);
        assertThat(opt.getOptions())
                .singleElement()
                .isInstanceOfSatisfying(
                        ClientSubnetOption.class,
                        subnet -> assertThat(subnet.getSourcePrefixLength()).isEqualTo(24));
    }

    @Test
    void onlyPassingLeavesOutWarnings() throws IOException {
        catalog.node("a", "10.0.0.1", Map.of());
        catalog.service("a", "web", "10.0.0.2", 80, "passing");
        catalog.service("a", "web", "10.0.0.3", 80, "warning");
        catalog.service("a", "web", "10.0.0.4", 80, "critical");
        assertThat(udp("web.service.consul.", Type.A).getSection(Section.ANSWER)).hasSize(2);
        Message strict =
                udp(
                        responder("{\"dns_config\": {\"only_passing\": true}}"),
                        query("web.service.consul.", Type.A));
        assertThat(strict.getSection(Section.ANSWER))
                .extracting(Record::rdataToString)
                .containsExactly("10.0.0.2");
    }

    @Test
    void settingsOfTtlLimitAndSoa() throws IOException {
        many(5);
        Responder responder =
                responder(
                        """
                        {"dns_config": {"node_ttl": "7s", "a_record_limit": 2,
                         "service_ttl": {"*": "1s", "ma*": "2s", "man*": "3s"},
                         "soa": {"refresh": 1, "retry": 2, "expire": 3, "min_ttl": 4}}}
                        """);
        Message answer = udp(responder, query("many.service.consul.", Type.A));
        assertThat(answer.getSection(Section.ANSWER))
                .hasSize(2)
                .allMatch(record -> record.getTTL() == 3);
        assertThat(udp(responder, query("m1.node.consul.", Type.A)).getSection(Section.ANSWER))
                .allMatch(record -> record.getTTL() == 7);
        assertThat(
                        udp(responder, query("none.consul.", Type.A))
                                .getSection(Section.AUTHORITY)
                                .getFirst()
                                .rdataToString())
                .matches("ns\\.consul\\. hostmaster\\.consul\\. \\d+ 1 2 3 4");
    }

    @Test
    void truncationIsSaidWhenItIsWanted() throws IOException {
        many(5);
        Message answer =
                udp(
                        responder("{\"dns_config\": {\"enable_truncate\": true}}"),
                        query("many.service.consul.", Type.A));
        assertThat(answer.getHeader().getFlag(Flags.TC)).isTrue();
    }

    @Test
    void withoutCompressionAnswersSayTheSame() throws IOException {
        many(3);
        Message query = query("many.service.consul.", Type.A);
        byte[] plain =
                responder("{\"dns_config\": {\"disable_compression\": true}}")
                        .answer(query.toWire(), true, asker(Patience.NONE));
        byte[] compressed = responder("{}").answer(query.toWire(), true, asker(Patience.NONE));
        assertThat(plain.length).isGreaterThan(compressed.length);
        assertThat(new Message(plain).getSection(Section.ANSWER))
                .containsExactlyInAnyOrderElementsOf(
                        new Message(compressed).getSection(Section.ANSWER));
    }

    @Test
    void aSecondDomainAnswersInItsOwnNames() throws IOException {
        many(1);
        Message answer =
                udp(
                        responder("{\"alt_domain\": \"corp.example.\"}"),
                        query("many.service.corp.example.", Type.SRV));
        assertThat(((SRVRecord) answer.getSection(Section.ANSWER).getFirst()).getTarget())
                .hasToString("m0.node.dc1.corp.example.");
    }

    @Test
    void hostNamesOfTheDomainAreFollowedButNotForEver() throws IOException {
        catalog.node("loop", "loop.node.consul", Map.of());
        catalog.node("alias", "end.node.consul", Map.of());
        catalog.node("end", "10.0.0.9", Map.of());
        assertThat(udp("alias.node.consul.", Type.A).getSection(Section.ANSWER))
                .extracting(record -> Type.string(record.getType()))
                .containsExactly("CNAME", "A");
        assertThat(udp("loop.node.consul.", Type.A).getSection(Section.ANSWER)).hasSize(4);
    }

    @Test
    void metadataIsTextHoweverOddItIs() throws IOException {
        String value = "\"q\\ü".repeat(60);
        catalog.node("odd", "10.0.0.1", Map.of("a", value, "rfc1035-b", "bare"));
        List<Record> texts = udp("odd.node.consul.", Type.TXT).getSection(Section.ANSWER);
        assertThat(texts).isEmpty();
        texts = tcp("odd.node.consul.", Type.TXT).getSection(Section.ANSWER);
        assertThat(texts).hasSize(2);
        var bytes = new ByteArrayOutputStream();
        ((TXTRecord) texts.getFirst())
                .getStringsAsByteArrays()
                .forEach(chunk -> bytes.writeBytes(chunk));
        assertThat(bytes.toString(StandardCharsets.UTF_8)).isEqualTo("a=" + value);
    }

    @ParameterizedTest
    @CsvSource({
        "x y.node.consul.,NXDOMAIN",
        "web.service.dc2.consul.,NXDOMAIN",
        "web.service.dc1.more.consul.,NXDOMAIN",
        "web.query.consul.,NXDOMAIN",
        "web.connect.consul.,NXDOMAIN",
        "0a00zz01.addr.consul.,NXDOMAIN",
        "_web._udp.service.consul.,NXDOMAIN",
        "example.com.,REFUSED"
    })
    void namesThatAreNone(String name, String rcode) throws IOException {
        catalog.node("a", "10.0.0.1", Map.of()).service("a", "web", "", 80, "passing");
        Message answer = udp(name.replace(" ", "\\032"), Type.A);
        assertThat(Rcode.string(answer.getRcode())).isEqualTo(rcode);
    }

    @Test
    void nodesWithNamesThatAreNoLabelsAreNamedByTheirAddress() throws IOException {
        String name = "n".repeat(70);
        catalog.node(name, "10.0.0.1", Map.of()).service(name, "web", "", 80, "passing");
        Message answer = udp("web.service.consul.", Type.SRV);
        assertThat(((SRVRecord) answer.getSection(Section.ANSWER).getFirst()).getTarget())
                .hasToString("0a000001.addr.dc1.consul.");
    }

    @Test
    void withoutServersItIsTheServersFault() throws IOException {
        catalog.down();
        assertThat(udp("web.service.consul.", Type.A).getRcode()).isEqualTo(Rcode.SERVFAIL);
    }

    @Test
    void othersThanQueriesAreNotImplemented() throws IOException {
        Message query = query("web.service.consul.", Type.A);
        query.getHeader().setOpcode(5);
        assertThat(udp(responder("{}"), query).getRcode()).isEqualTo(Rcode.NOTIMP);
        assertThat(udp("consul.", Type.AXFR).getRcode()).isEqualTo(Rcode.NOTIMP);
    }

    @Test
    void answersAreNotAnswered() throws IOException {
        Message answer = query("web.service.consul.", Type.A);
        answer.getHeader().setFlag(Flags.QR);
        assertThat(responder("{}").answer(answer.toWire(), false, asker(Patience.SOME))).isNull();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void garbageIsHarmless(long seed) throws IOException {
        many(3);
        Responder responder = responder("{}");
        var random = new Random(seed);
        byte[] good = query("many.service.consul.", Type.SRV, 4096).toWire();
        for (int i = 0; i < 5000; i++) {
            byte[] packet = random.nextBoolean() ? good.clone() : new byte[random.nextInt(80)];
            for (int j = 0; j < 1 + random.nextInt(4) && packet.length > 0; j++) {
                packet[random.nextInt(packet.length)] = (byte) random.nextInt();
            }
            byte[] answer = responder.answer(packet, false, asker(Patience.SOME));
            if (answer != null) {
                assertThat(new Header(answer).getFlag(Flags.QR)).isTrue();
            }
        }
    }
}
