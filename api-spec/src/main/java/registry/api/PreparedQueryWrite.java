package registry.api;

/**
 * One change of the prepared queries.
 *
 * @param query with an id but for CREATE, which must have none; DELETE reads nothing else
 */
public record PreparedQueryWrite(Verb verb, PreparedQuery query) {
    /** What is done with the query. */
    public enum Verb {
        CREATE,
        UPDATE,
        DELETE
    }
}
