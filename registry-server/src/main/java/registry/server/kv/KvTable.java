package registry.server.kv;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import registry.api.ApiException;
import registry.api.KvPair;
import registry.api.KvWrite;
import registry.api.Session;
import registry.api.json.Json;
import registry.server.session.SessionTable;
import registry.server.state.Keys;
import registry.server.state.State;
import registry.server.state.TableDef;
import registry.server.state.Tx;

/**
 * Pairs and the tombstones of deleted ones: their tables, and how a command changes them and their
 * indexes.
 */
public final class KvTable {
    /** Locked pairs by their holder. */
    static final TableDef.Grouping<KvPair> BY_SESSION = new TableDef.Grouping<>(KvPair::session);

    /** Pairs by key, in the order of its bytes. */
    public static final TableDef<KvPair> PAIRS =
            new TableDef<>(
                            "kvs",
                            Keys.BYTES,
                            KvPair::key,
                            List.of(BY_SESSION),
                            Json::write,
                            bytes -> Json.read(bytes, KvPair.class))
                    .carriedBy(KvTable::carry, "kvs");

    /** Tombstones by key. */
    public static final TableDef<Tombstone> TOMBSTONES =
            new TableDef<>(
                            "tombstones",
                            Keys.BYTES,
                            Tombstone::key,
                            List.of(),
                            Json::write,
                            bytes -> Json.read(bytes, Tombstone.class))
                    .carriedBy(
                            (tombstone, here, into) ->
                                    new Tombstone(
                                            tombstone.key(),
                                            into.index(),
                                            tombstone.time() + into.timeShift()),
                            "tombstones",
                            "tombstones-reaped");

    /** Lock-delays by key. */
    public static final TableDef<LockDelay> DELAYS =
            new TableDef<>(
                            "lock-delays",
                            Keys.BYTES,
                            LockDelay::key,
                            List.of(),
                            Json::write,
                            bytes -> Json.read(bytes, LockDelay.class))
                    .carriedBy((delay, here, into) ->
                            new LockDelay(
                                    delay.key(),
                                    Math.max(delay.until() + into.timeShift(), until(here.get()))));

    private static final long MAX_DELAY_MILLIS = 60_000;
    private static final long NANOS_PER_MILLI = 1_000_000;
    private static final String KVS = "kvs";
    private static final String DELETIONS = "tombstones";

    /** The newest deletion whose tombstone is gone: no prefix's index is below it. */
    private static final String REAPED = "tombstones-reaped";

    private KvTable() {}

    // Reads.

    /** Watches one key. */
    static String watchKey(String key) {
        return watchTree(key) + Keys.END;
    }

    /** Watches all keys that begin with {@code prefix}. */
    static String watchTree(String prefix) {
        return "kv/" + prefix;
    }

    static @Nullable KvPair get(State state, String key) {
        return state.table(PAIRS).get(key);
    }

    /** All pairs whose key begins with {@code prefix}, in the order of their keys' bytes. */
    static List<KvPair> list(State state, String prefix) {
        return state.table(PAIRS).below(prefix);
    }

    /** The key's ModifyIndex; the store's index while it is absent. */
    static long keyIndex(State state, String key) {
        KvPair pair = get(state, key);
        return pair == null ? storeIndex(state) : pair.modifyIndex();
    }

    /**
     * The last change below the prefix; the store's index when nothing is there, or when the prefix
     * is all.
     */
    static long treeIndex(State state, String prefix) {
        List<KvPair> pairs = list(state, prefix);
        if (prefix.isEmpty() || pairs.isEmpty()) {
            return storeIndex(state);
        }
        long last = state.index(REAPED);
        for (KvPair pair : pairs) {
            last = Math.max(last, pair.modifyIndex());
        }
        for (Tombstone tombstone : state.table(TOMBSTONES).below(prefix)) {
            last = Math.max(last, tombstone.index());
        }
        return last;
    }

    private static long storeIndex(State state) {
        return Math.max(state.index(KVS), state.index(DELETIONS));
    }

    /**
     * True when a tombstone is older than {@code ttlMillis} at {@code time}, or a lock-delay over.
     */
    public static boolean hasExpired(State state, long time, long ttlMillis) {
        return state.table(TOMBSTONES).rows().values().stream()
                        .anyMatch(tombstone -> tombstone.time() + ttlMillis <= time)
                || state.table(DELAYS).rows().values().stream()
                        .anyMatch(delay -> delay.until() <= time);
    }

    /** Whether nobody may acquire the key yet, though nobody holds it. */
    public static boolean isDelayed(Tx tx, String key) {
        LockDelay delay = tx.get(DELAYS, key);
        KvPair pair = get(tx, key);
        return delay != null
                && tx.time() < delay.until()
                && (pair == null || pair.session() == null);
    }

    public static @Nullable KvPair get(Tx tx, String key) {
        return tx.get(PAIRS, key);
    }

    /** Like {@link #list(State, String)}. */
    public static List<KvPair> list(Tx tx, String prefix) {
        return tx.table(PAIRS).below(prefix);
    }

    // Changes.

    private static long until(@Nullable LockDelay delay) {
        return delay == null ? 0 : delay.until();
    }

    /** A lock that has another holder than before the restore has been taken once more. */
    private static KvPair carry(
            KvPair pair, Supplier<@Nullable KvPair> replaced, TableDef.Carriage into) {
        KvPair here = replaced.get();
        long locks = pair.lockIndex();
        if (here != null && here.lockIndex() >= locks) {
            boolean taken =
                    pair.session() != null
                            && !(pair.session().equals(here.session())
                                    && here.lockIndex() == locks);
            locks = here.lockIndex() + (taken ? 1 : 0);
        }
        return new KvPair(
                locks,
                pair.key(),
                pair.flags(),
                pair.value(),
                pair.session(),
                pair.createIndex(),
                into.index());
    }

