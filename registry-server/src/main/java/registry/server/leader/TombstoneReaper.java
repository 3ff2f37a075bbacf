package registry.server.leader;

import java.time.Duration;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.server.kv.KvOp;
import registry.server.kv.KvTable;
import registry.server.rpc.Proposer;
import registry.server.state.StateStore;

/** Proposes to forget deletions older than the TTL, all that are due in one command. */
public final class TombstoneReaper implements LeaderLoop.Duty {
    private static final Logger log = LoggerFactory.getLogger(TombstoneReaper.class);
    private static final Duration INTERVAL = Duration.ofSeconds(30);

    private final StateStore store;
    private final Proposer proposer;
    private final LongSupplier time;
    private final long ttlMillis;

    /**
     * @param time the time of new commands; the state machine judges by the command's own
     */
    public TombstoneReaper(StateStore store, Proposer proposer, LongSupplier time, Duration ttl) {
        this.store = store;
        this.proposer = proposer;
        this.time = time;
        this.ttlMillis = ttl.toMillis();
    }

    @Override
    public void run(long term) {
        if (KvTable.hasExpired(store.current(), time.getAsLong(), ttlMillis)) {
            Object reaped = proposer.propose(new KvOp.Reap(ttlMillis));
            log.debug("tombstones reaped: count={}", reaped);
        }
    }

    @Override
    public Duration interval() {
        return INTERVAL;
    }

    @Override
    public String toString() {
        return "tombstones";
    }
}
