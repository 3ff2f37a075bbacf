package registry.agent;

import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.api.ApiException;
import sun.misc.Signal;

/**
 * SIGHUP reloads; SIGINT and SIGTERM end the agent, gracefully or not as configured; the second of them ends it at once with exit
 * code 1. Source: consul-api 9.1.
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
        Signal.handle(new Signal("HUP"), signal -> reload());
        Signal.handle(new Signal("INT"), signal -> end("interrupt", leaveOnInterrupt));
        Signal.handle(new Signal("TERM"), signal -> end("terminated", leaveOnTerminate));
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
