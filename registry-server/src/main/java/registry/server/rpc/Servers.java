package registry.server.rpc;

import java.util.List;
import registry.api.ApiException;

/** What an agent may ask of the servers, whoever of them answers. */
public interface Servers {
    /**
     * Hears the answer to one question: exactly one of its methods, once. It runs on whatever
     * thread made the change, and must not block.
     */
    interface Listener {
        void answered(Reply reply);

        void failed(ApiException error);
    }

    /** A question that is held. */
    interface Held {
        /**
         * Drops the question, when its client has gone: nothing is answered afterwards, unless an
         * answer was already under way.
         */
        void drop();
    }

    /**
     * Writes through the log and waits until it is durable on a quorum and applied. Blocks.
     *
     * @throws ApiException when refused (the text is for the user), without a leader, or when
     *     overloaded
     */
    <Q, A> A call(Method<Q, A> method, Q request);

    /**
     * Answers at once, on the caller's thread where it can, or when the data has moved, or when its
     * time is up. Never blocks the caller; no thread waits.
     */
    Held ask(Question question, Listener listener);

    /** The leader's RPC address as {@code ip:port}, empty while there is none. */
    String leader();

    /** The RPC addresses of all voters as {@code ip:port}. */
    List<String> peers();
}
