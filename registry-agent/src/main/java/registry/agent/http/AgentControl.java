package registry.agent.http;

import java.util.SortedMap;
import java.util.function.Consumer;
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

    /**
     * Hands over each line of the log from now on, until it is closed.
     *
     * @param level trace, debug, info, warn or err; may be lower than the agent's own
     * @param json as the lines of {@code log_json}, else as text
     * @param lines called on the thread that logs: must not block, and must not log
     */
    AutoCloseable tapLog(String level, boolean json, Consumer<String> lines);

    /** This node as it registers itself in the catalogue; indexes 0. */
    Node node();
}
