package registry.server.rpc;

import java.util.concurrent.CompletableFuture;
import registry.api.ApiException;

/**
 * A question whose answer a thread waits for; closing it drops what has no answer yet.
 *
 * @param answer fails with the servers' {@link ApiException}
 */
public record Asked(CompletableFuture<Reply> answer, Servers.Held held) implements AutoCloseable {
    /** Asks, and does not block. */
    public static Asked of(Servers servers, Question question) {
        var answer = new CompletableFuture<Reply>();
        var listener =
                new Servers.Listener() {
                    @Override
                    public void answered(Reply reply) {
                        answer.complete(reply);
                    }

                    @Override
                    public void failed(ApiException error) {
                        answer.completeExceptionally(error);
                    }
                };
        return new Asked(answer, servers.ask(question, listener));
    }

    @Override
    public void close() {
        if (!answer.isDone()) {
            held.drop();
        }
    }
}
