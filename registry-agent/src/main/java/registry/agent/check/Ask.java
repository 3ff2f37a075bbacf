package registry.agent.check;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import registry.api.ApiException;
import registry.server.rpc.Question;
import registry.server.rpc.Reply;
import registry.server.rpc.Servers;

/** Waits for the answer to a question, for loops that have a thread of their own. */
public final class Ask {
    /** What an answer may take beyond the time that its question may be held. */
    private static final Duration GRACE = Duration.ofSeconds(10);

    private Ask() {}

    /**
     * Blocks until the answer is there.
     *
     * @throws ApiException as the servers refused, or TIMEOUT
     */
    public static Reply await(Servers servers, Question question) throws InterruptedException {
        var answer = new CompletableFuture<Reply>();
        Servers.Held held =
                servers.ask(
                        question,
                        new Servers.Listener() {
                            @Override
                            public void answered(Reply reply) {
                                answer.complete(reply);
                            }

                            @Override
                            public void failed(ApiException error) {
                                answer.completeExceptionally(error);
                            }
                        });
        try {
            return answer.get(question.maxWait().plus(GRACE).toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            held.drop();
            throw new ApiException(
                    ApiException.Kind.TIMEOUT, question.method() + " was not answered in time", e);
        } catch (InterruptedException e) {
            held.drop();
            throw e;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof ApiException refusal) {
                throw refusal;
            }
            throw new ApiException(ApiException.Kind.INTERNAL, String.valueOf(e.getMessage()), e);
        }
    }
}
