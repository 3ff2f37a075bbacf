package registry.agent.cli;

/** The end of a command: its message goes to the standard error, its code is the process's. */
final class Failure extends Exception {
    private static final long serialVersionUID = 1L;

    private final int code;
    private final boolean showUsage;

    private Failure(String message, int code, boolean showUsage) {
        super(message, null, false, false);
        this.code = code;
        this.showUsage = showUsage;
    }

    Failure(String message) {
        this(message, 1, false);
    }

    Failure(String message, int code) {
        this(message, code, false);
    }

    /** Called wrongly: the usage follows the message. */
    static Failure misuse(String message) {
        return new Failure(message, 1, true);
    }

    String text() {
        return String.valueOf(getMessage());
    }

    int code() {
        return code;
    }

    boolean showUsage() {
        return showUsage;
    }
}
