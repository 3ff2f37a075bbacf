package registry.api;

/**
 * A refusal that crosses rings: thrown by servers and agents, translated once at each edge (HTTP
 * status, exit code). The message is what the user reads; where a client may match it, it is
 * Consul's text.
 */
public final class ApiException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What sort of refusal it is; {@link #httpStatus} is how HTTP says it. */
    public enum Kind {
        BAD_REQUEST(400),
        FORBIDDEN(403),
        NOT_FOUND(404),
        CONFLICT(409),
        TOO_LARGE(413),
        /** A semantic refusal that Consul answers with 500; its text is part of the contract. */
        REFUSED(500),
        NO_LEADER(500),
        /** Back-pressure: the queue before the log is full; try again later. */
        OVERLOADED(503),
        TIMEOUT(500),
        /** A write may have been applied, or not. */
        UNKNOWN(500),
        INTERNAL(500);

        private final int httpStatus;

        Kind(int httpStatus) {
            this.httpStatus = httpStatus;
        }

        public int httpStatus() {
            return httpStatus;
        }
    }

    private final Kind kind;

    public ApiException(Kind kind, String message) {
        super(message, null, false, false);
        this.kind = kind;
    }

    public ApiException(Kind kind, String message, Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    public static ApiException badRequest(String message) {
        return new ApiException(Kind.BAD_REQUEST, message);
    }

    public static ApiException refused(String message) {
        return new ApiException(Kind.REFUSED, message);
    }

    public static ApiException notFound(String message) {
        return new ApiException(Kind.NOT_FOUND, message);
    }

    /** The answer while no server leads. Source: consul-api 1.3. */
    public static ApiException noLeader() {
        return new ApiException(Kind.NO_LEADER, "No cluster leader");
    }

    public Kind kind() {
        return kind;
    }

    /** The message, never null. */
    public String text() {
        String message = getMessage();
        return message == null ? kind.name() : message;
    }
}
