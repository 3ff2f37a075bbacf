package registry.api.client;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.random.RandomGenerator;
import registry.api.json.GoDuration;

/**
 * The watch loop: asks one endpoint again and again with {@code index} and {@code wait}, so that
 * each change is heard of within milliseconds, and hands every answer to its listener. Never gives
 * up: after an error it asks the next agent, and pauses once all have failed. Runs on the thread
 * that calls {@link #run}, until that is interrupted. Source: consul-api 2.1.
 */
public final class BlockingQuery implements Runnable {
    private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
    private static final Duration LONGEST_PAUSE = Duration.ofMillis(700);
    private static final Duration MARGIN = Duration.ofSeconds(1);
    private static final Duration IMMEDIATE = Duration.ofSeconds(10);

    private final List<RegistryClient> agents;
    private final String path;
    private final Duration timeout;
    private final RandomGenerator random;
    private final Listener listener;

    private int agent;
    private long index;
    private int failures;

    /** Hears of answers and errors, on the query's own thread. */
    public interface Listener {
        /**
         * The full present result: changed, or the wait was over. An exception thrown here counts
         * as a failed query.
         */
        void answered(URI agent, RegistryClient.Answer answer);

        /** The agent could not be asked or its answer not used; the query goes on. */
        void failed(URI agent, String why);
    }

    /**
     * @param agents at least one; the first is asked until it fails
     * @param path begins with {@code /v1/}, encoded already, with its other parameters
     * @param wait the longest hold; an agent that is silent for wait × 17/16 and a margin counts as
     *     failed
     * @param random spreads the pauses of many companions of one agent
     */
    public BlockingQuery(
            List<RegistryClient> agents,
            String path,
            Duration wait,
            RandomGenerator random,
            Listener listener) {
        if (agents.isEmpty()) {
            throw new IllegalArgumentException("no agent to ask");
        }
        this.agents = List.copyOf(agents);
        char separator = path.indexOf('?') < 0 ? '?' : '&';
        this.path = path + separator + "wait=" + GoDuration.format(wait) + "&index=";
        this.timeout = wait.multipliedBy(17).dividedBy(16).plus(MARGIN);
        this.random = random;
        this.listener = listener;
    }

    @Override
    public void run() {
        try {
            while (!Thread.currentThread().isInterrupted()) {
                ask();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void ask() throws InterruptedException {
        RegistryClient client = agents.get(agent);
        try {
            RegistryClient.Answer answer =
                    client.get(path + Long.toUnsignedString(index), timeout());
            OptionalLong reported = answer.index();
            // A 404 with an index is the answer for an absent key; without one it is a wrong
            // address.
            if (!answer.isOk() && !(answer.status() == 404 && reported.isPresent())) {
                failed(client, "status " + answer.status() + ": " + firstLine(answer.text()));
                return;
            }
            listener.answered(client.agent(), answer);
            if (reported.isEmpty()) {
                // Without an index nothing would hold the next question back.
                failed(client, "the answer lacks X-Consul-Index");
                return;
            }
            failures = 0;
            advance(reported.getAsLong() == 0 ? 1 : reported.getAsLong());
        } catch (HttpTimeoutException e) {
            failed(client, "no answer within " + GoDuration.format(timeout()));
        } catch (IOException | RuntimeException e) {
            failed(client, e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage());
        }
    }

    private Duration timeout() {
        return index == 0 ? IMMEDIATE : timeout;
    }

    private void advance(long reported) throws InterruptedException {
        if (Long.compareUnsigned(reported, index) < 0) {
            // Another history (restored, or wiped and started anew): read it whole, and do not spin
            // if it jumps about.
            index = 0;
            pause(FIRST_PAUSE);
            return;
        }
        index = reported;
    }

    private void failed(RegistryClient client, String why) throws InterruptedException {
        listener.failed(client.agent(), why);
        // An index kept over a failure may lie above that of a registry started anew, and would
        // wait for nothing.
        index = 0;
        failures++;
        agent = (agent + 1) % agents.size();
        if (failures % agents.size() == 0) {
            int round = Math.min(failures / agents.size(), 10);
            Duration pause = FIRST_PAUSE.multipliedBy(1L << (round - 1));
            pause(pause.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause);
        }
    }

    /** Sleeps for half to all of {@code longest}. */
    private void pause(Duration longest) throws InterruptedException {
        long millis = longest.toMillis();
        Thread.sleep(millis / 2 + random.nextLong(millis / 2 + 1));
    }

    private static String firstLine(String text) {
        String line = text.lines().findFirst().orElse("");
        return line.length() > 200 ? line.substring(0, 200) : line;
    }
}
