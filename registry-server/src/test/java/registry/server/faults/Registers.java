package registry.server.faults;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import registry.api.ApiException;
import registry.api.ApiException.Kind;
import registry.api.KvWrite;
import registry.server.rpc.Consistency;

/**
 * Clients that write, swap and read a few keys through whichever server takes it. Each value is
 * written once only. All calls on a key must be linearizable; what was acknowledged must have been
 * applied, and what was refused must not.
 */
final class Registers implements AutoCloseable {
    private static final int BALLAST = 200;
    private static final long THOUGHT_NANOS = TimeUnit.MILLISECONDS.toNanos(8);
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    /** A call whose answer was lost. */
    private record Unknown(
            String key, Operation.Kind kind, long called, String expected, String value) {}

    private final FaultCluster cluster;
    private final Map<String, List<Operation>> histories = new ConcurrentHashMap<>();
    private final List<Unknown> unknown = Collections.synchronizedList(new ArrayList<>());
    private final List<String> broken = Collections.synchronizedList(new ArrayList<>());
    private final Map<String, Boolean> acknowledged = new ConcurrentHashMap<>();
    private final java.util.Set<String> refused = ConcurrentHashMap.newKeySet();
    private final List<Thread> threads = new ArrayList<>();
    private final AtomicLong values = new AtomicLong();
    private final AtomicLong reads = new AtomicLong();
    private volatile FaultCluster.@Nullable Node lastLeader;
    private volatile boolean closed;

    Registers(FaultCluster cluster, int keys, int clientsPerKey, Random random) {
        this.cluster = cluster;
        for (int k = 0; k < keys; k++) {
            String key = "register/" + k;
            histories.put(key, Collections.synchronizedList(new ArrayList<>()));
            for (int i = 0; i < clientsPerKey; i++) {
                Client client = new Client(key, new Random(random.nextLong()));
                threads.add(Thread.ofVirtual().name("client " + key).start(client));
            }
        }
    }

    List<String> keys() {
        return List.copyOf(histories.keySet());
    }

    long acknowledged() {
        return acknowledged.size();
    }

    long reads() {
        return reads.get();
    }

    /** One client of one key. */
    private final class Client implements Runnable {
        private final String key;
        private final Random random;
        private Answer seen = new Answer(0, 0, Operation.ABSENT);

        Client(String key, Random random) {
            this.key = key;
            this.random = random;
        }

        @Override
        public void run() {
            while (!closed) {
                boolean answered =
                        switch (random.nextInt(4)) {
                            case 0 -> write(Operation.Kind.WRITE);
                            case 1 -> write(Operation.Kind.SWAP);
                            default -> read();
                        };
                LockSupport.parkNanos(answered ? random.nextLong(THOUGHT_NANOS) : PAUSE_NANOS);
            }
        }

        private boolean read() {
            FaultCluster.Node node = cluster.nodes.get(random.nextInt(cluster.nodes.size()));
            Life server = node.life();
            if (server == null) {
                return false;
            }
            long called = System.nanoTime();
            try {
                Answer answer;
                if (server.isReadyLeader() && random.nextBoolean()) {
                    answer = Answer.of(server, key, Consistency.CONSISTENT, 0, Duration.ZERO);
                } else {
                    Life.await(server.readIndex(), Duration.ofSeconds(5));
                    answer = Answer.of(server, key, Consistency.STALE, 0, Duration.ZERO);
                }
                long returned = System.nanoTime();
                if (server.isDead()) {
                    return false;
                }
                histories.get(key).add(Operation.read(called, returned, answer.value()));
                reads.incrementAndGet();
                seen = answer;
                return true;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            } catch (Exception refusedOrLate) {
                return false;
            }
        }

        private boolean write(Operation.Kind kind) {
            FaultCluster.Node node = lastLeader;
            if (node == null || random.nextInt(50) == 0) {
                node = cluster.nodes.get(random.nextInt(cluster.nodes.size()));
            }
            Life server = node.life();
            if (server == null) {
                lastLeader = null;
                return false;
            }
            String value = "v" + values.incrementAndGet();
            byte[] bytes = (value + " ".repeat(BALLAST + random.nextInt(BALLAST))).getBytes(UTF_8);
            boolean swap = kind == Operation.Kind.SWAP;
            KvWrite write =
                    swap
                            ? new KvWrite(KvWrite.Verb.CAS, key, bytes, 0, seen.modified(), null)
                            : new KvWrite(KvWrite.Verb.SET, key, bytes, 0, 0, null);
            String expected = swap ? seen.value() : "";
            long called = System.nanoTime();
            try {
                boolean done = server.write(write);
                long returned = System.nanoTime();
                if (server.isDead()) {
                    unknown.add(new Unknown(key, kind, called, expected, value));
                    return false;
                }
                lastLeader = node;
                acknowledged.put(value, done);
                histories
                        .get(key)
                        .add(
                                swap
                                        ? Operation.swap(called, returned, expected, value, done)
                                        : Operation.write(called, returned, value));
                return true;
            } catch (ApiException e) {
                lastLeader = null;
                if (e.kind() == Kind.NO_LEADER || e.kind() == Kind.OVERLOADED) {
                    refused.add(value);
                } else {
                    unknown.add(new Unknown(key, kind, called, expected, value));
                }
                return false;
            }
        }
    }

    /** Ends the clients. */
    @Override
    public void close() {
        closed = true;
        for (Thread thread : threads) {
            try {
                if (!thread.join(Duration.ofSeconds(40))) {
                    broken.add("a client hangs: " + List.of(thread.getStackTrace()));
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** What can't be. To be asked after {@link #close}, when all servers have applied all. */
    List<String> judge() {
        acknowledged.forEach((value, done) -> {
            AppliedWrites.Applied applied = cluster.applied.of(value);
            if (applied == null || applied.written() != done) {
                broken.add(
                        "write %s was acknowledged (%s) and applied: %s"
                                .formatted(value, done, applied));
            }
        });
        for (String value : refused) {
            if (cluster.applied.of(value) != null) {
                broken.add(
                        "write %s was refused and applied: %s"
                                .formatted(value, cluster.applied.of(value)));
            }
        }
        for (Unknown call : unknown) {
            AppliedWrites.Applied applied = cluster.applied.of(call.value);
            if (applied != null) {
                histories.get(call.key).add(operation(call, applied));
            }
        }
        histories.forEach((key, history) -> {
            String unexplained = Linearizability.check(history);
            if (!unexplained.isEmpty()) {
                broken.add(key + ": " + unexplained);
            }
        });
        return broken;
    }

    private static Operation operation(Unknown call, AppliedWrites.Applied applied) {
        return call.kind == Operation.Kind.SWAP
                ? Operation.swap(
                        call.called, applied.nanos(), call.expected, call.value, applied.written())
                : Operation.write(call.called, applied.nanos(), call.value);
    }
}
