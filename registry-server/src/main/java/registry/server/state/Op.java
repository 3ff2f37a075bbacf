package registry.server.state;

/** One kind of command, as a record of what it needs. Each feature seals its own. */
public interface Op {
    /**
     * Changes the state; knows no clock but {@link Tx#time()} and no randomness.
     *
     * @return the command's result
     * @throws registry.api.ApiException a refusal: nothing of {@code tx} is kept, the exception is
     *     the result
     */
    Object apply(Tx tx);
}
