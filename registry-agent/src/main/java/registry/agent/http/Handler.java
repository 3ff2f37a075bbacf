package registry.agent.http;

import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import registry.server.rpc.Servers;

/** Answers the requests of one route; knows nothing of the server that carries them. */
@FunctionalInterface
interface Handler {
    /** What tells one answer from the next: where it stands, and how a client says it back. */
    enum Position {
        INDEX("X-Consul-Index", "index"),
        HASH("X-Consul-Contenthash", "hash");

        private final String header;
        private final String param;

        Position(String header, String param) {
            this.header = header;
            this.param = param;
        }

        String header() {
            return header;
        }

        /** With this parameter an answer is held until its position is another one. */
        String param() {
            return param;
        }
    }

    /**
     * Has {@code then} called exactly once, now or later and on whatever thread, but not after the
     * held question was dropped.
     *
     * @return what is held meanwhile; null when the answer was given already
     * @throws registry.api.ApiException in the place of an answer
     */
    Servers.@Nullable Held handle(Request request, Consumer<Answer> then);

    /**
     * The answer, if it can be had without blocking and from memory alone; null: {@link #handle} is
     * to be asked. Called on the selector's thread, for routes of the WRITE door. Must not throw.
     */
    default @Nullable Answer quick(Request request) {
        return null;
    }

    /** What answers are held by; null where there is no waiting for the next one. */
    default @Nullable Position position() {
        return null;
    }

    /** A handler that answers before it returns; it may block. */
    static Handler plain(Function<Request, Answer> function) {
        return (request, then) -> {
            then.accept(function.apply(request));
            return null;
        };
    }
}
