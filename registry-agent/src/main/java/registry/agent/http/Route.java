package registry.agent.http;

import java.util.Set;

/**
 * One line of the table of routes.
 *
 * @param path with a slash at the end it stands for all paths that begin with it, with a star for
 *     all with something in its place, else for itself
 * @param door who carries it
 */
record Route(String method, String path, Door door, Set<Trait> traits, Handler handler) {
    /** The ways of a request to its handler and back. */
    enum Door {
        /**
         * Jetty's core, on its selector's thread: handlers that never block, and may leave the
         * answer for later.
         */
        READ,
        /** Jetty's core, on a virtual thread: handlers that block and are called often. */
        WRITE,
        /** Jetty's core, on a virtual thread: a {@link StreamHandler}. */
        STREAM,
        /** Javalin, on a virtual thread: all else. */
        PLAIN
    }

    /** What is checked before the handler is asked. */
    enum Trait {
        /** {@code ?ns} and {@code X-Consul-Namespace} are refused: there is one namespace. */
        NAMESPACED,
        /** {@code ?dc} has to be ours. */
        DATACENTER,
        /** The body is a value of the key-value store, with that limit. */
        VALUE_BODY,
        /** The body is a transaction, with that limit. */
        TXN_BODY
    }

    boolean is(Trait trait) {
        return traits.contains(trait);
    }
}
