package registry.it.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import registry.api.client.RegistryClient;

/**
 * Two watchers at every agent hold queries for one key, one of them of whatever server is asked,
 * and the key is written only when all have seen the last value: so a lost wake-up is not hidden by
 * the next write. No watcher may be told an index below the one it has.
 */
final class Watchers extends Workload {
    private static final Duration WAIT = Duration.ofSeconds(40);
    private static final Duration PATIENCE = Duration.ofSeconds(44);
    private static final Duration PAUSE = Duration.ofMillis(5);
    private static final Duration UNREACHABLE = Duration.ofMillis(50);
    private static final String KEY = "/v1/kv/watched";

    private final Weather weather;
    private final Duration limit;
    private final List<Watcher> watchers = new ArrayList<>();
    private final List<String> violations = Collections.synchronizedList(new ArrayList<>());
    private final AtomicLong written = new AtomicLong();
    private volatile long acknowledgedAt = System.nanoTime();

    private static final class Watcher {
        private final URI agent;
        private final String consistency;
        private long index;
        private volatile long seen;
        private volatile boolean accused;

        Watcher(URI agent, String consistency) {
            this.agent = agent;
            this.consistency = consistency;
        }

        @Override
        public String toString() {
            return "the watcher at " + agent + consistency;
        }
    }

    /**
     * @param limit from the acknowledgement of a write, or from the end of trouble, to the moment
     *     when every watcher must have seen it
     */
    Watchers(List<URI> agents, Weather weather, Duration limit) {
        super(Duration.ofMillis(1));
        this.weather = weather;
        this.limit = limit;
        for (URI agent : agents) {
            for (String consistency : List.of("", "&stale")) {
                var watcher = new Watcher(agent, consistency);
                watchers.add(watcher);
                caller(agent, client -> watch(client, watcher));
            }
        }
        caller(agents.getFirst(), this::write);
    }

    long rounds() {
        return written.get();
    }

    private void write(RegistryClient client) throws InterruptedException {
        long number = written.get() + 1;
        try {
            byte[] value = Long.toString(number).getBytes(UTF_8);
            if (client.put(KEY, value, Duration.ofSeconds(4)).text().strip().equals("true")) {
                acknowledgedAt = System.nanoTime();
                written.set(number);
                awaitAll(number);
                return;
            }
        } catch (IOException unanswered) {
            // The same number again: written twice it is no change.
        }
        LockSupport.parkNanos(PAUSE.toNanos());
    }

    private void awaitAll(long number) {
        while (isRunning() && watchers.stream().anyMatch(watcher -> watcher.seen < number)) {
            long now = System.nanoTime();
            if (weather.isCalm()
                    && now - acknowledgedAt > limit.toNanos()
                    && now - weather.calmSince() > limit.toNanos()) {
                watchers.stream()
                        .filter(watcher -> watcher.seen < number && !watcher.accused)
                        .forEach(watcher -> {
                            watcher.accused = true;
                            violations.add(
                                    "%s was not woken for %d in %s"
                                            .formatted(watcher, number, limit));
                        });
                return;
            }
            LockSupport.parkNanos(PAUSE.toNanos());
        }
    }

    private void watch(RegistryClient client, Watcher watcher) throws InterruptedException {
        try {
            String held =
                    "?raw&index=%d&wait=%ds%s"
                            .formatted(watcher.index, WAIT.toSeconds(), watcher.consistency);
            var answer = client.get(KEY + held, PATIENCE);
            long index = answer.index().orElse(-1);
            if (answer.status() == 200 && index >= 0) {
                if (index < watcher.index) {
                    violations.add(
                            "%s: index went back from %d to %d"
                                    .formatted(watcher, watcher.index, index));
                }
                watcher.index = index;
                watcher.seen = Long.parseLong(answer.text());
                return;
            }
        } catch (IOException unanswered) {
            // Asked again, with the index that it has.
        }
        LockSupport.parkNanos(UNREACHABLE.toNanos());
    }

    @Override
    List<String> violations() {
        return List.copyOf(violations);
    }
}
