package registry.agent.http;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import registry.server.rpc.Servers;

/** Answers the requests of a route with what has no end. */
@FunctionalInterface
interface LiveHandler {
    /**
     * Begins a feed; never blocks.
     *
     * @param more to be called when there is a next piece, from whatever thread
     * @throws registry.api.ApiException in the place of a feed
     */
    Feed open(Request request, Runnable more);

    /** As it stands in the table of routes. */
    record InTable(LiveHandler feeds) implements Handler {
        @Override
        public Servers.@Nullable Held handle(Request request, Consumer<Answer> then) {
            throw new IllegalStateException("a live answer has no end: " + request.path());
        }
    }
}
