package registry.server.raft;

import com.alipay.sofa.jraft.conf.Configuration;
import com.alipay.sofa.jraft.conf.ConfigurationEntry;
import com.alipay.sofa.jraft.conf.ConfigurationManager;
import com.alipay.sofa.jraft.entity.EnumOutter.EntryType;
import com.alipay.sofa.jraft.entity.LogEntry;
import com.alipay.sofa.jraft.entity.LogId;
import com.alipay.sofa.jraft.entity.codec.v2.V2Decoder;
import com.alipay.sofa.jraft.entity.codec.v2.V2Encoder;
import com.alipay.sofa.jraft.option.LogStorageOptions;
import com.alipay.sofa.jraft.storage.LogStorage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.WriteBatch;
import registry.server.storage.NodeStore;

/**
 * What Raft must never lose, besides the {@link Ballot}: the log (family LOG, index as 8 bytes
 * big-endian to entry) and, in family META, the log's first index and two names. The raft id is
 * made together with this store and dies with it: a voter that was wiped is another one and can't
 * vote twice. The cluster id tells clusters apart that meet.
 *
 * <p>Every append is one synced batch; whatever fails to be written halts the process ({@link
 * NodeStore}). One thread writes the log, any thread reads it.
 *
 * <p>An entry is kind (1 byte), term (8) and the command, or kind and the engine's own form for
 * what is not a command.
 */
final class RaftStore implements LogStorage {
    private static final byte COMMAND = 1;
    private static final byte OTHER = 2;
    private static final int COMMAND_HEAD = 9;

    private static final byte[] RAFT_ID = utf8("raft_id");
    private static final byte[] CLUSTER_ID = utf8("cluster_id");
    private static final byte[] FOUNDERS = utf8("founders");
    private static final byte[] FIRST_INDEX = utf8("first_index");
    private static final byte[] ADDRESSES = utf8("addresses");
    private static final int NODE_MARK_CHARS = 16;

    /** Entries that are read at once when somebody reads one after the other, as a restart does. */
    private static final int READ_AHEAD = 128;

    /** The newest entries are kept at hand, so many, unless they are larger than this. */
    private static final int RECENT = 256;

    private static final int RECENT_BYTES = 2048;

    /** Ends every message about damage here. */
    static final String WHAT_TO_DO =
            "restore the data directory from a copy, or move it away to start empty (one server of"
                    + " several then fetches all from the others); nothing was changed";

    private record Recent(long index, byte[] value) {}

    private final NodeStore store;
    private final ColumnFamilyHandle log;
    private final ColumnFamilyHandle meta;
    private final String raftId;
    private final ArrayDeque<LogEntry> ahead = new ArrayDeque<>();

    /**
     * By index modulo their number, in the form they are written in. The engine asks for the term
     * of those it has just given away, and sends them to whoever is a little behind.
     */
    private final AtomicReferenceArray<@Nullable Recent> recent =
            new AtomicReferenceArray<>(RECENT);

    private final List<ConfigurationEntry> configurations = new ArrayList<>();
    private long lastRead;
    private volatile String clusterId;
    private volatile List<String> founders;
    private volatile boolean isNew;
    private volatile long first;
    private volatile long last;
    private volatile long keepFrom;

    private RaftStore(
            NodeStore store,
            String raftId,
            String clusterId,
            List<String> founders,
            boolean isNew) {
        this.store = store;
        this.log = store.family(NodeStore.LOG);
        this.meta = store.family(NodeStore.META);
        this.raftId = raftId;
        this.clusterId = clusterId;
        this.founders = founders;
        this.isNew = isNew;
    }

    /**
     * Opens the store; what is new here is durable with {@link #name}.
     *
     * @param node name of the node, which a new raft id begins with; see {@link #isOf}
     * @throws IOException when an entry of the log is damaged or missing; says which
     */
    static RaftStore open(NodeStore store, String node) throws IOException {
        byte[] id = store.get(NodeStore.META, RAFT_ID);
        byte[] cluster = store.get(NodeStore.META, CLUSTER_ID);
        byte[] list = store.get(NodeStore.META, FOUNDERS);
        RaftStore raft =
                new RaftStore(
                        store,
                        id == null ? newRaftId(node) : text(id),
                        cluster == null ? "" : text(cluster),
                        list == null || list.length == 0
                                ? List.of()
                                : List.of(text(list).split(",")),
                        id == null);
        raft.readLog();
        if (id == null && !raft.isEmpty()) {
            throw new IOException("there is a Raft log, but whose it is, is lost; " + WHAT_TO_DO);
        }
        return raft;
    }

    private static String newRaftId(String node) {
        return nodeMark(node)
                + UUID.randomUUID().toString().replace("-", "").substring(NODE_MARK_CHARS);
    }

