package registry.haproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import registry.haproxy.RendererConfig.ServiceConfig;

class DesiredStateTest {
    private static final URI AGENT = URI.create("http://127.0.0.1:8500");
    private static final HealthAnswer NONE = new HealthAnswer(List.of(), List.of());
    @TempDir private Path folder;
    private final HandClock clock = new HandClock();

    private static ServiceConfig service(String more) {
        return InputReader.parse(
                        Path.of("/in.yaml"), "services:\n  web:\n    bind: :80\n    " + more)
                .services()
                .getFirst();
    }

    private static HealthAnswer answer(int last) {
        var endpoint = new Endpoint(InetAddress.ofLiteral("10.0.0." + last), 80);
        return new HealthAnswer(List.of(new Member(endpoint, 3, true, "n1/w" + last)), List.of());
    }

    private DesiredState open() {
        return new DesiredState(folder.resolve("last-good.json"), clock);
    }

    @Test
    void whatIsUnknownIsNotEmpty() {
        assertThat(open().members(service(""))).isEmpty();
    }

    @Test
    void anEmptyFirstAnswerIsKnown() {
        DesiredState state = open();
        state.answered(service(""), AGENT, NONE);
        assertThat(state.members(service(""))).contains(List.of());
    }

    @Test
    void keepKeepsDropDrops() {
        DesiredState state = open();
        state.answered(service(""), AGENT, answer(1));
        state.answered(service(""), AGENT, NONE);
        assertThat(state.members(service(""))).contains(answer(1).members());
        assertThat(state.view(service("")).held()).isTrue();
        assertThat(state.members(service("on_empty: drop"))).contains(List.of());
    }

    @Test
    void afterDropsAfterItsTimeAlsoOverARestart() throws IOException {
        ServiceConfig service = service("on_empty: {after: 30s}\n    drain: 10m");
        DesiredState state = open();
        state.answered(service, AGENT, answer(1));
        state.answered(service, AGENT, NONE);
        clock.now = clock.now.plusSeconds(29);
        assertThat(state.members(service)).contains(answer(1).members());
        state.save();
        clock.now = clock.now.plusSeconds(2);
        assertThat(state.members(service)).contains(List.of());
        assertThat(open().members(service)).contains(List.of());
    }

    @Test
    void tellsWhetherSomethingChanged() {
        DesiredState state = open();
        assertThat(state.answered(service(""), AGENT, answer(1))).isTrue();
        assertThat(state.answered(service(""), AGENT, answer(1))).isFalse();
        assertThat(state.answered(service(""), AGENT, answer(2))).isTrue();
        clock.now = clock.now.plusSeconds(6);
        assertThat(state.answered(service(""), AGENT, NONE)).isFalse();
        assertThat(state.answered(service(""), AGENT, answer(2))).isFalse();
    }

    @Test
    void theLastGoodAnswerSurvives() throws IOException {
        DesiredState state = open();
        state.answered(service(""), AGENT, answer(1));
        state.save();
        assertThat(open().members(service(""))).contains(answer(1).members());
    }

    /** Kept under the same key, but the answer to another question. */
    @Test
    void anotherServiceUnderTheSameKeyBeginsUnknown() throws IOException {
        DesiredState state = open();
        state.answered(service(""), AGENT, answer(1));
        state.save();
        assertThat(state.members(service("service: other"))).isEmpty();
        assertThat(open().members(service("tags: [blue]"))).isEmpty();
    }

    @Test
    void aDamagedFileIsAStartWithoutOne() throws IOException {
        for (String text :
                List.of(
                        "",
                        "{",
                        "[]",
                        "{\"web\": 7}",
                        "{\"web\": {\"members\": [{\"address\": \"x\\ny\", \"port\": 80}]}}")) {
            Files.writeString(folder.resolve("last-good.json"), text);
            assertThat(open().members(service("")).orElse(List.of())).as(text).isEmpty();
        }
    }

    @Test
    void whoDrainsLeavesAfterItsTimeAlsoOverARestart() throws IOException {
        ServiceConfig service = service("drain: 10s");
        DesiredState state = open();
        state.answered(service, AGENT, answer(1));
        assertThat(state.members(service).orElseThrow()).hasSize(1);
        state.save();
        clock.now = clock.now.plusSeconds(9);
        assertThat(open().members(service).orElseThrow()).hasSize(1);
        clock.now = clock.now.plusSeconds(1);
        assertThat(open().members(service)).contains(List.of());
        assertThat(state.members(service)).contains(List.of());
        assertThat(state.expired(service)).hasSize(1);
        assertThat(state.view(service).held()).isFalse();
        // Back from maintenance, and into it again: its time begins anew.
        state.answered(service, AGENT, passing(1));
        assertThat(state.members(service).orElseThrow())
                .containsExactlyElementsOf(passing(1).members());
        state.answered(service, AGENT, answer(1));
        assertThat(state.members(service).orElseThrow()).hasSize(1);
    }

    /** Three that were deregistered within 20 ms left but one to keep. */
    @Test
    void whoLeftShortlyBeforeTheLastIsKeptToo() {
        ServiceConfig service = service("");
        DesiredState state = open();
        List<Member> all =
                List.of(
                        passing(1).members().getFirst(),
                        passing(2).members().getFirst(),
                        passing(3).members().getFirst());
        state.answered(service, AGENT, new HealthAnswer(all, List.of()));
        clock.now = clock.now.plusSeconds(11);
        state.answered(service, AGENT, new HealthAnswer(all.subList(0, 2), List.of()));
        clock.now = clock.now.plusSeconds(11);
        state.answered(service, AGENT, passing(2));
        assertThat(state.members(service)).contains(passing(2).members());
        state.answered(service, AGENT, NONE);
        assertThat(state.members(service).orElseThrow())
                .containsExactlyInAnyOrderElementsOf(all.subList(0, 2));
        state.answered(service, AGENT, passing(4));
        assertThat(state.members(service)).contains(passing(4).members());
    }

    @Test
    void whatIsDrainedByHandDrains() throws IOException {
        ServiceConfig service = service("");
        DesiredState state = open();
        state.answered(service, AGENT, passing(1));
        for (String name : List.of("w1", "n1/w1", "10.0.0.1:80")) {
            new Drains(Set.of("web/" + name, "other/w1")).write(folder.resolve("drains.json"));
            state = open();
            state.answered(service, AGENT, passing(1));
            assertThat(state.members(service).orElseThrow())
                    .as(name)
                    .extracting(Member::draining)
                    .containsExactly(true);
        }
        Files.delete(folder.resolve("drains.json"));
        state.readDrains();
        assertThat(state.members(service)).contains(passing(1).members());
        Files.writeString(folder.resolve("drains.json"), "{");
        state.readDrains();
        assertThat(state.members(service)).contains(passing(1).members());
    }

    private static HealthAnswer passing(int last) {
        var endpoint = new Endpoint(InetAddress.ofLiteral("10.0.0." + last), 80);
        return new HealthAnswer(List.of(new Member(endpoint, 3, false, "n1/w" + last)), List.of());
    }

    private static final class HandClock extends Clock {
        private Instant now = Instant.EPOCH.plus(Duration.ofDays(20_000));

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }

        @Override
        public Instant instant() {
            return now;
        }
    }
}
