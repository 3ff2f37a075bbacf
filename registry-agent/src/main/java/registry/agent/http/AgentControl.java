package registry.agent.http;

import java.util.SortedMap;
import registry.api.Node;

/** What the API may do to the agent as a whole. */
public interface AgentControl {
    /**
     * Re-reads all sources, as SIGHUP does. Nothing changes when one of them is bad.
     *
     * @throws registry.api.ApiException INTERNAL with file and reason
     */
    void reload();

    /** Starts a graceful leave and then the end of the process; returns at once. */
    void leave();

    /**
     * Sections and their figures, for {@code registry info} and {@code Stats} of {@code
     * /v1/agent/self}.
     */
    SortedMap<String, SortedMap<String, String>> stats();

    /** This node as it registers itself in the catalogue; indexes 0. */
    Node node();
}
