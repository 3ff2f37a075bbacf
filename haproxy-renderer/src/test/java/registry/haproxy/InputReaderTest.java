package registry.haproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import registry.api.json.Json;
import registry.haproxy.RendererConfig.CheckType;
import registry.haproxy.RendererConfig.Mode;
import registry.haproxy.RendererConfig.OnEmpty;
import registry.haproxy.RendererConfig.ServiceConfig;

class InputReaderTest {
    private static final Path YAML = Path.of("/etc/in.yaml");

    @Test
    void theExampleOfTheDistributionIsRight() {
        RendererConfig config =
                InputReader.read(Path.of("src/main/dist/etc/registry-haproxy.yaml"));
        assertThat(config.services()).hasSize(1);
        assertThat(config.haproxy().global()).contains("user haproxy");
    }

    /**
     * Every YAML block of the page is an input that HAProxy accepts too, with the files it names.
     */
    @Test
    void theExamplesOfThePageAreRight(@TempDir Path folder) throws Exception {
        String page = Files.readString(Path.of("../docs/haproxy.md"));
        Path certificates = Files.createDirectory(folder.resolve("certs"));
        TestCertificate.write(certificates.resolve("shop.pem"), certificates.resolve("ca.pem"));
        Files.writeString(folder.resolve("haproxy.tmpl"), blocks(page, "haproxy").getFirst());
        List<String> examples = blocks(page, "yaml");
        assertThat(examples).hasSizeGreaterThanOrEqualTo(8);
        for (String example : examples) {
            Path file = Files.writeString(folder.resolve("in.yaml"), example);
            assertThat(RendererMain.execute("check", "-config", file.toString()))
                    .as(example)
                    .isZero();
        }
    }

    private static List<String> blocks(String page, String language) {
        return Pattern.compile("```" + language + "\\n(.*?)```", Pattern.DOTALL)
                .matcher(page)
                .results()
                .map(found -> found.group(1))
                .toList();
    }

    @Test
    void defaultsAreThoseOfTheDocumentation() {
        RendererConfig config = InputReader.parse(YAML, "services:\n  web:\n    bind: :80\n");
        assertThat(config.agents()).containsExactly(URI.create("http://127.0.0.1:8500"));
        assertThat(config.waitTime()).isEqualTo(Duration.ofSeconds(30));
        assertThat(config.haproxy().config()).isEqualTo(Path.of("/etc/haproxy/haproxy.cfg"));
        assertThat(config.haproxy().masterSocket()).isNull();
        ServiceConfig web = config.services().getFirst();
        assertThat(web.selection().service()).isEqualTo("web");
        assertThat(web.mode()).isEqualTo(Mode.HTTP);
        assertThat(web.check().type()).isEqualTo(CheckType.HTTP);
        assertThat(web.check().expect()).isEqualTo("200-499");
        assertThat(web.check().interval()).isEqualTo(Duration.ofMillis(500));
        assertThat(web.onEmpty()).isEqualTo(new OnEmpty.Keep());
        assertThat(web.drain()).isEqualTo(Duration.ofSeconds(30));
        assertThat(web.useWeights()).isTrue();
    }

