package registry.it.cluster;

import java.util.Collection;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import registry.it.Node;

/**
 * Which nodes are in trouble that the test has made, so that a workload knows what it may expect of
 * whom. Safe for any thread.
 */
final class Weather {
    private final Set<String> troubled = ConcurrentHashMap.newKeySet();
    private volatile long calmSince = System.nanoTime();
    private volatile boolean calm = true;

    /** Trouble begins for these nodes; nobody may wait for anything that needs all. */
    void trouble(Collection<Node> nodes) {
        calm = false;
        nodes.forEach(node -> troubled.add(node.name()));
    }

    /** All nodes are well again. */
    void calm() {
        troubled.clear();
        calmSince = System.nanoTime();
        calm = true;
    }

    boolean isTroubled(String node) {
        return troubled.contains(node);
    }

    boolean isCalm() {
        return calm;
    }

    /** When the last trouble was over, as {@link System#nanoTime} counts. */
    long calmSince() {
        return calmSince;
    }
}
