package registry.server.faults;

/**
 * One call on a register, with its answer.
 *
 * @param called nanoseconds
 * @param returned nanoseconds by when it had taken effect, if it had any
 * @param expected what a swap wants to find; what a read has found
 * @param value what is written
 * @param done false for a swap that was refused
 */
record Operation(
        Kind kind, long called, long returned, String expected, String value, boolean done) {
    enum Kind {
        READ,
        WRITE,
        SWAP
    }

    static final String ABSENT = "";

    static Operation read(long called, long returned, String found) {
        return new Operation(Kind.READ, called, returned, found, "", true);
    }

    static Operation write(long called, long returned, String value) {
        return new Operation(Kind.WRITE, called, returned, "", value, true);
    }

    static Operation swap(long called, long returned, String expected, String value, boolean done) {
        return new Operation(Kind.SWAP, called, returned, expected, value, done);
    }

    /** True when a register that holds {@code present} may answer so. */
    boolean fits(String present) {
        return switch (kind) {
            case READ -> expected.equals(present);
            case WRITE -> true;
            case SWAP -> expected.equals(present) == done;
        };
    }

    /** What the register holds afterwards. */
    String after(String present) {
        return kind == Kind.WRITE || kind == Kind.SWAP && done ? value : present;
    }
}
