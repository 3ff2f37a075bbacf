package registry.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import registry.api.json.Json;

/**
 * A lock that several have at a time. Each contender holds a key of its own below the prefix; the
 * key {@code .lock} lists the holders, written by compare-and-set; who is no contender any more is
 * none.
 */
final class SemaphoreLock implements ClusterLock {
    /** By which Consul's clients know such keys: 0xe0f69a2baa414de0. */
    static final String FLAGS = "16210313421097356768";

    private final LockSession session;
    private final String prefix;
    private final int limit;
    private final Retries retries;
    private final String lockPath;
    private final String ownPath;

    /**
     * @param prefix ends with a slash
     */
    SemaphoreLock(LockSession session, String prefix, int limit, Retries retries) {
        this.session = session;
        this.prefix = prefix;
        this.limit = limit;
        this.retries = retries;
        this.lockPath = KvKeys.path(prefix + LockCommand.LOCK);
        this.ownPath = KvKeys.path(prefix + session.id());
    }

    /**
     * What is below the prefix.
     *
     * @param lockIndex the ModifyIndex of the list of holders; 0 when there is none
     * @param holders those that are contenders still
     */
    private record View(long index, long lockIndex, Set<String> holders, Set<String> contenders) {}

    private View view(long index) throws Failure, InterruptedException {
        LockSession.Pairs read = session.read(KvKeys.path(prefix), true, index);
        JsonNode lock = null;
        var contenders = new HashSet<String>();
        for (JsonNode pair : read.list()) {
            if (pair.path("Key").asText().equals(prefix + LockCommand.LOCK)) {
                lock = pair;
            } else if (!pair.path("Session").asText().isEmpty()) {
                contenders.add(pair.path("Session").asText());
            }
        }
        if (lock == null) {
            return new View(read.index(), 0, Set.of(), contenders);
        }
        if (!LockSession.hasFlags(lock, FLAGS)) {
            throw new Failure("Existing key does not match semaphore use");
        }
        JsonNode content = content(lock);
        int theirs = content.path("Limit").asInt();
        if (theirs != limit) {
            throw new Failure(
                    "semaphore limit conflict (lock: %d, local: %d)".formatted(theirs, limit));
        }
        var holders = new TreeSet<String>();
        content.path("Holders").fieldNames().forEachRemaining(holders::add);
        holders.retainAll(contenders);
        return new View(read.index(), lock.path("ModifyIndex").asLong(), holders, contenders);
    }

    private static JsonNode content(JsonNode lock) throws Failure {
        try {
            return Json.tree(KvKeys.value(lock));
        } catch (UncheckedIOException e) {
            throw new Failure("failed to decode lock: " + e.getMessage());
        }
    }

    private boolean write(Set<String> holders, long lockIndex)
            throws Failure, InterruptedException {
        ObjectNode content = Json.mapper().createObjectNode().put("Limit", limit);
        ObjectNode list = content.putObject("Holders");
        holders.forEach(holder -> list.put(holder, true));
        return session.write(
                lockPath,
                new Query().add("cas", Long.toString(lockIndex)).add("flags", FLAGS),
                Json.write(content));
    }

    @Override
    public boolean acquire(@Nullable Duration patience) throws Failure, InterruptedException {
        var until = new Deadline(patience);
        if (!session.write(
                ownPath,
                new Query().add("acquire", session.id()).add("flags", FLAGS),
                new byte[0])) {
            throw new Failure("failed to make contender entry");
        }
        long index = 0;
        while (true) {
            View view = view(index);
            if (!view.contenders().contains(session.id())) {
                throw new Failure("session ended while waiting");
            }
            if (view.holders().size() < limit) {
                var holders = new TreeSet<>(view.holders());
                holders.add(session.id());
                if (write(holders, view.lockIndex())) {
                    return true;
                }
                index = 0;
                continue;
            }
            if (until.isOver()) {
                return false;
            }
            index = until.isFar() ? view.index() : 0;
            if (index == 0 && !until.sleep(Duration.ofMillis(200))) {
                return false;
            }
        }
    }

    @Override
    public void awaitLoss() throws InterruptedException {
        retries.whileTrue(index -> {
            View view = view(index);
            return view.holders().contains(session.id()) && !session.hasEnded() ? view.index() : -1;
        });
    }

    @Override
    public void release() throws Failure, InterruptedException {
        try {
            boolean listed = true;
            while (listed) {
                View view = view(0);
                var holders = new TreeSet<>(view.holders());
                listed = holders.remove(session.id()) && !write(holders, view.lockIndex());
            }
        } finally {
            session.delete(ownPath, new Query());
        }
    }

    @Override
    public boolean cleanUp() throws Failure, InterruptedException {
        View view = view(0);
        return view.contenders().isEmpty()
                && (view.lockIndex() == 0
                        || session.delete(
                                lockPath, new Query().add("cas", Long.toString(view.lockIndex()))));
    }
}
