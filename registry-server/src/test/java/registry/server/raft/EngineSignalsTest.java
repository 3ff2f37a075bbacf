package registry.server.raft;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import org.junit.jupiter.api.Test;

class EngineSignalsTest {
    /**
     * Seen: a profiler's samples of an agent wrote hundreds of files into its working directory.
     */
    @Test
    void theEngineLeavesSigusr2Alone() throws ReflectiveOperationException {
        EngineSignals.keepOut();

        Class<?> signals = Class.forName("sun.misc.Signal");
        Class<?> handlers = Class.forName("sun.misc.SignalHandler");
        Method handle = signals.getMethod("handle", signals, handlers);
        Object signal = signals.getConstructor(String.class).newInstance("USR2");
        Object installed = handle.invoke(null, signal, handlers.getField("SIG_IGN").get(null));
        handle.invoke(null, signal, installed);

        assertThat(installed.getClass().getName()).doesNotContain("jraft");
    }
}
