package registry.server.faults;

import registry.server.storage.TornStore;

/** A defect that the run must find. */
enum Planted {
    NOTHING,

    /** A server takes its own state for the newest without asking the others. */
    NO_READ_INDEX,

    /** The log is written and not synced: a power cut drops its tail. */
    DROPPED_TAIL,

    /** Term and vote are written and not synced. */
    UNSYNCED_VOTE,

    /** A change of the state forgets, at times, to wake who waits for it. */
    LOST_WAKE_UP,

    /** With a snapshot of another server come its rows, and not its indexes. */
    STALE_INDEX;

    private static final String BALLOT = "ballot";

    TornStore.Mood mood() {
        return switch (this) {
            case DROPPED_TAIL -> (row, sync) -> sync && row != null;
            case UNSYNCED_VOTE -> (row, sync) -> sync && !BALLOT.equals(row);
            default -> TornStore.Mood.GOOD;
        };
    }
}
