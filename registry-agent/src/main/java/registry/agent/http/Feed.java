package registry.agent.http;

import org.jspecify.annotations.Nullable;

/**
 * What a {@link LiveAnswer} is made of, piece by piece. Whoever has a new piece calls the live
 * answer's {@code more}; it then asks here, as soon as its client has taken the last one.
 */
interface Feed {
    /** The next step of a live answer. */
    sealed interface Piece {
        /** Goes out as it is; shared with whoever sends the same. */
        record Bytes(byte[] bytes) implements Piece {}

        /** In the place of a first piece: there will be no live answer but this one. */
        record Refusal(Answer answer) implements Piece {}
    }

    /** Status and headers, sent with the first piece. */
    Answer head();

    /**
     * The next piece, null while there is none. One thread at a time; must not block, for it may be
     * the thread that made the change.
     */
    @Nullable Piece next();

    /** What is sent from time to time while there is no piece; empty for nothing. */
    byte[] heartbeat();

    /** Nobody takes any more pieces. May be called more than once. */
    void close();
}