    @Test
    void jsonSaysTheSame() {
        String json =
                """
                {"agents": ["http://a:1", "http://b:2/"],
                 "services": {"db": {"service": "postgres", "tags": ["primary"], "mode": "tcp", "bind": [":5432", "[::1]:5432"],
                   "slots": 4, "on_empty": {"after": "5s"}, "check": {"rise": 3}, "health": "warning"}}}
                """;
        RendererConfig config = InputReader.parse(Path.of("/etc/in.json"), json);
        assertThat(config.agents())
                .containsExactly(URI.create("http://a:1"), URI.create("http://b:2"));
        ServiceConfig db = config.services().getFirst();
        assertThat(db.check().type()).isEqualTo(CheckType.TCP);
        assertThat(db.onEmpty()).isEqualTo(new OnEmpty.After(Duration.ofSeconds(5)));
        assertThat(db.bind()).containsExactly(":5432", "[::1]:5432");
        assertThat(db.includeWarning()).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    services: {web: {bind: ':80', slotz: 3}}       | /etc/in.yaml:1: services.web.slotz: unknown key, known are
                    services: {web: {bind: ':80', slots: many}}    | services.web.slots: expected a number, found "many"
                    services: {web: {bind: ':80', slots: 0}}       | services.web.slots: 0 is not between 1 and 4096
                    services: {web: {bind: ':80', drain: 30}}      | services.web.drain: expected a duration like "10s", found 30
                    services: {web: {bind: ':80', drain: 5x}}      | services.web.drain: unknown unit "x"
                    services: {web: {bind: ':80', mode: udp}}      | services.web.mode: "udp" is not one of http, tcp
                    services: {web: {bind: 80}}                    | services.web.bind: expected a text, found 80
                    services: {web: {bind: 'x y'}}                 | services.web.bind: "x y" is not an address like
                    services: {web: {}}                            | services.web.bind: missing
                    services: {web: 7}                             | services.web: expected a mapping, found 7
                    services: {'a b': {bind: ':80'}}               | services.a b: the name is not a word of letters
                    services: {web: {bind: ':80', on_empty: {}}}   | services.web.on_empty.after: missing
                    services: {web: {bind: ':80', on_empty: never}} | services.web.on_empty: "never" is not one of drop, keep
                    services: {web: {bind: ':80', check: {path: "/ b"}}} | services.web.check.path: "/ b" is not a path of a URL
                    services: {web: {bind: ':80', server_options: enabled}} | services.web.server_options: id, weight, disabled, enabled
                    services: {web: {bind: ':80'}, b: {bind: ':80'}} | services.b: bind ":80" is that of "web" already
                    services: {web: {bind: ':80'}, web: {bind: ':81'}} | services.web: given twice
                    services: {web: &a {bind: ':80'}, b: *a}       | aliases are not understood here
                    services: {web: {route: {}}}                   | services.web.route.frontend: missing
                    services: {web: {route: {frontend: x}}}        | services.web: route.frontend "x" is not under frontends
                    services: {web: {mode: tcp, route: {frontend: x}}} | services.web.route: only a service with mode http
                    services: {web: {bind: ':80', tls: {}}}        | services.web.tls.certificate: missing
                    services: {web: {bind: ':80', servers: dynamic, balance: source}} | services.web.servers: dynamic servers need
                    services: {web: {bind: ':80', meta: {a: 1}}}   | services.web.meta.a: expected a text, found 1
                    services: {web: {bind: ':80', route: {frontend: f, hosts: 'a b'}}} | services.web.route.hosts: "a b" is not a host
                    services: {web: {bind: ':80', route: {frontend: f, paths: '/a;b'}}} | services.web.route.paths: "/a;b" is not a path
                    {frontends: {f: {}}, services: {f: {bind: ':80'}}} | frontends.f.bind: missing
                    {frontends: {f: {bind: ':80'}}, services: {f: {bind: ':81'}}} | services.f: has a bind, and the name of a frontend
                    {frontends: {f: {bind: ':80', default: x}}, services: {w: {bind: ':81'}}} | frontends.f: default "x" is not a service
                    {frontends: {f: {bind: ':80'}}, services: {w: {bind: ':80'}}} | services.w: bind ":80" is that of "f" already
                    {frontends: {f: {bind: ':80'}}, services: {a: {route: {frontend: f}}, b: {route: {frontend: f}}}} | services.b: route */ is that of "a" already
                    listen: 127.0.0.1                              | listen: "127.0.0.1" is not an address and port
                    haproxy: {template: nowhere}                   | haproxy.template: cannot be read
                    services: {}                                   | services: expected at least one service
                    agents: []                                     | agents: expected at least one
                    agents: ftp://x                                | agents: "ftp://x" is not an address like
                    servces: {}                                    | servces: unknown key
                    resolve_names: maybe                           | resolve_names: expected true or false, found "maybe"
                    haproxy: {socket: 'a,b'}                       | haproxy.socket: "a,b" is not a path
                    [1]                                            | expected a mapping
                    services: {web: {bind: ':80'                   | /etc/in.yaml:
                    """)
    void refusesWithFileLineAndPath(String text, String problem) {
        assertThatThrownBy(() -> InputReader.parse(YAML, text))
                .isInstanceOf(InputException.class)
                .hasMessageContaining(problem)
                .hasMessageContaining("/etc/in.yaml:1");
    }

    @Test
    void namesAllMistakesWithTheirLines() {
        String text =
                """
                services:
                  web:
                    bind: ":80"
                    slots: 5000
                    frontend:
                      - fine
                      - "line\\nbreak"
                  db:
                    mode: udp
                """;
        assertThatThrownBy(() -> InputReader.parse(YAML, text))
                .hasMessageContaining("/etc/in.yaml:4: services.web.slots: 5000")
                .hasMessageContaining(
                        "/etc/in.yaml:7: services.web.frontend[1]: \"line\\nbreak\" is not one line")
                .hasMessageContaining("services.db.bind: missing")
                .hasMessageContaining("/etc/in.yaml:9: services.db.mode");
    }

    @Test
    void aFileThatIsNotThereIsAMistakeToo() {
        assertThatThrownBy(() -> InputReader.read(Path.of("/nowhere/in.yaml")))
                .hasMessageContaining("/nowhere/in.yaml: there is no such file");
    }

    /** The schema knows just the keys that the reader asks for, at each place. */
    @Test
    void theSchemaNamesTheSameKeysAsTheReader() throws IOException {
        JsonNode schema = Json.mapper().readTree(InputSchema.text());
        JsonNode service = schema.at("/properties/services/additionalProperties");
        JsonNode entrance = schema.at("/properties/frontends/additionalProperties");
        assertThat(keys("{zz: 1}")).isEqualTo(names(schema));
        assertThat(keys("haproxy: {zz: 1}")).isEqualTo(names(schema.at("/properties/haproxy")));
        assertThat(keys("haproxy: {timeout: {zz: 1}}"))
                .isEqualTo(names(schema.at("/properties/haproxy/properties/timeout")));
        assertThat(keys("frontends: {f: {zz: 1}}")).isEqualTo(names(entrance));
        assertThat(keys("frontends: {f: {tls: {zz: 1}}}"))
                .isEqualTo(names(entrance.at("/properties/tls")));
        assertThat(keys("services: {w: {zz: 1}}")).isEqualTo(names(service));
        for (String inner : List.of("tls", "route", "check", "server_tls")) {
            assertThat(keys("services: {w: {" + inner + ": {zz: 1}}}"))
                    .as(inner)
                    .isEqualTo(names(service.at("/properties/" + inner)));
        }
    }

    private static Set<String> names(JsonNode object) {
        assertThat(object.path("additionalProperties").asBoolean(true)).isFalse();
        Set<String> names = new TreeSet<>();
        object.path("properties").fieldNames().forEachRemaining(names::add);
        return names;
    }

    private static Set<String> keys(String text) {
        try {
            InputReader.parse(YAML, text);
            throw new AssertionError("accepted: " + text);
        } catch (InputException e) {
            String line =
                    String.valueOf(e.getMessage())
                            .lines()
                            .filter(problem -> problem.contains("zz: unknown key, known are "))
                            .findFirst()
                            .orElseThrow();
            return new TreeSet<>(List.of(line.replaceFirst(".* known are ", "").split(", ")));
        }
    }
}
