package registry.haproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigRendererTest {
    @TempDir private Path folder;

    private RendererConfig config(String services) {
        return InputReader.parse(
                folder.resolve("in.yaml"),
                "haproxy: {config: haproxy.cfg, binary: \""
                        + RealHaproxy.binary()
                        + "\"}\nservices:\n"
                        + services);
    }

    private static Optional<Member> member(String address, int port, int weight, boolean draining) {
        return Optional.of(
                new Member(
                        new Endpoint(InetAddress.ofLiteral(address), port),
                        weight,
                        draining,
                        "n/x"));
    }

    @Test
    void membersStandInTheirSlots() {
        var renderer = new ConfigRenderer(config("  web: {bind: ':80'}\n"));
        String text =
                renderer.render(
                        5,
                        Map.of(
                                "web",
                                List.of(
                                        Optional.empty(),
                                        member("10.0.0.1", 81, 3, false),
                                        member("fd00::1", 82, 3, true))));
        assertThat(text)
                .contains(
                        "    set-var proc.cfgver int(5)\n",
                        "    server srv1 127.0.0.1:1 id 1 disabled\n",
                        "    server srv2 10.0.0.1:81 id 2 weight 3\n",
                        "    server srv3 [fd00:0:0:0:0:0:0:1]:82 id 3 weight 0\n");
    }

    @Test
    void theVersionNamesTheStructureOnly() {
        var renderer = new ConfigRenderer(config("  web: {bind: ':80'}\n"));
        long version = renderer.version(Map.of("web", 8));
        assertThat(new ConfigRenderer(config("  web: {bind: ':80'}\n")).version(Map.of("web", 8)))
                .isEqualTo(version);
        assertThat(renderer.version(Map.of("web", 16))).isNotEqualTo(version);
        assertThat(new ConfigRenderer(config("  web: {bind: ':81'}\n")).version(Map.of("web", 8)))
                .isNotEqualTo(version);
    }

    /**
     * HAProxy itself reads every kind of line that can be written, without a warning that we cause.
     */
    @Test
    void haproxyAcceptsAllOfIt() throws IOException {
        RendererConfig config =
                config(
                        """
                          web:
                            bind: [":10080", "[::1]:10081"]
                            balance: leastconn
                            check: {path: "/health?x=1&y=$z", method: HEAD, host: "example.org:80", expect: "200-299,404"}
                            server_options: maxconn 100 slowstart 5s
                            frontend: ["option forwardfor", "http-request set-header X-A 'b c'"]
                            backend: ["http-reuse safe"]
                          plain: {bind: ":10082", check: {type: tcp}}
                          unchecked: {bind: ":10083", check: {type: none}}
                          db: {bind: ":10084", mode: tcp, balance: source}
                          probed: {bind: ":10085", mode: tcp, check: {type: http, path: /up}}
                          random: {bind: ":10086", balance: random}
                        """);
        Map<String, List<Optional<Member>>> slots = new LinkedHashMap<>();
        config.services()
                .forEach(service ->
                        slots.put(
                                service.key(),
                                List.of(
                                        member("10.0.0.1", 65535, 256, false),
                                        member("fd00::1", 1, 0, true),
                                        Optional.empty())));
        String text = new ConfigRenderer(config).render(281474976710655L, slots);
        assertThat(new Reloader(config.haproxy(), null).validate(text)).as(text).isNull();
    }
}
