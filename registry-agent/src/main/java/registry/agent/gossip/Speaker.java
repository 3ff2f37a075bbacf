package registry.agent.gossip;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import org.jgroups.Address;
import org.jgroups.BytesMessage;
import org.jgroups.JChannel;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.api.json.Json;

/**
 * Sends to members, in order, on a thread of its own, {@code gossip-send}: a frozen peer may hold
 * up whoever sends.
 */
final class Speaker implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Speaker.class);

    private final JChannel channel;
    private final ExecutorService thread =
            Executors.newSingleThreadExecutor(
                    Thread.ofPlatform().daemon().name("gossip-send").factory());

    Speaker(JChannel channel) {
        this.channel = channel;
    }

    /** To one or, with null, to all others. Does not block. */
    void tell(@Nullable Address to, GossipMessage message) {
        byte[] body = Json.write(message);
        try {
            thread.execute(() -> {
                try {
                    channel.send(new BytesMessage(to, body));
                } catch (Exception e) {
                    LOG.debug("gossip message not sent: error={}", e.getMessage());
                }
            });
        } catch (RejectedExecutionException closed) {
            LOG.trace("message after close");
        }
    }

    /** Waits until all that was told before is sent, or the time is over. */
    void flush(long millis) {
        try {
            thread.submit(() -> {}).get(millis, MILLISECONDS);
        } catch (ExecutionException | TimeoutException | RejectedExecutionException e) {
            LOG.warn("not all was sent: error={}", e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
