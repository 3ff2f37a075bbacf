package registry.it.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import registry.api.client.RegistryClient;

/**
 * Callers at every agent compete for one lock, give it back, destroy their session or now and then
 * let it run out. Two never hold it at once, each holder's fencing token is above the one before,
 * and after a session that ended nobody has it within the lock-delay.
 */
final class Locks extends Workload {
    private static final Duration PATIENCE = Duration.ofSeconds(4);
    private static final Duration TTL = Duration.ofSeconds(10);
    private static final Duration LOCK_DELAY = Duration.ofSeconds(1);
    private static final Duration PAUSE = Duration.ofMillis(50);
    private static final long LONGEST_HOLD_MILLIS = 100;
    private static final int ONE_IS_DESTROYED_OF = 4;
    private static final int ONE_RUNS_OUT_OF = 400;
    private static final String SESSION =
            """
            {"Name": "locks", "TTL": "10s", "LockDelay": "1s", "NodeChecks": []}
            """;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final String key;
    private final List<Hold> holds = Collections.synchronizedList(new ArrayList<>());
    private final AtomicLong numbers = new AtomicLong();
    private final AtomicLong invalidated = new AtomicLong();

    /**
     * A time in which a caller could rely on the lock, in nanoseconds.
     *
     * @param asked when it asked for it
     * @param from when it was told that it has it
     * @param until when it gave it up, or could no longer be sure
     * @param token the key's ModifyIndex; 0 when the caller could not read it
     * @param destroyed whether the session ended with it, destroyed or run out
     */
    record Hold(String session, long asked, long from, long until, long token, boolean destroyed) {}

    /** How a caller gives up the lock. */
    private enum Ending {
        RELEASED,
        DESTROYED,
        RUN_OUT
    }

    /** What a caller has between its calls. */
    private static final class Caller {
        private final Random random;
        private @Nullable String session;

        /** Until then its session surely lives, unless its node is called dead. */
        private long sureUntil;

        /** May hold the lock without anybody knowing, until it ends. */
        private @Nullable String abandoned;

        Caller(Random random) {
            this.random = random;
        }
    }

    /**
     * @param name of the lock; callers of another one do not meet these
     */
    Locks(String name, List<URI> agents, long seed) {
        super(PATIENCE.multipliedBy(4));
        key = "/v1/kv/lock/" + name;
        for (int i = 0; i < agents.size(); i++) {
            var caller = new Caller(new Random(seed + i));
            caller(agents.get(i), client -> compete(client, caller));
        }
    }

    int count() {
        return holds.size();
    }

    /** Sessions that ended with the lock in their hands. */
    long invalidated() {
        return invalidated.get();
    }

    private void compete(RegistryClient client, Caller caller) throws InterruptedException {
        try {
            if (caller.abandoned != null) {
                put(client, "/v1/session/destroy/" + caller.abandoned, "");
                caller.abandoned = null;
            }
            String session = session(client, caller);
            long asked = System.nanoTime();
            String value = "h" + numbers.incrementAndGet();
            if (!put(client, key + "?acquire=" + session, value).equals("true")) {
                LockSupport.parkNanos(PAUSE.toNanos());
                return;
            }
            hold(client, caller, session, asked);
        } catch (IOException unanswered) {
            // Perhaps it holds the lock, and does not know.
            if (caller.session != null) {
                caller.abandoned = caller.session;
                caller.session = null;
            }
            LockSupport.parkNanos(PAUSE.toNanos());
        }
    }

    /** One that has half its time before it. */
    private static String session(RegistryClient client, Caller caller)
            throws IOException, InterruptedException {
        long now = System.nanoTime();
        String session = caller.session;
        if (session == null) {
            session = create(client);
            caller.session = session;
            caller.sureUntil = now + TTL.toNanos();
        } else if (caller.sureUntil - now < TTL.toNanos() / 2) {
            put(client, "/v1/session/renew/" + session, "");
            caller.sureUntil = now + TTL.toNanos();
        }
        return session;
    }

    private void hold(RegistryClient client, Caller caller, String session, long asked)
            throws IOException, InterruptedException {
        long from = System.nanoTime();
        long token = token(client, session);
        LockSupport.parkNanos(caller.random.nextLong(LONGEST_HOLD_MILLIS) * 1_000_000);
        Ending ending = ending(caller.random.nextInt(ONE_RUNS_OUT_OF));
        long until = Math.min(System.nanoTime(), caller.sureUntil);
        boolean ends = ending != Ending.RELEASED && until > from;
        holds.add(new Hold(session, asked, from, until, token, ends));
        if (ends) {
            invalidated.incrementAndGet();
        }
        switch (ending) {
            case DESTROYED -> {
                put(client, "/v1/session/destroy/" + session, "");
                caller.session = null;
            }
            case RUN_OUT -> caller.session = null;
            case RELEASED -> {
                if (!put(client, key + "?release=" + session, "").equals("true")) {
                    caller.session = null;
                }
            }
        }
    }

    private static Ending ending(int number) {
        if (number == 0) {
            return Ending.RUN_OUT;
        }
        return number % ONE_IS_DESTROYED_OF == 0 ? Ending.DESTROYED : Ending.RELEASED;
    }

    /** 0 when it can't be had in time. */
    private long token(RegistryClient client, String session) throws InterruptedException {
        try {
            var answer = client.get(key + "?consistent", PATIENCE);
            if (answer.status() == 200) {
                JsonNode pair = JSON.readTree(answer.body()).get(0);
                if (pair.path("Session").asText().equals(session)) {
                    return pair.get("ModifyIndex").asLong();
                }
            }
        } catch (IOException unanswered) {
            // Without a token, then.
        }
        return 0;
    }

    private static String create(RegistryClient client) throws IOException, InterruptedException {
        return JSON.readTree(put(client, "/v1/session/create", SESSION)).get("ID").asText();
    }

    private static String put(RegistryClient client, String path, String body)
            throws IOException, InterruptedException {
        var answer = client.put(path, body.getBytes(UTF_8), PATIENCE);
        if (answer.status() != 200) {
            throw new IOException(path + ": " + answer.status() + " " + answer.text());
        }
        return answer.text().strip();
    }

    @Override
    List<String> violations() {
        synchronized (holds) {
            return violations(List.copyOf(holds));
        }
    }

    static List<String> violations(List<Hold> holds) {
        var violations = new ArrayList<String>();
        List<Hold> byTime = holds.stream().sorted(Comparator.comparingLong(Hold::from)).toList();
        for (int i = 1; i < byTime.size(); i++) {
            Hold before = byTime.get(i - 1);
            Hold after = byTime.get(i);
            if (after.from() < before.until()) {
                violations.add("two held the lock at once: " + before + " and " + after);
            } else if (before.token() != 0
                    && after.token() != 0
                    && after.token() <= before.token()) {
                violations.add("the fencing token did not grow: " + before + " and " + after);
            } else if (before.destroyed() && after.from() - before.until() < LOCK_DELAY.toNanos()) {
                violations.add("the lock-delay was cut short: " + before + " and " + after);
            }
        }
        return violations;
    }
}
