package registry.agent.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import registry.server.rpc.Servers;

/**
 * Answers the requests of a route whose bodies are more than memory should hold: they come and go
 * as streams. Called on a virtual thread; may block.
 */
@FunctionalInterface
interface StreamHandler {
    /** The answer, to be begun once. */
    interface Out {
        /** A whole answer. */
        void answer(Answer whole);

        /**
         * Sends the head of an answer.
         *
         * @return takes what follows; closing it ends the answer, and a failure before cuts it off
         */
        OutputStream begin(Answer head) throws IOException;
    }

    /**
     * Reads the body as far as it wants to, and begins the answer.
     *
     * @throws registry.api.ApiException in the place of an answer that was not begun
     */
    void stream(Request head, InputStream body, Out out) throws IOException;

    /** As it stands in the table of routes. */
    record InTable(StreamHandler streams) implements Handler {
        @Override
        public Servers.@Nullable Held handle(Request request, Consumer<Answer> then) {
            throw new IllegalStateException("a stream is no answer: " + request.path());
        }
    }
}
