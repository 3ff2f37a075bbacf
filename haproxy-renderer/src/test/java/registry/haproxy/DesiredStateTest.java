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
        ServiceConfig service = service("on_empty: {after: 30s}");
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
