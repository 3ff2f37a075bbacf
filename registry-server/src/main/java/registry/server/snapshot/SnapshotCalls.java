package registry.server.snapshot;

import registry.server.rpc.Method;

/**
 * What agents may ask of servers to save and to restore, in pieces of a size that every message may
 * have.
 */
public final class SnapshotCalls {
    /** Begins a snapshot. */
    public static final Method<Open, Opened> OPEN =
            new Method<>("Snapshot.Open", Open.class, Opened.class);

    /** The next bytes of one that was begun. */
    public static final Method<Read, Piece> READ =
            new Method<>("Snapshot.Read", Read.class, Piece.class);

    /** Ends one before its time, or after it. */
    public static final Method<Close, Boolean> CLOSE =
            new Method<>("Snapshot.Close", Close.class, Boolean.class);

    /** Hands over a piece of an archive to be restored. */
    public static final Method<RestoreOp.Stage, Boolean> STAGE =
            new Method<>("Snapshot.Stage", RestoreOp.Stage.class, Boolean.class);

    /** Restores what was handed over. */
    public static final Method<RestoreOp.Commit, Boolean> COMMIT =
            new Method<>("Snapshot.Commit", RestoreOp.Commit.class, Boolean.class);

    /** Gives a restore up. */
    public static final Method<RestoreOp.Drop, Boolean> DROP =
            new Method<>("Snapshot.Drop", RestoreOp.Drop.class, Boolean.class);

    /** Bytes in a piece: as JSON in the log, with a third more, it is still below 1 MB. */
    public static final int PIECE_BYTES = 512 << 10;

    private SnapshotCalls() {}

    /**
     * @param stale any server may answer, also without a leader
     */
    public record Open(boolean stale) {}

    /** A snapshot of the state at {@code index}, to be asked for by {@code id}. */
    public record Opened(String id, long index, boolean knownLeader, long lastContactMillis) {}

    public record Read(String id, long offset) {}

    /** Bytes from the offset on; none, and not the last: ask again. */
    public record Piece(byte[] bytes, boolean last) {}

    public record Close(String id) {}
}