    /** See {@link KvOp.Write}. */
    public static boolean write(Tx tx, KvWrite write) {
        KvPair before = tx.get(PAIRS, write.key());
        return switch (write.verb()) {
            case SET -> set(tx, write, before);
            case CAS -> holds(write, before) && set(tx, write, before);
            case LOCK -> lock(tx, write, before);
            case UNLOCK ->
                    before != null
                            && before.session() != null
                            && before.session().equals(write.session())
                            && put(tx, write, before, before.lockIndex(), null);
            case DELETE -> before == null || delete(tx, before);
            case DELETE_CAS ->
                    before == null || (before.modifyIndex() == write.index() && delete(tx, before));
            case DELETE_TREE -> deleteTree(tx, write.key());
        };
    }

    /** Index 0 means that the key must be absent. */
    private static boolean holds(KvWrite write, @Nullable KvPair before) {
        return write.index() == 0
                ? before == null
                : before != null && before.modifyIndex() == write.index();
    }

    private static boolean lock(Tx tx, KvWrite write, @Nullable KvPair before) {
        String session = write.session();
        if (session == null || !SessionTable.lives(tx, session)) {
            throw ApiException.refused("invalid session \"" + session + "\"");
        }
        if (before != null && before.session() != null) {
            return before.session().equals(session)
                    && put(tx, write, before, before.lockIndex(), session);
        }
        LockDelay delay = tx.get(DELAYS, write.key());
        if (delay != null && tx.time() < delay.until()) {
            return false;
        }
        if (delay != null) {
            tx.delete(DELAYS, write.key());
        }
        return put(tx, write, before, before == null ? 1 : before.lockIndex() + 1, session);
    }

    /** The session has ended: what it held is free once its lock-delay is over. */
    public static void letGo(Tx tx, Session session) {
        long delay =
                Math.min(
                        MAX_DELAY_MILLIS,
                        Math.ceilDiv(Math.max(0, session.lockDelay()), NANOS_PER_MILLI));
        for (KvPair pair : List.copyOf(tx.table(PAIRS).group(BY_SESSION, session.id()).values())) {
            if (delay > 0) {
                tx.put(DELAYS, new LockDelay(pair.key(), tx.time() + delay));
            }
            if (session.behavior().equals(Session.DELETE)) {
                delete(tx, pair);
                continue;
            }
            tx.put(
                    PAIRS,
                    new KvPair(
                            pair.lockIndex(),
                            pair.key(),
                            pair.flags(),
                            pair.value(),
                            null,
                            pair.createIndex(),
                            tx.index()));
            tx.move(KVS);
            tx.wake(watchKey(pair.key()));
        }
    }

    /**
     * A plain write keeps the lock: its holder, and its count, which never falls while the key
     * lives.
     */
    private static boolean set(Tx tx, KvWrite write, @Nullable KvPair before) {
        return put(
                tx,
                write,
                before,
                before == null ? 0 : before.lockIndex(),
                before == null ? null : before.session());
    }

    private static boolean put(
            Tx tx,
            KvWrite write,
            @Nullable KvPair before,
            long lockIndex,
            @Nullable String session) {
        byte[] value = write.value() == null || write.value().length == 0 ? null : write.value();
        if (before != null
                && before.flags() == write.flags()
                && before.lockIndex() == lockIndex
                && Objects.equals(before.session(), session)
                && Arrays.equals(before.value(), value)) {
            return true;
        }
        tx.put(
                PAIRS,
                new KvPair(
                        lockIndex,
                        write.key(),
                        write.flags(),
                        value,
                        session,
                        before == null ? tx.index() : before.createIndex(),
                        tx.index()));
        tx.move(KVS);
        tx.wake(watchKey(write.key()));
        return true;
    }

    private static boolean delete(Tx tx, KvPair pair) {
        remove(tx, pair);
        bury(tx, pair.key());
        return true;
    }

    /** One tombstone stands for the tree. */
    private static boolean deleteTree(Tx tx, String prefix) {
        List<KvPair> pairs = tx.table(PAIRS).below(prefix);
        pairs.forEach(pair -> remove(tx, pair));
        if (!pairs.isEmpty()) {
            bury(tx, prefix);
        }
        return true;
    }

    private static void remove(Tx tx, KvPair pair) {
        tx.delete(PAIRS, pair.key());
        tx.wake(watchKey(pair.key()));
    }

    private static void bury(Tx tx, String key) {
        tx.put(TOMBSTONES, new Tombstone(key, tx.index(), tx.time()));
        tx.move(DELETIONS);
    }

    static int reap(Tx tx, long ttlMillis) {
        List<Tombstone> old =
                tx.table(TOMBSTONES).rows().values().stream()
                        .filter(tombstone -> tombstone.time() + ttlMillis <= tx.time())
                        .toList();
        long last = tx.index(REAPED);
        for (Tombstone tombstone : old) {
            tx.delete(TOMBSTONES, tombstone.key());
            last = Math.max(last, tombstone.index());
        }
        if (!old.isEmpty()) {
            tx.renumber(REAPED, last);
        }
        List.copyOf(tx.table(DELAYS).rows().values()).stream()
                .filter(delay -> delay.until() <= tx.time())
                .forEach(delay -> tx.delete(DELAYS, delay.key()));
        return old.size();
    }
}
