package registry.agent.cli;

/** The end of a command: its message goes to the standard error, its code is the process's. */
final class Failure extends Exception {
    private static final long serialVersionUID = 1L;

    private final int code;
    private final Usage usage;

    /** Whether the usage is shown besides the message, and where. */
    enum Usage {
        NOT_SHOWN,
        WITH_MESSAGE,
        ON_STANDARD_OUTPUT
    }

    private Failure(String message, int code, Usage usage) {
        super(message, null, false, false);
        this.code = code;
        this.usage = usage;
    }

    Failure(String message) {
        this(message, 1, Usage.NOT_SHOWN);
    }

    Failure(String message, int code) {
        this(message, code, Usage.NOT_SHOWN);
    }

    /** Called wrongly: the usage follows the message. */
    static Failure misuse(String message) {
        return new Failure(message, 1, Usage.WITH_MESSAGE);
    }

    /** Called wrongly: the usage goes to the standard output. */
    static Failure usageApart(String message) {
        return new Failure(message, 1, Usage.ON_STANDARD_OUTPUT);
    }

    String text() {
        return String.valueOf(getMessage());
    }

    int code() {
        return code;
    }

    Usage usage() {
        return usage;
    }
}
