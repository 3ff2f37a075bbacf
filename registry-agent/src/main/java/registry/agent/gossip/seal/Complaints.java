package registry.agent.gossip.seal;

import java.net.InetAddress;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Names in the log who was not let in, or did not let us in: each host now and then. */
final class Complaints {
    private static final Logger LOG = LoggerFactory.getLogger(Complaints.class);
    private static final Duration SILENCE = Duration.ofSeconds(30);
    private static final int KEPT = 1_000;

    private final Map<String, Long> last =
            new LinkedHashMap<>() {
                private static final long serialVersionUID = 1L;

                @Override
                protected boolean removeEldestEntry(Map.Entry<String, Long> eldest) {
                    return size() > KEPT;
                }
            };

    void refused(@Nullable InetAddress who, String why) {
        if (isNews("from " + who)) {
            LOG.warn("gossip peer not let in: address={} reason=\"{}\"", text(who), why);
        }
    }

    void refusedBy(@Nullable InetAddress who, String why) {
        if (isNews("by " + who)) {
            LOG.warn("not let in by gossip peer: address={} reason=\"{}\"", text(who), why);
        }
    }

    private static String text(@Nullable InetAddress who) {
        return who == null ? "unknown" : who.getHostAddress();
    }

    private synchronized boolean isNews(String what) {
        long now = System.nanoTime();
        Long before = last.get(what);
        if (before != null && now - before < SILENCE.toNanos()) {
            return false;
        }
        last.put(what, now);
        return true;
    }
}
