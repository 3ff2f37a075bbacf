package registry.server.rpc;

import org.jspecify.annotations.Nullable;
import registry.api.ApiException;
import registry.server.once.Once;
import registry.server.once.RequestId;

/** A server that can be asked: this one, or another over its link. */
public interface Target {
    /** Hears how one question ended: exactly one of its methods, once. */
    interface Outcome {
        void answered(Reply reply);

        /**
         * @param elsewhere true when another server may well answer
         */
        void failed(ApiException error, boolean elsewhere);
    }

    /**
     * Blocks until the write is applied. UNKNOWN says that it may have been, NO_LEADER and
     * OVERLOADED that it certainly was not.
     *
     * @param id by which the state machine knows it again; null for none
     * @param patienceMillis how long the server may wait for a leader
     */
    <Q, A> A call(Method<Q, A> method, Q request, @Nullable RequestId id, int patienceMillis);

    /** Nobody waits for this server any more: writes with an id that are under way end UNKNOWN. */
    default void abandon() {}

    /** Never blocks. */
    Servers.Held ask(Question question, Outcome outcome, int patienceMillis);

    /** The server of this process. */
    static Target local(Servers servers) {
        return new Target() {
            @Override
            public <Q, A> A call(
                    Method<Q, A> method, Q request, @Nullable RequestId id, int patienceMillis) {
                return Once.as(id, () -> servers.call(method, request));
            }

            @Override
            public Servers.Held ask(Question question, Outcome outcome, int patienceMillis) {
                return servers.ask(
                        question,
                        new Servers.Listener() {
                            @Override
                            public void answered(Reply reply) {
                                outcome.answered(reply);
                            }

                            @Override
                            public void failed(ApiException error) {
                                outcome.failed(error, error.kind() == ApiException.Kind.NO_LEADER);
                            }
                        });
            }
        };
    }
}