    private static String nodeMark(String node) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-256")
                            .digest(utf8(node.toLowerCase(Locale.ROOT)));
            return HexFormat.of().formatHex(digest).substring(0, NODE_MARK_CHARS);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * True when the raft id was made on a node of that name: half of it is chance, half stands for
     * the name, so that a cluster's members tell whose predecessor is replaced by a newcomer.
     */
    static boolean isOf(String raftId, String node) {
        return raftId.startsWith(nodeMark(node));
    }

    /** True until {@link #name}: nothing was ever written here. */
    boolean isNew() {
        return isNew;
    }

    String raftId() {
        return raftId;
    }

    /** Empty text until this server belongs to a cluster. */
    String clusterId() {
        return clusterId;
    }

    /** Raft ids of the voters that the cluster begins with; none in a store that joined later. */
    List<String> founders() {
        return founders;
    }

    /** Makes the raft id, the cluster id and the first voters durable, together. */
    void name(String cluster, List<String> voters) {
        try (var batch = new WriteBatch()) {
            batch.put(meta, RAFT_ID, utf8(raftId));
            batch.put(meta, CLUSTER_ID, utf8(cluster));
            batch.put(meta, FOUNDERS, utf8(String.join(",", voters)));
            store.write(batch, true);
        } catch (RocksDBException e) {
            throw store.halt("written", e);
        }
        clusterId = cluster;
        founders = List.copyOf(voters);
        isNew = false;
    }

    /** Where the others were last; empty when nobody has said. See {@link #keepAddresses}. */
    String addresses() {
        byte[] saved = store.get(NodeStore.META, ADDRESSES);
        return saved == null ? "" : text(saved);
    }

    /** A hint that may be lost or out of date. */
    void keepAddresses(String addresses) {
        store.put(NodeStore.META, ADDRESSES, utf8(addresses), false);
    }

    /**
     * Keeps the entries behind an older snapshot, whatever the engine gives free: they are what
     * makes it of use.
     */
    void keepFrom(long index) {
        keepFrom = index;
    }

    boolean isEmpty() {
        return last < first;
    }

    /** Reads all entries once, so that damage is found before anything is served. */
    private void readLog() throws IOException {
        byte[] saved = store.get(NodeStore.META, FIRST_INDEX);
        first = saved == null ? 1 : ByteBuffer.wrap(saved).getLong();
        last = first - 1;
        try (var options = scanning();
                var it = store.db().newIterator(log, options)) {
            for (it.seek(key(first)); it.isValid(); it.next()) {
                long index = ByteBuffer.wrap(it.key()).getLong();
                if (index != last + 1) {
                    throw damaged(last + 1, "it is missing, the next is " + index);
                }
                note(index, it.value());
                last = index;
            }
            it.status();
        } catch (RocksDBException e) {
            throw damaged(last + 1, e.getMessage());
        }
    }

    private void note(long index, byte[] value) throws IOException {
        if (value[0] == COMMAND) {
            return;
        }
        LogEntry entry = decode(index, value);
        if (entry == null) {
            throw damaged(index, "it can't be decoded");
        }
        if (entry.getType() == EntryType.ENTRY_TYPE_CONFIGURATION) {
            configurations.add(configuration(entry));
        }
    }

    private static IOException damaged(long index, @Nullable String why) {
        return new IOException(
                "entry %d of the Raft log is damaged: %s; %s".formatted(index, why, WHAT_TO_DO));
    }

    private static ConfigurationEntry configuration(LogEntry entry) {
        Configuration old =
                entry.getOldPeers() == null
                        ? new Configuration()
                        : new Configuration(entry.getOldPeers(), entry.getOldLearners());
        return new ConfigurationEntry(
                entry.getId().copy(),
                new Configuration(entry.getPeers(), entry.getLearners()),
                old);
    }

    @Override
    public boolean init(LogStorageOptions options) {
        ConfigurationManager manager = options.getConfigurationManager();
        configurations.forEach(manager::add);
        configurations.clear();
        return true;
    }

    /** The store belongs to the node, which closes it. */
    @Override
    public void shutdown() {}

    @Override
    public long getFirstLogIndex() {
        return first;
    }

    @Override
    public long getLastLogIndex() {
        return last;
    }

    @Override
    public @Nullable LogEntry getEntry(long index) {
        if (index < first || index > last) {
            return null;
        }
        Recent known = recent.get(slot(index));
        if (known != null && known.index == index) {
            return decode(index, known.value);
        }
        synchronized (ahead) {
            LogEntry next = ahead.peekFirst();
            if (next == null || next.getId().getIndex() != index) {
                ahead.clear();
                boolean inOrder = index == lastRead + 1;
                lastRead = index;
                if (!inOrder) {
                    return readOne(index);
                }
                readAhead(index);
            }
            lastRead = index;
            return ahead.pollFirst();
        }
    }

