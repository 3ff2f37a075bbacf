package registry.haproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import registry.haproxy.RendererConfig.ServiceConfig;

class HealthAnswerTest {
    private static final NameResolver NO_NAMES = new NameResolver(false);

    private static RendererConfig config(String more) {
        return InputReader.parse(
                Path.of("/in.yaml"), "services:\n  web:\n    bind: :80\n" + more.indent(4));
    }

    private static HealthAnswer parse(String more, String... entries) throws IOException {
        ServiceConfig web = config(more).services().getFirst();
        String body = "[" + String.join(",", entries) + "]";
        return HealthAnswer.parse(body.getBytes(StandardCharsets.UTF_8), web, NO_NAMES);
    }

    private static String entry(String id, String address, String port, String more) {
        return "{\"Node\":{\"Node\":\"n1\",\"Address\":\"10.0.0.9\"},\"Service\":{\"ID\":"
                + StubRegistry.json(id)
                + ",\"Address\":"
                + StubRegistry.json(address)
                + ",\"Port\":"
                + port
                + more
                + "}";
    }

    private static String plain(String id, String address, String port) {
        return entry(id, address, port, "},\"Checks\":[]");
    }

    private static String checked(String id, String... checks) {
        var list = new StringBuilder();
        for (String check : checks) {
            String[] parts = check.split("=");
            list.append(list.isEmpty() ? "" : ",")
                    .append("{\"CheckID\":\"" + parts[0] + "\",\"Status\":\"" + parts[1] + "\"}");
        }
        return entry(
                id,
                "10.0.0.1",
                "80",
                ",\"Weights\":{\"Passing\":7,\"Warning\":2}},\"Checks\":[" + list + "]");
    }

