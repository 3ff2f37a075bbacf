package registry.haproxy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Servers that no longer answer at all. What was already sent to one would hang until {@code
 * timeout server}: it is cut, so that HAProxy sends it elsewhere. Not at once ({@code
 * on-marked-down shutdown-sessions}), for that fails requests that are still connecting, which
 * {@code redispatch} saves; and not when its check was answered, if only by an error: such a server
 * may be finishing what it has. Owned by the engine's thread.
 */
final class Frozen {
    private final Map<String, Long> firstSeen = new HashMap<>();
    private final Set<String> cut = new HashSet<>();

    /**
     * What to cut now.
     *
     * @param actual all that HAProxy reports
     * @param patience longer than a connection may take to come about
     * @param now nanoseconds
     */
    List<Change> cuts(Map<String, List<Slot>> actual, Duration patience, long now) {
        Set<String> silent = new HashSet<>();
        List<Change> cuts = new ArrayList<>();
        actual.forEach((backend, slots) -> {
            for (Slot slot : slots) {
                if (!slot.isSilent()) {
                    continue;
                }
                String key = backend + "/" + slot.name() + " " + slot.endpoint();
                silent.add(key);
                long since = firstSeen.computeIfAbsent(key, k -> now);
                if (now - since >= patience.toNanos() && cut.add(key)) {
                    cuts.add(Change.shutdown(backend, slot));
                }
            }
        });
        firstSeen.keySet().retainAll(silent);
        cut.retainAll(silent);
        return cuts;
    }

    /** Whether one was seen whose time is not over yet. */
    boolean isWaiting() {
        return firstSeen.size() > cut.size();
    }
}
