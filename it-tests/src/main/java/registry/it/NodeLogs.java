package registry.it;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.Set;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;

/**
 * Prints the ends of all nodes' logs with a test that fails: {@code @ExtendWith(NodeLogs.class)}.
 * Of a cluster that the test itself has closed too.
 */
public final class NodeLogs implements BeforeEachCallback, TestExecutionExceptionHandler {
    private static final int KEPT = 5;

    private static final Set<Cluster> OPEN = new LinkedHashSet<>();
    private static final Deque<String> CLOSED = new ArrayDeque<>();

    @Override
    public void beforeEach(ExtensionContext test) {
        synchronized (OPEN) {
            CLOSED.clear();
        }
    }

    @Override
    public void handleTestExecutionException(ExtensionContext test, Throwable failure)
            throws Throwable {
        synchronized (OPEN) {
            System.err.println("logs with the failure of " + test.getDisplayName() + ":");
            CLOSED.forEach(System.err::println);
            OPEN.forEach(cluster -> System.err.println(cluster.logTails()));
        }
        throw failure;
    }

    static void opened(Cluster cluster) {
        synchronized (OPEN) {
            OPEN.add(cluster);
        }
    }

    static void closing(Cluster cluster) {
        synchronized (OPEN) {
            if (OPEN.remove(cluster)) {
                CLOSED.add(cluster.logTails());
                if (CLOSED.size() > KEPT) {
                    CLOSED.remove();
                }
            }
        }
    }
}