    @Test
    void takesTheServiceAddressBeforeTheNodes() throws IOException {
        HealthAnswer answer = parse("", plain("a", "", "80"), plain("b", "::1", "81"));
        assertThat(answer.members())
                .extracting(m -> m.endpoint().toString())
                .containsExactly("10.0.0.9:80", "[0:0:0:0:0:0:0:1]:81");
        assertThat(answer.skipped()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "10.0.0.1\nlisten x",
                "10.0.0.1 check",
                "10.0.0.1;",
                "10.0.0.1#",
                "'10.0.0.1'",
                "10.0.0",
                "10.0.0.256",
                "010.0.0.1",
                "1",
                "0x7f.1",
                "::1%eth0",
                "[::1]",
                "fe80::1%lo",
                "localhost",
                "a.b",
                "0.0.0.0",
                "::",
                "224.0.0.1",
                "ff02::1",
                "10.0.0.1\u0000",
                "１０.0.0.1",
                " 10.0.0.1",
                "unix@/tmp/x",
                "abns@x",
                "fd@3",
                "$HOME",
                "::ffff:0.0.0.0",
                ":::",
                "1::2::3"
            })
    void refusesWhatIsNoAddress(String address) throws IOException {
        HealthAnswer answer =
                parse("", plain("bad", address, "80"), plain("good", "10.0.0.1", "80"));
        assertThat(answer.members()).extracting(Member::name).containsExactly("n1/good");
        assertThat(answer.skipped()).extracting(Skipped::name).containsExactly("n1/bad");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0",
                "-1",
                "65536",
                "99999",
                "4294967376",
                "80.5",
                "\"80\"",
                "null",
                "[]",
                "1e3"
            })
    void refusesWhatIsNoPort(String port) throws IOException {
        HealthAnswer answer = parse("", plain("bad", "10.0.0.1", port));
        assertThat(answer.members()).isEmpty();
        assertThat(answer.skipped()).hasSize(1);
    }

    @Test
    void theSameIdOnTwoNodesIsTwoInstancesAndTheSameEndpointOne() throws IOException {
        HealthAnswer answer =
                parse(
                        "",
                        plain("a", "10.0.0.1", "80"),
                        plain("a", "10.0.0.2", "80"),
                        plain("b", "10.0.0.1", "80"));
        assertThat(answer.members()).hasSize(2);
        assertThat(answer.skipped())
                .containsExactly(new Skipped("n1/b", "same address and port as n1/a"));
    }

    @Test
    void theMarkOfAnUnusedServerIsNobodysEndpoint() throws IOException {
        assertThat(parse("", plain("a", "127.0.0.1", "1")).skipped()).hasSize(1);
    }

    @Test
    void checksDecide() throws IOException {
        String[] entries = {
            checked("w", "c=warning"),
            checked("c", "c=critical"),
            checked("x", "c=passing", "d=odd")
        };
        assertThat(parse("", entries).members()).isEmpty();
        HealthAnswer warning = parse("health: warning", entries);
        assertThat(warning.members())
                .extracting(Member::name, Member::weight)
                .containsExactly(org.assertj.core.groups.Tuple.tuple("n1/w", 2));
        assertThat(parse("weights: equal", checked("p", "c=passing")).members())
                .extracting(Member::weight)
                .containsExactly(1);
        assertThat(parse("", checked("p", "c=passing")).members())
                .extracting(Member::weight)
                .containsExactly(7);
    }

    @Test
    void maintenanceDrains() throws IOException {
        HealthAnswer answer =
                parse(
                        "",
                        checked("m", "_service_maintenance:m=critical"),
                        checked("n", "_node_maintenance=critical", "c=critical"));
        assertThat(answer.members())
                .extracting(Member::name, Member::draining)
                .containsExactly(org.assertj.core.groups.Tuple.tuple("n1/m", true));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{}", "null", "7", "[", "<html>", "\"x\""})
    void anAnswerThatIsNoListIsNoAnswer(String body) {
        ServiceConfig web = config("").services().getFirst();
        assertThatThrownBy(() ->
                        HealthAnswer.parse(body.getBytes(StandardCharsets.UTF_8), web, NO_NAMES))
                .isInstanceOf(IOException.class);
    }

    /**
     * Whatever is registered, the file has the lines that it should have, and nothing of what was
     * registered but numbers.
     */
    @Test
    void generatedRegistrationsNeverReachTheFileAsText() throws IOException {
        long seed = System.nanoTime();
        var random = new SplittableRandom(seed);
        var renderer = new ConfigRenderer(config(""));
        long lines = renderer.render(1, Map.of("web", List.of(Optional.empty()))).lines().count();
        Pattern server =
                Pattern.compile(
                        " {4}server srv1 ([0-9.]+|\\[[0-9a-f:]+\\]):[0-9]+ id 1 weight [0-9]+");
        String[] pieces = {
            "10.0.0.1",
            "::1",
            "\n",
            "\r",
            ";",
            " ",
            "#",
            "\"",
            "'",
            "\\",
            "$",
            "server",
            "disabled",
            ":",
            "80",
            "\u0000",
            "é",
            "[",
            "]",
            "%",
            "listen x",
            "."
        };
        for (int round = 0; round < 2000; round++) {
            var text = new StringBuilder();
            for (int piece = random.nextInt(1, 5); piece > 0; piece--) {
                text.append(pieces[random.nextInt(pieces.length)]);
            }
            String port =
                    Long.toString(random.nextInt(4) == 0 ? random.nextLong(-70000, 140000) : 80);
            HealthAnswer answer = parse("", plain(text.toString(), text.toString(), port));
            assertThat(answer.members().size() + answer.skipped().size())
                    .as("seed %d: %s", seed, text)
                    .isEqualTo(1);
            for (Member member : answer.members()) {
                String file = renderer.render(1, Map.of("web", List.of(Optional.of(member))));
                assertThat(file.lines().count()).isEqualTo(lines);
                assertThat(file.lines().filter(line -> line.startsWith("    server ")))
                        .as("seed %d", seed)
                        .allMatch(server.asMatchPredicate());
            }
        }
    }
}
