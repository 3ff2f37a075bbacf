package registry.agent.local;

import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import registry.agent.config.ServiceDefinition;
import registry.api.AgentService;

/** A service of this node and how far the catalogue knows of it. Guarded by {@link Entries}. */
final class ServiceEntry {
    final ServiceDefinition definition;
    final LocalState.Source source;

    /** Ids of its checks, listed in its definition or added later. */
    final TreeSet<String> checkIds = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);

    final SyncMark sync = new SyncMark();

    /**
     * As the agent shows it; its tags may come from the catalogue when the definition lets others
     * override them.
     */
    AgentService view;

    @Nullable AgentService hashed;

    ServiceEntry(ServiceDefinition definition, LocalState.Source source, String datacenter) {
        this.definition = definition;
        this.source = source;
        this.view = Views.agentService(definition, datacenter);
    }

    AgentService hashed() {
        if (hashed == null) {
            hashed = Views.withHash(view);
        }
        return hashed;
    }
}
