package registry.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Who listens to the log with a level of their own. */
class LogTapTest {
    private static final Logger OURS = LoggerFactory.getLogger("registry.agent.http.Thing");
    private static final Logger JETTY = LoggerFactory.getLogger("org.eclipse.jetty.io.Thing");
    private static final Logger OTHER = LoggerFactory.getLogger("com.example.Thing");

    private final List<String> lines = new CopyOnWriteArrayList<>();

    @BeforeEach
    void warnings() {
        AgentLog.setLevel("warn");
    }

    @AfterEach
    void asBefore() {
        AgentLog.setLevel("warn");
    }

    @Test
    void hearsWhatTheConfigurationLeavesOutWhileItListens() throws Exception {
        try (AutoCloseable tap = AgentLog.tap("debug", false, lines::add)) {
            assertThat(tap).isNotNull();
            OURS.debug("heard");
            OURS.trace("too low");
            OTHER.info("libraries stay at warnings");
            OTHER.warn("also heard");
        }
        OURS.warn("too late");
        assertThat(OURS.isInfoEnabled()).isFalse();
        assertThat(lines).hasSize(2);
        assertThat(lines.getFirst()).endsWith("Z [DEBUG] agent.http: heard\n");
        assertThat(lines.getLast()).contains("[WARN]", "also heard");
    }

    /** To carry a line makes Jetty log at its lowest levels, which would be the next line. */
    @Test
    void doesNotHearOfItsOwnCarriage() throws Exception {
        AgentLog.setLevel("trace");
        try (AutoCloseable tap = AgentLog.tap("trace", true, lines::add)) {
            assertThat(tap).isNotNull();
            JETTY.debug("wrote a line");
            OURS.trace("heard");
        }
        assertThat(lines).hasSize(1);
        assertThat(lines.getFirst()).startsWith("{\"@level\":\"trace\"");
    }

    @Test
    void aLevelThatIsChangedMeanwhileHoldsForTheOthers() throws Exception {
        try (AutoCloseable tap = AgentLog.tap("debug", false, lines::add)) {
            assertThat(tap).isNotNull();
            AgentLog.setLevel("err");
            OURS.debug("still heard");
        }
        assertThat(OURS.isWarnEnabled()).isFalse();
        assertThat(lines).hasSize(1);
    }
}
