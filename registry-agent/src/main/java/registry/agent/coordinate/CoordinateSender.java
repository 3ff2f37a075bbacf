package registry.agent.coordinate;

import java.time.Duration;
import java.util.function.IntSupplier;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.agent.check.Timers;
import registry.api.ApiException;
import registry.api.NodeCoordinate;
import registry.server.rpc.Method;
import registry.server.rpc.Servers;

/**
 * Tells the servers where this node is: soon after the start, then every 15 s or more, so that all
 * nodes together tell it at most 64 times a second. What has not changed is told again, since those
 * that a leader has not written are lost with it; servers write nothing then.
 */
public final class CoordinateSender implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(CoordinateSender.class);

    /** The node has to be in the catalogue first. */
    private static final Duration FIRST = Duration.ofSeconds(3);

    /** Source: Consul's {@code sync_coordinate_interval_min}. */
    private static final Duration INTERVAL = Duration.ofSeconds(15);

    /** Source: Consul's {@code sync_coordinate_rate_target}, in nodes per second. */
    private static final int RATE = 64;

    private final String node;
    private final Vivaldi vivaldi;
    private final Servers servers;
    private final Timers timers;
    private final IntSupplier members;
    private final RandomGenerator random;
    private volatile boolean closed;

    /**
     * @param node the name of this one
     * @param members how many there are
     */
    public CoordinateSender(
            String node,
            Vivaldi vivaldi,
            Servers servers,
            Timers timers,
            IntSupplier members,
            RandomGenerator random) {
        this.node = node;
        this.vivaldi = vivaldi;
        this.servers = servers;
        this.timers = timers;
        this.members = members;
        this.random = random;
    }

    public void start() {
        after(FIRST);
    }

    private void after(Duration delay) {
        timers.after(delay, () -> Thread.ofVirtual().name("coordinate-sender").start(this::send));
    }

    private void send() {
        if (closed) {
            return;
        }
        try {
            servers.call(Method.COORDINATE_UPDATE, new NodeCoordinate(node, "", vivaldi.own()));
        } catch (ApiException e) {
            log.debug("coordinate not sent: error={}", e.text());
        } finally {
            after(interval());
        }
    }

    /** So long, and up to a quarter more so that not all come at once. */
    Duration interval() {
        long nanos =
                Math.max(
                        INTERVAL.toNanos(),
                        Duration.ofSeconds(1).toNanos() * members.getAsInt() / RATE);
        return Duration.ofNanos(nanos + random.nextLong(nanos / 4));
    }

    @Override
    public void close() {
        closed = true;
    }
}
