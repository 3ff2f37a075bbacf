package registry.agent.local;

import org.jspecify.annotations.Nullable;
import registry.agent.check.CheckScheduler;
import registry.agent.check.Timers;
import registry.agent.check.TtlCheck;
import registry.agent.config.CheckDefinition;
import registry.api.HealthCheck;

/**
 * A check of this node, its present state and how far the catalogue knows of it. Guarded by {@link
 * Entries}.
 */
final class CheckEntry {
    final CheckDefinition definition;
    final LocalState.Source source;

    /** Part of its service's definition, not added on its own. */
    final boolean listed;

    final SyncMark sync = new SyncMark();

    /**
     * One writer at a time for its row in the database: held while writing, never together with the
     * lock of entries inside.
     */
    final Object row = new Object();

    HealthCheck view;

    /**
     * Stopped with the entry; null before it runs, and for maintenance, which nobody has to look
     * at.
     */
    CheckScheduler.@Nullable Job job;

    @Nullable TtlCheck ttl;

    /** A change of output that waits to be pushed. */
    Timers.@Nullable Timer deferred;

    boolean removed;

    /** False while the state is only what the definition began with. */
    boolean hasResult;

    long resultMillis;
    boolean isCritical;
    long criticalSinceNanos;

    /** What the database says, so that nothing is written twice. */
    long storedResultMillis;

    long storedDeadlineMillis;

    /** Number of the next transition; negative: not yet looked up. */
    long nextTransition = -1;

    CheckEntry(
            CheckDefinition definition,
            LocalState.Source source,
            boolean listed,
            HealthCheck view) {
        this.definition = definition;
        this.source = source;
        this.listed = listed;
        this.view = view;
    }

    String id() {
        return definition.id();
    }

    boolean isTtl() {
        return definition.type().equals("ttl");
    }

    boolean isLocalAlias(String node) {
        return definition.type().equals("alias")
                && (definition.aliasNode().isEmpty()
                        || definition.aliasNode().equalsIgnoreCase(node));
    }
}
