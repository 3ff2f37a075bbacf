package registry.agent.gossip;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.agent.gossip.GossipMessage.KeyringAnswer;
import registry.agent.gossip.GossipMessage.KeyringAsk;
import registry.agent.gossip.seal.Keyring;

/**
 * Changes the keyrings of all members: each does it to its own and answers. Keys travel sealed or
 * not at all. The thread {@code gossip-keyring} writes this node's, one change after the other.
 */
final class KeyringRounds implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(KeyringRounds.class);
    private static final long PATIENCE_MILLIS = 10_000;

    private final Keyring ring;
    private final String node;
    private final Map<String, Round> open = new ConcurrentHashMap<>();
    private final ExecutorService writer =
            Executors.newSingleThreadExecutor(
                    Thread.ofPlatform().daemon().name("gossip-keyring").factory());

    private record Round(Map<String, KeyringAnswer> answers, CountDownLatch missing) {}

    KeyringRounds(Keyring ring, String node) {
        this.ring = ring;
        this.node = node;
    }

    /**
     * Asks and waits for the answers, at most 10 s.
     *
     * @param key base64; empty to list
     * @param others who is expected to answer, besides this node
     * @param tellAll carries the question to them
     */
    KeyringReport run(KeyringOp op, String key, Set<String> others, Consumer<KeyringAsk> tellAll) {
        var ask = new KeyringAsk(UUID.randomUUID().toString(), op, key);
        var round = new Round(new ConcurrentHashMap<>(), new CountDownLatch(others.size() + 1));
        open.put(ask.round(), round);
        try {
            if (ring.isStrict() && !others.isEmpty()) {
                tellAll.accept(ask);
            }
            onAsk(ask).thenAccept(this::onAnswer);
            boolean all =
                    round.missing().await(ring.isStrict() ? PATIENCE_MILLIS : 0, MILLISECONDS);
            LOG.debug("keyring round: op={} all_answered={}", op, all);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            open.remove(ask.round());
        }
        return report(round, others);
    }

    private KeyringReport report(Round round, Set<String> others) {
        SortedMap<String, Integer> keys = new TreeMap<>();
        SortedMap<String, Integer> primary = new TreeMap<>();
        SortedMap<String, String> errors = new TreeMap<>();
        for (KeyringAnswer answer : round.answers().values()) {
            answer.keys().forEach(key -> keys.merge(key, 1, Integer::sum));
            answer.keys().stream().limit(1).forEach(key -> primary.merge(key, 1, Integer::sum));
            if (!answer.error().isEmpty()) {
                errors.put(answer.node(), answer.error());
            }
        }
        for (String other : others) {
            if (!round.answers().containsKey(other)) {
                errors.put(other, ring.isStrict() ? "no answer" : fault());
            }
        }
        if (!ring.isStrict()) {
            errors.put(node, fault());
        }
        return new KeyringReport(others.size() + 1, keys, primary, errors);
    }

    /** Does it to the ring of this node. */
    CompletableFuture<KeyringAnswer> onAsk(KeyringAsk ask) {
        return CompletableFuture.supplyAsync(() -> answer(ask), writer);
    }

    private KeyringAnswer answer(KeyringAsk ask) {
        String error = ring.isStrict() ? apply(ask) : fault();
        if (ask.op() != KeyringOp.LIST) {
            LOG.info("keyring: op={} error=\"{}\"", ask.op(), error);
        }
        return new KeyringAnswer(
                ask.round(), node, error, ring.isStrict() ? ring.keys() : List.of());
    }

    private String apply(KeyringAsk ask) {
        try {
            switch (ask.op()) {
                case LIST -> {}
                case INSTALL -> ring.install(ask.key());
                case USE -> ring.use(ask.key());
                case REMOVE -> ring.remove(ask.key());
            }
            return "";
        } catch (IllegalArgumentException | IOException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private String fault() {
        return ring.isOn()
                ? "Keys are not sent while encrypt_verify_incoming or encrypt_verify_outgoing is false"
                : "Keyring is empty (encryption not enabled)";
    }

    /** Takes in what a member, or this node, says. */
    void onAnswer(KeyringAnswer answer) {
        Round round = open.get(answer.round());
        if (round != null && round.answers().put(answer.node(), answer) == null) {
            round.missing().countDown();
        }
    }

    @Override
    public void close() {
        writer.shutdownNow();
    }
}
