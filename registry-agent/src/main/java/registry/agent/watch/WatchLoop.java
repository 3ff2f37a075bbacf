package registry.agent.watch;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.time.Duration;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import registry.agent.config.WatchDefinition;
import registry.api.client.RegistryClient;
import registry.api.client.RegistryClient.Answer;

/**
 * Repeats a blocking query and hands each new result to a handler. Run by one thread, which it
 * blocks; an interrupt ends it. Source: consul-api 13.4.
 */
public final class WatchLoop {
    private static final Duration RETRY = Duration.ofSeconds(5);
    private static final Duration MAX_RETRY = Duration.ofMinutes(3);

    /** Above the longest wait of a server, 10m, and its random part. */
    private static final Duration PATIENCE = Duration.ofMinutes(11);

    private final WatchPlan plan;
    private final RegistryClient agent;
    private final WatchHandler handler;
    private final BiConsumer<IOException, Duration> trouble;
    private final Pause pause;

    /** How time passes between attempts. */
    interface Pause {
        void pass(Duration time) throws InterruptedException;
    }

    /**
     * @param definition without faults, see {@code WatchRules}
     * @param trouble told of each failed query, with the time until the next
     */
    public WatchLoop(
            WatchDefinition definition,
            RegistryClient agent,
            WatchHandler handler,
            BiConsumer<IOException, Duration> trouble) {
        this(definition, agent, handler, trouble, Thread::sleep);
    }

    WatchLoop(
            WatchDefinition definition,
            RegistryClient agent,
            WatchHandler handler,
            BiConsumer<IOException, Duration> trouble,
            Pause pause) {
        this.plan = WatchPlan.of(definition);
        this.agent = agent;
        this.handler = handler;
        this.trouble = trouble;
        this.pause = pause;
    }

    /**
     * Goes on until the handler ends it.
     *
     * @throws IOException from the handler
     */
    public void run() throws IOException, InterruptedException {
        long index = 0;
        int failures = 0;
        @Nullable JsonNode last = null;
        while (true) {
            JsonNode result;
            long since = index;
            try {
                Answer answer = agent.get(plan.targetSince(since), PATIENCE);
                result = plan.result(answer);
                index = indexOf(answer);
                failures = 0;
            } catch (IOException e) {
                if (Thread.interrupted()) {
                    throw new InterruptedException();
                }
                failures++;
                index = 0;
                Duration wait = retry(failures);
                trouble.accept(e, wait);
                pause.pass(wait);
                continue;
            }
            long seen = index;
            if (since != 0 && seen == since) {
                continue;
            }
            if (Long.compareUnsigned(seen, since) < 0) {
                // The agent's history was replaced: whatever it is now, ask for it without waiting.
                index = 0;
            }
            if (!result.equals(last)) {
                last = result;
                if (!handler.handle(seen, result)) {
                    return;
                }
            }
        }
    }

    /** At least 1: to ask with 0 is not to wait. */
    private static long indexOf(Answer answer) throws IOException {
        if (answer.index().isEmpty()) {
            throw new IOException("the answer has no X-Consul-Index");
        }
        long index = answer.index().getAsLong();
        return index == 0 ? 1 : index; // the events' takes all 64 bits
    }

    static Duration retry(int failures) {
        Duration wait = RETRY.multipliedBy((long) failures * failures);
        return wait.compareTo(MAX_RETRY) > 0 ? MAX_RETRY : wait;
    }
}
