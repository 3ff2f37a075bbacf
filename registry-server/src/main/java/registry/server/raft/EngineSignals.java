package registry.server.raft;

import com.alipay.sofa.jraft.core.NodeImpl;

/**
 * Takes SIGUSR2 back from the engine, which would answer it with three files in the working
 * directory. By reflection, because the compiler warns of {@code sun.misc.Signal} in a way that
 * can't be silenced.
 */
final class EngineSignals {
    private EngineSignals() {}

    static void ignore() {
        try {
            // The engine takes the signal when this class is initialised.
            Class.forName(NodeImpl.class.getName());
            handle("SIG_IGN");
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("SIGUSR2 can't be ignored", e);
        }
    }

    /** Sets one of the constants of {@code SignalHandler} and returns what was there before. */
    static Object handle(String constant) throws ReflectiveOperationException {
        Class<?> signal = Class.forName("sun.misc.Signal");
        Class<?> handler = Class.forName("sun.misc.SignalHandler");
        return signal.getMethod("handle", signal, handler)
                .invoke(
                        null,
                        signal.getConstructor(String.class).newInstance("USR2"),
                        handler.getField(constant).get(null));
    }
}