    private @Nullable LogEntry readOne(long index) {
        try {
            byte[] value = store.db().get(log, key(index));
            return value == null ? null : decode(index, value);
        } catch (RocksDBException e) {
            throw store.halt("read", e);
        }
    }

    private void readAhead(long from) {
        try (var options = scanning();
                RocksIterator it = store.db().newIterator(log, options)) {
            long index = from;
            for (it.seek(key(from));
                    it.isValid() && ahead.size() < READ_AHEAD && index <= last;
                    it.next()) {
                if (ByteBuffer.wrap(it.key()).getLong() != index) {
                    break;
                }
                LogEntry entry = decode(index, it.value());
                if (entry == null) {
                    break;
                }
                ahead.addLast(entry);
                index++;
            }
            it.status();
        } catch (RocksDBException e) {
            throw store.halt("read", e);
        }
    }

    @Override
    @Deprecated
    public long getTerm(long index) {
        LogEntry entry = getEntry(index);
        return entry == null ? 0 : entry.getId().getTerm();
    }

    @Override
    public boolean appendEntry(LogEntry entry) {
        return appendEntries(List.of(entry)) == 1;
    }

    @Override
    public int appendEntries(List<LogEntry> entries) {
        try (var batch = new WriteBatch()) {
            for (LogEntry entry : entries) {
                long index = entry.getId().getIndex();
                byte[] value = encode(entry);
                batch.put(log, key(index), value);
                // Not to be found before it counts as the last.
                recent.set(
                        slot(index),
                        value.length <= RECENT_BYTES ? new Recent(index, value) : null);
            }
            store.write(batch, true);
        } catch (RocksDBException e) {
            throw store.halt("written", e);
        }
        last = entries.getLast().getId().getIndex();
        return entries.size();
    }

    @Override
    public boolean truncatePrefix(long firstKept) {
        boolean contiguous = firstKept <= last + 1;
        long kept = contiguous && keepFrom > 0 ? Math.min(firstKept, keepFrom) : firstKept;
        if (kept > first) {
            rewrite(kept, batch -> batch.deleteRange(log, key(0), key(kept)));
            first = kept;
            last = Math.max(last, kept - 1);
            giveBack(kept);
        }
        return true;
    }

    @Override
    public boolean truncateSuffix(long lastKept) {
        rewrite(first, batch -> batch.deleteRange(log, key(lastKept + 1), key(Long.MAX_VALUE)));
        last = lastKept;
        return true;
    }

    @Override
    public boolean reset(long nextIndex) {
        rewrite(nextIndex, batch -> batch.deleteRange(log, key(0), key(Long.MAX_VALUE)));
        first = nextIndex;
        last = nextIndex - 1;
        return true;
    }

    private interface Change {
        void addTo(WriteBatch batch) throws RocksDBException;
    }

    private void rewrite(long firstIndex, Change change) {
        synchronized (ahead) {
            ahead.clear();
        }
        try (var batch = new WriteBatch()) {
            change.addTo(batch);
            batch.put(meta, FIRST_INDEX, key(firstIndex));
            store.write(batch, true);
        } catch (RocksDBException e) {
            throw store.halt("written", e);
        }
    }

    /**
     * Whole files go at once; what shares a file with kept entries goes when RocksDB compacts it.
     */
    private void giveBack(long firstKept) {
        try {
            store.db().deleteFilesInRanges(log, List.of(key(0), key(firstKept)), false);
        } catch (RocksDBException e) {
            throw store.halt("written", e);
        }
    }

    private static byte[] encode(LogEntry entry) {
        if (entry.getType() == EntryType.ENTRY_TYPE_DATA) {
            ByteBuffer command = entry.getData().duplicate();
            ByteBuffer out = ByteBuffer.allocate(COMMAND_HEAD + command.remaining());
            return out.put(COMMAND).putLong(entry.getId().getTerm()).put(command).array();
        }
        byte[] form = V2Encoder.INSTANCE.encode(entry);
        return ByteBuffer.allocate(1 + form.length).put(OTHER).put(form).array();
    }

    private static @Nullable LogEntry decode(long index, byte[] value) {
        ByteBuffer in = ByteBuffer.wrap(value);
        if (in.get() == COMMAND) {
            LogEntry entry = new LogEntry(EntryType.ENTRY_TYPE_DATA);
            entry.setId(new LogId(index, in.getLong()));
            entry.setData(in.slice());
            return entry;
        }
        byte[] form = new byte[in.remaining()];
        in.get(form);
        return V2Decoder.INSTANCE.decode(form);
    }

    /** Reading all does not push others out of the cache. */
    private static ReadOptions scanning() {
        return new ReadOptions().setFillCache(false);
    }

    private static int slot(long index) {
        return (int) (index % RECENT);
    }

    private static byte[] key(long index) {
        return ByteBuffer.allocate(Long.BYTES).putLong(index).array();
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte[] utf8) {
        return new String(utf8, StandardCharsets.UTF_8);
    }
}
