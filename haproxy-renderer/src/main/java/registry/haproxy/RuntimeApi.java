package registry.haproxy;

import java.io.IOException;

/** HAProxy's runtime socket, or its master's. */
interface RuntimeApi {
    /**
     * A conversation with one process: what answers a session stays the same until it is closed.
     */
    Session connect() throws IOException;

    /**
     * Sends one command over a connection of its own; the reply is all that comes until HAProxy
     * hangs up.
     */
    String ask(String command) throws IOException;

    interface Session extends AutoCloseable {
        /**
         * Sends one command and returns its reply without the line ends around it; empty is the
         * usual sign of success. May block.
         *
         * @throws IOException when the process is gone, silent, or hangs up
         */
        String send(String command) throws IOException;

        @Override
        void close();
    }
}
