package registry.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A lock that one has at a time: whose session the key's is. */
final class KeyLock implements ClusterLock {
    /** By which Consul's clients know such a key: 0x2ddccbc058a50c18. */
    static final String FLAGS = "3304740253564472344";

    /** How often to look while a lock-delay is on. */
    private static final Duration DELAYED = Duration.ofSeconds(1);

    private final LockSession session;
    private final String path;
    private final Retries retries;

    KeyLock(LockSession session, String key, Retries retries) {
        this.session = session;
        this.path = KvKeys.path(key);
        this.retries = retries;
    }

    @Override
    public boolean acquire(@Nullable Duration patience) throws Failure, InterruptedException {
        var until = new Deadline(patience);
        long index = 0;
        while (true) {
            LockSession.Pairs read = session.read(path, false, index);
            JsonNode pair = read.list().path(0);
            if (!pair.isMissingNode() && !LockSession.hasFlags(pair, FLAGS)) {
                throw new Failure("Existing key does not match lock use");
            }
            String holder = pair.path("Session").asText();
            if (holder.equals(session.id())) {
                return true;
            }
            if (holder.isEmpty()) {
                if (session.write(
                        path,
                        new Query().add("acquire", session.id()).add("flags", FLAGS),
                        new byte[0])) {
                    return true;
                }
                if (session.hasEnded()) {
                    throw new Failure("session ended while waiting");
                }
                // Somebody was quicker, or a lock-delay is on, whose end wakes nobody.
                index = 0;
                if (!until.sleep(DELAYED)) {
                    return false;
                }
                continue;
            }
            if (until.isOver()) {
                return false;
            }
            index = until.isFar() ? read.index() : 0;
            if (index == 0 && !until.sleep(Duration.ofMillis(200))) {
                return false;
            }
        }
    }

    @Override
    public void awaitLoss() throws InterruptedException {
        retries.whileTrue(index -> {
            LockSession.Pairs read = session.read(path, false, index);
            String holder = read.list().path(0).path("Session").asText();
            return holder.equals(session.id()) && !session.hasEnded() ? read.index() : -1;
        });
    }

    @Override
    public void release() throws Failure, InterruptedException {
        session.write(
                path, new Query().add("release", session.id()).add("flags", FLAGS), new byte[0]);
    }

    @Override
    public boolean cleanUp() throws Failure, InterruptedException {
        JsonNode pair = session.read(path, false, 0).list().path(0);
        if (pair.isMissingNode()) {
            return true;
        }
        if (!LockSession.hasFlags(pair, FLAGS)) {
            throw new Failure("Existing key does not match lock use");
        }
        return pair.path("Session").asText().isEmpty()
                && session.delete(path, new Query().add("cas", pair.path("ModifyIndex").asText()));
    }
}
