package registry.agent.check;

import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import registry.api.ApiException;
import registry.server.rpc.Asked;
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
        try (Asked asked = Asked.of(servers, question)) {
            return asked.answer()
                    .get(question.maxWait().plus(GRACE).toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new ApiException(
                    ApiException.Kind.TIMEOUT, question.method() + " was not answered in time", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof ApiException refusal) {
                throw refusal;
            }
            throw new ApiException(ApiException.Kind.INTERNAL, String.valueOf(e.getMessage()), e);
        }
    }
}
