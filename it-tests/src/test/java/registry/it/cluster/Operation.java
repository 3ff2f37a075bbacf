package registry.it.cluster;

/**
 * One call on a register, as its caller saw it. Every written value is written once, so that a
 * value names the write it comes from.
 *
 * @param called when it began, in nanoseconds
 * @param returned when its answer was there; {@link Long#MAX_VALUE} when none came
 */
record Operation(Action action, long called, long returned) {
    /** A value of a register; absent is the empty string. */
    static final String ABSENT = "";

    /** What was asked and answered. */
    sealed interface Action {
        /** Found {@code value}. */
        record Read(String value) implements Action {}

        /** Acknowledged or, without an answer, perhaps done. */
        record Write(String value) implements Action {}

        /** Found {@code expected} there or not, and wrote {@code value} only if so. */
        record Swap(String expected, String value, Outcome outcome) implements Action {}
    }

    /** How a swap ended. */
    enum Outcome {
        DONE,
        REFUSED,
        UNKNOWN
    }
}
