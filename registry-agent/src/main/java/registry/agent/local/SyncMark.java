package registry.agent.local;

/** Whether the catalogue has something as it is here. Guarded by {@link Entries}. */
final class SyncMark {
    private long version;
    private long pushedAt;
    private boolean inSync;
    private boolean changedHere;

    boolean inSync() {
        return inSync;
    }

    long version() {
        return version;
    }

    /** It has changed here: the catalogue is behind. */
    void changed() {
        version++;
        inSync = false;
        changedHere = true;
    }

    /** It is as it was before the process started: nobody knows whether the catalogue is behind. */
    void loaded() {
        changedHere = false;
    }

    /** True when what the catalogue has instead must not be taken over: it is older. */
    boolean changedHere() {
        return changedHere;
    }

    /** It was pushed as it was at that version; the push is number {@code push}. */
    void pushed(long pushedVersion, long push) {
        pushedAt = push;
        inSync = version == pushedVersion;
        changedHere = !inSync;
    }

    /**
     * A push is under way or has been: what servers said before push number {@code push} is no
     * longer true.
     */
    void pushing(long push) {
        pushedAt = push;
    }

    /** The catalogue was seen with the same; only to be believed when {@link #isOlderThan}. */
    void seenEqual() {
        inSync = true;
        changedHere = false;
    }

    /** The catalogue was seen without it, or with something else. */
    void seenDifferent() {
        inSync = false;
    }

    /** True when nothing was pushed since push number {@code push}. */
    boolean isOlderThan(long push) {
        return pushedAt <= push;
    }
}
