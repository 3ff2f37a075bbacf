package registry.server.raft;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EngineSignalsTest {
    @TempDir Path tmp;

    /** Seen: a hundred node_describe.log and node_metrics.log files in the working directory. */
    @Test
    void aRunningServerIgnoresTheEnginesSignal() throws Exception {
        try (TestServer server = TestServer.open(tmp)) {
            Object before = EngineSignals.handle("SIG_IGN");
            assertThat(before)
                    .isSameAs(
                            Class.forName("sun.misc.SignalHandler").getField("SIG_IGN").get(null));
        }
    }
}
