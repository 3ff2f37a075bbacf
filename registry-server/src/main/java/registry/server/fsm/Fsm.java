package registry.server.fsm;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.api.ApiException;
import registry.server.catalog.CatalogTable;
import registry.server.coordinate.CoordinateTable;
import registry.server.kv.KvTable;
import registry.server.once.OnceTable;
import registry.server.operator.AutopilotTable;
import registry.server.query.QueryTable;
import registry.server.raft.Applier;
import registry.server.session.SessionTable;
import registry.server.snapshot.RestoreTable;
import registry.server.state.Op;
import registry.server.state.State;
import registry.server.state.StateCodec;
import registry.server.state.StateStore;
import registry.server.state.TableDef;
import registry.server.state.Tx;

/**
 * Applies commands one by one to the state. Knows neither clock nor randomness while it does: the
 * same commands make the same state on every server.
 *
 * <p>As a leader it also says what time it is for new commands: the time of the state it took over
 * and what its monotonic clock has counted since.
 */
public final class Fsm implements Applier {
    private static final Logger log = LoggerFactory.getLogger(Fsm.class);

    /** All tables there are. */
    public static final List<TableDef<?>> TABLES =
            List.of(
                    CatalogTable.NODES,
                    CatalogTable.INSTANCES,
                    CatalogTable.CHECKS,
                    KvTable.PAIRS,
                    KvTable.TOMBSTONES,
                    OnceTable.CLIENTS,
                    AutopilotTable.CONFIG,
                    QueryTable.QUERIES,
                    CoordinateTable.COORDINATES,
                    KvTable.DELAYS,
                    SessionTable.SESSIONS,
                    RestoreTable.PARTS);

    private record Leadership(long term, long stateMillis, long sinceNanos) {}

    private final StateStore store;
    private final StateCodec codec = new StateCodec(TABLES);
    private final LongSupplier nanoTime;
    private final Runnable roleChanged;
    private final Runnable stateReplaced;
    private final Consumer<String> halt;
    private final Consumer<Tx> aftermath;

    /** Ops of this process on their way through the log, by the very array that will come back. */
    private final Map<byte[], Op> proposed = new ConcurrentHashMap<>();

    private volatile @Nullable Leadership leadership;

    /**
     * @param nanoTime the monotonic clock
     * @param roleChanged told when this server begins or ceases to lead; must not block
     * @param stateReplaced told before another history's state is shown
     * @param halt stops the process, with a line that says why
     */
    public Fsm(
            StateStore store,
            LongSupplier nanoTime,
            Runnable roleChanged,
            Runnable stateReplaced,
            Consumer<String> halt) {
        this(store, nanoTime, roleChanged, stateReplaced, halt, Cascade::follow);
    }

    /**
     * @param aftermath what commands bring about beyond their own rows
     */
    Fsm(
            StateStore store,
            LongSupplier nanoTime,
            Runnable roleChanged,
            Runnable stateReplaced,
            Consumer<String> halt,
            Consumer<Tx> aftermath) {
        this.aftermath = aftermath;
        this.store = store;
        this.nanoTime = nanoTime;
        this.roleChanged = roleChanged;
        this.stateReplaced = stateReplaced;
        this.halt = halt;
    }

    @Override
    public Object apply(long index, byte[] command) {
        String unreadable = Command.unreadable(command);
        if (!unreadable.isEmpty()) {
            // Skipping it would make another state than on the servers that understand it.
            String line = "command " + index + " cannot be read: " + unreadable;
            halt.accept(line);
            throw new IllegalStateException(line);
        }
        State before = store.current();
        var tx = new Tx(before, before.base() + index, Command.time(command), TABLES, aftermath);
        Object result = result(tx, command);
        if (result instanceof ApiException) {
            store.skip(tx);
        } else {
            store.commit(tx);
        }
        return result;
    }

    private Object result(Tx tx, byte[] command) {
        try {
            Object result = op(command).apply(tx);
            tx.settle();
            return result;
        } catch (ApiException refusal) {
            return refusal;
        } catch (RuntimeException e) {
            // A defect, but the same one on every server: the state stays as it was everywhere.
            log.error("command failed: index={}", tx.index(), e);
            return new ApiException(ApiException.Kind.INTERNAL, e.toString(), e);
        }
    }

    private Op op(byte[] command) {
        Op ready = proposed.remove(command);
        if (ready == null) {
            return Command.op(command);
        }
        // The other servers decode it, and must come to the same state.
        assert Command.says(command, ready) : "decoded, it is another op: " + ready;
        return ready;
    }

    /** {@code op} is what {@code command} says; nobody changes anything in it from now on. */
    void proposed(byte[] command, Op op) {
        proposed.put(command, op);
    }

    /** The command has been applied, or will be without help. */
    void forget(byte[] command) {
        proposed.remove(command);
    }

    /** How many ops lie ready. */
    int underWay() {
        return proposed.size();
    }

    @Override
    public Snapshot snapshot() {
        State kept = store.current();
        return out -> codec.write(kept, out);
    }

    @Override
    public void load(InputStream in) throws IOException {
        State state = codec.read(in);
        stateReplaced.run();
        store.replace(state);
    }

    @Override
    public void leading(long term) {
        leadership = new Leadership(term, store.current().time(), nanoTime.getAsLong());
        roleChanged.run();
    }

    @Override
    public void following() {
        leadership = null;
        roleChanged.run();
    }

    /** The term this server leads in; 0 while it does not lead. */
    public long leadingTerm() {
        Leadership now = leadership;
        return now == null ? 0 : now.term;
    }

    /** The time for a new command, in milliseconds, see {@link State#time}. */
    public long time() {
        Leadership now = leadership;
        return now == null
                ? store.current().time()
                : now.stateMillis + (nanoTime.getAsLong() - now.sinceNanos) / 1_000_000;
    }
}
