package registry.agent;

import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.api.ApiException;

/**
 * SIGHUP reloads; SIGINT and SIGTERM end the agent, gracefully or not as configured; the second of
 * them ends it at once with exit code 1. Source: consul-api 9.1.
 */
final class Signals {
    private static final Logger log = LoggerFactory.getLogger(Signals.class);

    private final Agent agent;
    private final boolean leaveOnInterrupt;
    private final boolean leaveOnTerminate;
    private final AtomicBoolean ending = new AtomicBoolean();

    Signals(Agent agent, boolean leaveOnInterrupt, boolean leaveOnTerminate) {
        this.agent = agent;
        this.leaveOnInterrupt = leaveOnInterrupt;
        this.leaveOnTerminate = leaveOnTerminate;
    }

    void install() {
        on("HUP", this::reload);
        on("INT", () -> end("interrupt", leaveOnInterrupt));
        on("TERM", () -> end("terminated", leaveOnTerminate));
    }

    /**
     * Java has no other way to hear of SIGHUP than {@code sun.misc.Signal}. By reflection, because
     * javac warns of the name itself, unsuppressibly, and warnings are errors here.
     */
    private static void on(String signal, Runnable action) {
        try {
            Class<?> signals = Class.forName("sun.misc.Signal");
            Class<?> handlers = Class.forName("sun.misc.SignalHandler");
            Object handler =
                    Proxy.newProxyInstance(
                            Signals.class.getClassLoader(),
                            new Class<?>[] {handlers},
                            (proxy, method, arguments) -> {
                                action.run();
                                return null;
                            });
            signals.getMethod("handle", signals, handlers)
                    .invoke(
                            null,
                            signals.getConstructor(String.class).newInstance(signal),
                            handler);
        } catch (ReflectiveOperationException e) {
            log.warn("signal not handled: signal={} error={}", signal, e.toString());
        }
    }

    private void reload() {
        log.info("caught signal: signal=hangup");
        try {
            agent.reload();
        } catch (ApiException e) {
            log.error("reload failed, nothing was changed: error={}", e.text());
        }
    }

    private void end(String name, boolean gracefully) {
        log.info("caught signal: signal={} graceful={}", name, gracefully);
        if (!ending.compareAndSet(false, true)) {
            Runtime.getRuntime().halt(1);
        }
        agent.stop(gracefully);
    }
}
