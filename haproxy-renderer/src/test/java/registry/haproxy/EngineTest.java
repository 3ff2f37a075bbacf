package registry.haproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EngineTest {
    @TempDir private Path folder;
    private final RecordingRuntimeApi haproxy = new RecordingRuntimeApi();
    private RendererConfig config;
    private DesiredState desired;
    private StatusBoard status;
    private Engine engine;

    @BeforeEach
    void begin() {
        config = input("");
        desired = new DesiredState(folder.resolve("last-good.json"), Clock.systemUTC());
        status = new StatusBoard(folder.resolve("status.json"), Clock.systemUTC());
        engine =
                new Engine(
                        config,
                        desired,
                        haproxy,
                        new Reloader(config.haproxy(), null),
                        null,
                        status,
                        new Notifier(Map.of(), 0));
    }

    private RendererConfig input(String more) {
        String text =
                """
                data_dir: data
                haproxy: {config: haproxy.cfg, binary: "%s"}
                services:
                  a: {bind: ":1001"}
                  b: {bind: ":1002"}
                %s
                """
                        .formatted(RealHaproxy.binary(), more);
        return InputReader.parse(folder.resolve("in.yaml"), text);
    }

    private void answer(String key, int... lasts) {
        List<Member> members = new ArrayList<>();
        for (int last : lasts) {
            members.add(
                    new Member(
                            new Endpoint(InetAddress.ofLiteral("10.0.0." + last), 80),
                            1,
                            false,
                            "n/" + last));
        }
        var service =
                config.services().stream()
                        .filter(s -> s.key().equals(key))
                        .findFirst()
                        .orElseThrow();
        desired.answered(service, URI.create("http://a:1"), new HealthAnswer(members, List.of()));
    }

    @Test
    void outsOfAllServicesComeBeforeAllIns() {
        haproxy.reply(
                "show servers state",
                RecordingRuntimeApi.HEADER
                        + "3 a srv1 127.0.0.1 0 5 1 9 1\n3 a srv2 127.0.0.1 0 5 1 9 1\n4 b srv1 10.0.0.7 2 4 1 9 80\n4 b srv2 127.0.0.1 0 5 1 9 1\n4 b srv3 10.0.0.3 2 4 1 9 80\n");
        answer("a", 1);
        answer("b", 2, 3);
        engine.pass(Set.of(), true);
        assertThat(haproxy.changes())
                .containsExactly(
                        "set server b/srv1 state maint",
                        "set server a/srv1 addr 10.0.0.1 port 80",
                        "set server a/srv1 state ready",
                        "set server b/srv2 addr 10.0.0.2 port 80",
                        "set server b/srv2 state ready");
    }

    /**
     * HAProxy 2.6 takes port 99999 as 34463 without a word; whatever the reply, a slot with a wrong
     * address must not serve.
     */
    @Test
    void aSlotWhoseAddressWasNotTakenIsNotMadeReady() {
        haproxy.reply(
                "show servers state",
                RecordingRuntimeApi.HEADER + "3 a srv1 127.0.0.1 0 5 1 9 1\n");
        haproxy.reply(
                "set server a/srv1 addr 10.0.0.1 port 80",
                "IP changed from '127.0.0.1' to '10.0.0.1', port changed from '1' to '34463' by 'stats socket command'");
        answer("a", 1);
        answer("b");
        engine.pass(Set.of(), true);
        assertThat(haproxy.changes()).containsExactly("set server a/srv1 addr 10.0.0.1 port 80");
        assertThat(status.problem())
                .contains("refuses \"set server a/srv1 addr 10.0.0.1 port 80\"");
    }

    @Test
    void aServiceNobodyHasToldAboutIsLeftAsItIs() {
        haproxy.reply(
                "show servers state",
                RecordingRuntimeApi.HEADER
                        + "3 a srv1 10.0.0.9 2 4 1 9 80\n4 b srv1 10.0.0.7 2 4 1 9 80\n5 c srv1 10.0.0.8 2 4 1 9 80\n");
        answer("a", 9);
        answer("b", 7);
        engine.pass(Set.of(), true);
        engine.replace(input("  c: {bind: \":1003\"}"));
        engine.pass(Set.of(), true);
        assertThat(haproxy.changes()).isEmpty();
    }

    @Test
    void serversThatAreNotOursAreNotTouched() {
        haproxy.reply(
                "show servers state",
                RecordingRuntimeApi.HEADER
                        + "3 a legacy 10.0.0.9 2 0 1 9 80\n9 other srv1 10.0.0.7 2 0 1 9 80\n");
        answer("a");
        answer("b");
        engine.pass(Set.of(), true);
        assertThat(haproxy.changes()).isEmpty();
    }

    @Test
    void withoutAMasterTheFileIsWrittenAndTheReloadAskedFor() throws Exception {
        haproxy.reply("show servers state", RecordingRuntimeApi.HEADER);
        answer("a", 1);
        answer("b");
        engine.pass(Set.of(), true);
        assertThat(Files.readString(folder.resolve("haproxy.cfg")))
                .contains("server srv1 10.0.0.1:80 id 1 weight 1");
        assertThat(status.problem()).contains("has to be reloaded by hand");
    }

    @Test
    void aReplyThatIsNotUnderstoodIsShownAndEndsNothing() {
        haproxy.reply("show servers state", "Unknown command: 'show'");
        answer("a", 1);
        answer("b");
        engine.pass(Set.of(), true);
        assertThat(status.problem()).contains("show servers state answers");
    }

    @Test
    void moreInstancesThanCanEverBePlacedAreShown() {
        var servers = new StringBuilder(RecordingRuntimeApi.HEADER);
        for (int number = 1; number <= 4096; number++) {
            servers.append(
                    "3 a srv"
                            + number
                            + " 10.1."
                            + number / 256
                            + "."
                            + number % 256
                            + " 2 4 1 9 80\n");
        }
        haproxy.reply("show servers state", servers.toString());
        haproxy.reply("show stat 3 4 -1", "# pxname,svname,scur");
        List<Member> members = new ArrayList<>();
        for (int number = 1; number <= 4097; number++) {
            members.add(
                    new Member(
                            new Endpoint(
                                    InetAddress.ofLiteral(
                                            "10.1." + number / 256 + "." + number % 256),
                                    80),
                            1,
                            false,
                            "n/x"));
        }
        desired.answered(
                config.services().getFirst(),
                URI.create("http://a:1"),
                new HealthAnswer(members, List.of()));
        answer("b");
        engine.pass(Set.of(), true);
        assertThat(haproxy.changes()).isEmpty();
        assertThat(status.problem()).contains("a: no slots for 1 instances");
    }
}
