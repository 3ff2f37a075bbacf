package registry.agent.local;

import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.WriteBatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.agent.check.CheckHistory;
import registry.agent.config.CheckDefinition;
import registry.agent.config.ServiceDefinition;
import registry.api.ApiException;
import registry.api.HealthCheck;
import registry.api.json.Json;
import registry.server.storage.NodeStore;

/**
 * What an agent must find again after a crash, in the node's database: its id, what was registered
 * over the API (durable), and the last result and history of each check (survive the process; a
 * power cut may cost the last moments). Safe for any thread.
 *
 * <p>Rows, by the first letter of the key; ids are in lower case, as they are compared: {@code n}
 * node id, {@code s/ID} service, {@code c/ID} check, {@code r/ID} result, {@code h/ID 0 NUMBER}
 * transition, {@code g/ID} when a check went.
 */
public final class LocalStore implements CheckHistory, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(LocalStore.class);
    private static final int TRANSITIONS = 100;
    private static final Duration KEPT_AFTER_REMOVAL = Duration.ofDays(1);
    private static final byte[] NODE_ID = {'n'};
    private static final List<String> STATUSES =
            List.of(HealthCheck.PASSING, HealthCheck.WARNING, HealthCheck.CRITICAL);

    /**
     * The last result of a check.
     *
     * @param timeMillis wall clock of that result
     * @param deadlineMillis wall clock at which a TTL check expires, at the earliest; 0 for others
     */
    record Result(String status, String output, long timeMillis, long deadlineMillis) {}

    /** All that was stored; results by lower-case check id. */
    record Stored(
            List<ServiceDefinition> services,
            List<CheckDefinition> checks,
            Map<String, Result> results) {}

    private final NodeStore store;
    private final ColumnFamilyHandle family;

    /** Held for writing by {@link #close} only: the database must not go while someone is in it. */
    private final ReadWriteLock open = new ReentrantReadWriteLock();

    private boolean closed;

    public LocalStore(NodeStore store) {
        this.store = store;
        this.family = store.family(NodeStore.LOCAL);
    }

    /**
     * The configured node id, else the one this node had before, else a new random one; durable
     * when this returns.
     */
    public String nodeId(String configured) {
        byte[] stored = store.get(NodeStore.LOCAL, NODE_ID);
        String before = stored == null ? "" : new String(stored, StandardCharsets.UTF_8);
        String id =
                !configured.isEmpty()
                        ? configured
                        : before.isEmpty() ? UUID.randomUUID().toString() : before;
        if (!id.equals(before)) {
            store.put(NodeStore.LOCAL, NODE_ID, id.getBytes(StandardCharsets.UTF_8), true);
        }
        return id;
    }

    Stored load() {
        List<ServiceDefinition> services = new ArrayList<>();
        List<CheckDefinition> checks = new ArrayList<>();
        Map<String, Result> results = new HashMap<>();
        scan('s', (id, value) -> readInto(services, value, ServiceDefinition.class, id));
        scan('c', (id, value) -> readInto(checks, value, CheckDefinition.class, id));
        scan('r', (id, value) -> results.put(id, result(value)));
        return new Stored(services, checks, results);
    }

    private static <T> void readInto(List<T> list, byte[] value, Class<T> type, String id) {
        try {
            list.add(Json.read(value, type));
        } catch (UncheckedIOException e) {
            log.error(
                    "a stored definition can't be read and is left out: id={} error={}",
                    id,
                    e.getMessage());
        }
    }

    /** A set of changes that reach the database together. */
    Changes changes() {
        return new Changes();
    }

    /** Returns when the changes of that mark, and all before, will survive a power cut. */
    void syncTo(long mark) {
        within(() -> {
            store.syncTo(mark);
            return mark;
        });
    }

    /**
     * @throws ApiException INTERNAL when this is closed: nothing is promised any more
     */
    private <T> T within(Supplier<T> work) {
        open.readLock().lock();
        try {
            if (closed) {
                throw new ApiException(ApiException.Kind.INTERNAL, "the agent is stopping");
            }
            return work.get();
        } finally {
            open.readLock().unlock();
        }
    }

    /**
     * Waits for those who are reading or writing; whoever comes later is refused. The database is
     * not closed.
     */
    @Override
    public void close() {
        open.writeLock().lock();
        try {
            closed = true;
        } finally {
            open.writeLock().unlock();
        }
    }

    /** The number that the next transition of a check gets. */
    long nextTransition(String checkId) {
        byte[] prefix = historyPrefix(checkId);
        return within(() -> {
            try (RocksIterator rows = store.db().newIterator(family)) {
                rows.seekForPrev(historyKey(prefix, Long.MAX_VALUE));
                boolean found = rows.isValid() && startsWith(rows.key(), prefix);
                return found ? number(rows.key()) + 1 : 0;
            }
        });
    }

    @Override
    public List<Transition> of(String checkId) {
        List<Transition> transitions = new ArrayList<>();
        scan(
                historyPrefix(checkId),
                (key, value) -> transitions.add(Json.read(value, Transition.class)));
        return transitions;
    }

    /** Forgets the histories of checks that went more than a day ago. */
    void forgetOld(Instant now) {
        long before = now.minus(KEPT_AFTER_REMOVAL).toEpochMilli();
        List<String> old = new ArrayList<>();
        scan(
                'g',
                (id, value) -> {
                    if (ByteBuffer.wrap(value).getLong() < before) {
                        old.add(id);
                    }
                });
        if (old.isEmpty()) {
            return;
        }
        try (Changes changes = changes()) {
            old.forEach(changes::forget);
            changes.write();
        }
    }

    private void scan(char kind, BiConsumer<String, byte[]> row) {
        byte[] prefix = {(byte) kind, '/'};
        scan(
                prefix,
                (key, value) ->
                        row.accept(
                                new String(key, 2, key.length - 2, StandardCharsets.UTF_8), value));
    }

    private void scan(byte[] prefix, BiConsumer<byte[], byte[]> row) {
        within(() -> {
            try (RocksIterator rows = store.db().newIterator(family)) {
                for (rows.seek(prefix);
                        rows.isValid() && startsWith(rows.key(), prefix);
                        rows.next()) {
                    row.accept(rows.key(), rows.value());
                }
            }
            return prefix;
        });
    }

    /** Changes in the making; nothing of them is visible before {@link #write}. */
    final class Changes implements AutoCloseable {
        private final WriteBatch batch = new WriteBatch();

        void putService(ServiceDefinition service) {
            put(key('s', service.id()), Json.write(service));
        }

        void deleteService(String id) {
            delete(key('s', id));
        }

        void putCheck(CheckDefinition check) {
            put(key('c', check.id()), Json.write(check));
        }

        void deleteCheck(String id) {
            delete(key('c', id));
        }

        void putResult(String checkId, Result result) {
            put(key('r', checkId), bytes(result));
        }

        void deleteResult(String checkId) {
            delete(key('r', checkId));
        }

        /** Appends to a check's history, whose oldest entry goes when it has too many. */
        void putTransition(String checkId, long number, Transition transition) {
            byte[] prefix = historyPrefix(checkId);
            put(historyKey(prefix, number), Json.write(transition));
            if (number >= TRANSITIONS) {
                delete(historyKey(prefix, number - TRANSITIONS));
            }
        }

        /** The check is no more: its result goes now, its history in a day. */
        void checkWent(String checkId, Instant now) {
            deleteResult(checkId);
            put(key('g', checkId), ByteBuffer.allocate(8).putLong(now.toEpochMilli()).array());
        }

        /** The check is there (again): its history stays. */
        void checkCame(String checkId) {
            delete(key('g', checkId));
        }

        private void forget(String checkId) {
            byte[] prefix = historyPrefix(checkId);
            try {
                batch.deleteRange(family, prefix, historyKey(prefix, Long.MAX_VALUE));
            } catch (RocksDBException e) {
                throw new IllegalStateException(e);
            }
            delete(key('g', checkId));
        }

        /** Writes all of it at once, not yet durable; answers the mark for {@link #syncTo}. */
        long write() {
            return within(() -> {
                if (batch.count() > 0) {
                    store.write(batch, false);
                }
                return store.mark();
            });
        }

        private void put(byte[] key, byte[] value) {
            try {
                batch.put(family, key, value);
            } catch (RocksDBException e) {
                throw new IllegalStateException(e);
            }
        }

        private void delete(byte[] key) {
            try {
                batch.delete(family, key);
            } catch (RocksDBException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void close() {
            batch.close();
        }
    }

    private static byte[] key(char kind, String id) {
        return (kind + "/" + id.toLowerCase(Locale.ROOT)).getBytes(StandardCharsets.UTF_8);
    }

    /** Ends in 0, so that no check's rows are among those of another whose id begins alike. */
    private static byte[] historyPrefix(String checkId) {
        byte[] key = key('h', checkId);
        return Arrays.copyOf(key, key.length + 1);
    }

    private static byte[] historyKey(byte[] prefix, long number) {
        return ByteBuffer.allocate(prefix.length + 8).put(prefix).putLong(number).array();
    }

    private static long number(byte[] historyKey) {
        return ByteBuffer.wrap(historyKey).getLong(historyKey.length - 8);
    }

    private static boolean startsWith(byte[] key, byte[] prefix) {
        return key.length >= prefix.length
                && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
    }

    private static byte[] bytes(Result result) {
        byte[] output = result.output().getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(17 + output.length)
                .put((byte) STATUSES.indexOf(result.status()))
                .putLong(result.timeMillis())
                .putLong(result.deadlineMillis())
                .put(output)
                .array();
    }

    private static Result result(byte[] row) {
        ByteBuffer in = ByteBuffer.wrap(row);
        String status = STATUSES.get(in.get());
        long time = in.getLong();
        long deadline = in.getLong();
        return new Result(
                status,
                new String(row, 17, row.length - 17, StandardCharsets.UTF_8),
                time,
                deadline);
    }
}
