package registry.server.leader;

import java.time.Duration;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.server.rpc.Proposer;
import registry.server.snapshot.RestoreOp;
import registry.server.snapshot.RestoreTable;
import registry.server.state.StateStore;

/** Forgets restores whose pieces have ceased to come. */
public final class RestoreReaper implements LeaderLoop.Duty {
    private static final Logger log = LoggerFactory.getLogger(RestoreReaper.class);
    private static final Duration INTERVAL = Duration.ofSeconds(30);

    private final StateStore store;
    private final Proposer proposer;
    private final LongSupplier time;

    /**
     * @param time the time of new commands
     */
    public RestoreReaper(StateStore store, Proposer proposer, LongSupplier time) {
        this.store = store;
        this.proposer = proposer;
        this.time = time;
    }

    @Override
    public void run(long term) {
        String abandoned = RestoreTable.abandoned(store.current(), time.getAsLong());
        if (abandoned != null) {
            proposer.propose(new RestoreOp.Drop(abandoned));
            log.info("a restore was given up: id={}", abandoned);
        }
    }

    @Override
    public Duration interval() {
        return INTERVAL;
    }

    @Override
    public String toString() {
        return "restores";
    }
}
