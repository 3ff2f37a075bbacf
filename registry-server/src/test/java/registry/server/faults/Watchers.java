package registry.server.faults;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import registry.server.rpc.Consistency;

/**
 * Clients that wait for changes of a key, or of all. Indexes never go back, an index means the same
 * value everywhere, every question ends in time, and whoever waits for a change hears of it when
 * the server that he asked has it.
 */
final class Watchers implements AutoCloseable {
    private static final Duration WAIT = Duration.ofMillis(2_500);

    /** By how much a wake-up may come late on a busy machine. */
    private static final long LATE_NANOS = TimeUnit.MILLISECONDS.toNanos(1_500);

    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    private final FaultCluster cluster;
    private final Map<String, String> values = new ConcurrentHashMap<>();
    private final List<String> broken = Collections.synchronizedList(new ArrayList<>());
    private final List<Thread> threads = new ArrayList<>();
    private final AtomicLong answers = new AtomicLong();
    private volatile boolean closed;

    Watchers(FaultCluster cluster, List<String> keys, int perKey, Random random) {
        this.cluster = cluster;
        List<String> watched = new ArrayList<>(keys);
        watched.add(Answer.ALL);
        for (String key : watched) {
            for (int i = 0; i < perKey; i++) {
                Watcher watcher = new Watcher(key, new Random(random.nextLong()));
                threads.add(Thread.ofVirtual().name("watcher " + key).start(watcher));
            }
        }
    }

    long answers() {
        return answers.get();
    }

    private final class Watcher implements Runnable {
        private final String key;
        private final Random random;

        /** The newest index that any server has shown. */
        private long newest = 1;

        private final Map<Life, Long> ofServer = new WeakHashMap<>();

        Watcher(String key, Random random) {
            this.key = key;
            this.random = random;
        }

        @Override
        public void run() {
            while (!closed) {
                if (!watch()) {
                    LockSupport.parkNanos(PAUSE_NANOS);
                }
            }
        }

        private boolean watch() {
            FaultCluster.Node leader = random.nextBoolean() ? cluster.leader() : null;
            boolean stale = leader == null;
            Life server =
                    stale
                            ? cluster.nodes.get(random.nextInt(cluster.nodes.size())).life()
                            : leader.life();
            if (server == null) {
                return false;
            }
            long min = stale ? ofServer.getOrDefault(server, 1L) : newest;
            long asked = System.nanoTime();
            try {
                Answer answer =
                        Answer.of(
                                server,
                                key,
                                stale ? Consistency.STALE : Consistency.DEFAULT,
                                min,
                                WAIT);
                if (server.isDead()) {
                    return false;
                }
                judge(server, stale, min, asked, answer);
                answers.incrementAndGet();
                return true;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            } catch (TimeoutException e) {
                if (!server.isDead()) {
                    broken.add("a question for \"%s\" was never answered".formatted(key));
                }
                return false;
            } catch (ExecutionException noLeader) {
                return false;
            } catch (Exception e) {
                broken.add("a question for \"%s\": %s".formatted(key, e));
                return false;
            }
        }

        private void judge(Life server, boolean stale, long min, long asked, Answer answer) {
            long now = System.nanoTime();
            if (answer.index() < min) {
                broken.add(
                        "%s: index %d after %d (%s)"
                                .formatted(key, answer.index(), min, stale ? "stale" : "default"));
            }
            if (answer.modified() > answer.index()) {
                broken.add("%s: %s is newer than its index".formatted(key, answer));
            }
            String other =
                    answer.modified() == 0
                            ? null
                            : values.putIfAbsent(key + " at " + answer.modified(), answer.value());
            if (other != null && !other.equals(answer.value())) {
                broken.add(
                        "%s at %d is %s and %s"
                                .formatted(key, answer.modified(), other, answer.value()));
            }
            boolean timeWasUp = now - asked >= WAIT.toNanos();
            @Nullable Long reached = reached(server, min);
            if (answer.index() > min
                    && timeWasUp
                    && reached != null
                    && asked + WAIT.toNanos() - Math.max(asked, reached) > LATE_NANOS) {
                broken.add(
                        "%s: nobody was woken for %s, waiting above %d, there %d ms before the end"
                                .formatted(
                                        key,
                                        answer,
                                        min,
                                        TimeUnit.NANOSECONDS.toMillis(
                                                asked + WAIT.toNanos() - reached)));
            }
            ofServer.put(server, answer.index());
            newest = Math.max(newest, answer.index());
        }

        /** When the server had the first change behind what the question knew. */
        private @Nullable Long reached(Life server, long min) {
            Long change = cluster.applied.nextChange(key, min);
            return change == null ? null : server.reachedAt(change);
        }
    }

    @Override
    public void close() {
        closed = true;
        for (Thread thread : threads) {
            try {
                if (!thread.join(Duration.ofSeconds(20))) {
                    broken.add("a watcher hangs");
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    List<String> judge() {
        return broken;
    }
}
