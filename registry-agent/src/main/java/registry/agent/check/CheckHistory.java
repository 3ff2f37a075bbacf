package registry.agent.check;

import java.util.List;

/** The last 100 changes of state of each check, kept in RocksDB: the first question at 3 a.m. */
public interface CheckHistory {
    /**
     * One change of state.
     *
     * @param time RFC 3339 with milliseconds, UTC
     * @param from status before, empty for the first result
     * @param to status after
     * @param output first line of the output that came with it
     */
    record Transition(String time, String from, String to, String output) {}

    /**
     * The transitions of a check, oldest first; empty for an unknown id. Kept for a day after the
     * check is gone.
     */
    List<Transition> of(String checkId);
}
