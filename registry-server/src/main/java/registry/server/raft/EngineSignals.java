package registry.server.raft;

import java.lang.reflect.Method;

/**
 * Keeps the engine from taking SIGUSR2: when its node class is loaded it installs a handler that
 * writes files into the working directory, over the JVM's own use of that signal (each sample of a
 * profiler would then write three). By reflection, because javac warns of {@code sun.misc.Signal}
 * itself, unsuppressibly, and warnings are errors here.
 */
final class EngineSignals {
    private static final String ENGINE = "com.alipay.sofa.jraft.core.NodeImpl";

    private EngineSignals() {}

    /** Loads the engine's node class and puts the signal's handler back as it was. */
    static void keepOut() {
        try {
            Class<?> signals = Class.forName("sun.misc.Signal");
            Class<?> handlers = Class.forName("sun.misc.SignalHandler");
            Method handle = signals.getMethod("handle", signals, handlers);
            Object signal = signals.getConstructor(String.class).newInstance("USR2");
            Object before = handle.invoke(null, signal, handlers.getField("SIG_IGN").get(null));
            Class.forName(ENGINE);
            handle.invoke(null, signal, before);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("the Raft engine can't be loaded", e);
        }
    }
}
