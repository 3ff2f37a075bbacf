package registry.server.leader;

import java.time.Duration;
import java.util.List;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.server.rpc.Proposer;
import registry.server.session.SessionOp;
import registry.server.session.SessionTable;
import registry.server.state.StateStore;

/**
 * Proposes to end sessions whose time is up. The state machine judges by the command's own time, so
 * that a renewal on its way through the log counts. A term begins with a full time for all.
 */
public final class SessionTimers implements LeaderLoop.Duty {
    private static final Logger log = LoggerFactory.getLogger(SessionTimers.class);

    /** A session created meanwhile can't be due before this has passed many times. */
    private static final long LONGEST_MILLIS = 1_000;

    private static final long SHORTEST_MILLIS = 5;

    private final StateStore store;
    private final Proposer proposer;
    private final LongSupplier time;
    private long begun;

    /**
     * @param time the time of new commands
     */
    public SessionTimers(StateStore store, Proposer proposer, LongSupplier time) {
        this.store = store;
        this.proposer = proposer;
        this.time = time;
    }

    @Override
    public void run(long term) {
        if (begun != term) {
            if (SessionTable.nextDeadline(store.current()).isPresent()) {
                proposer.propose(new SessionOp.Restart(term));
            }
            begun = term;
        }
        List<String> due = SessionTable.due(store.current(), time.getAsLong());
        if (!due.isEmpty()) {
            Object ended = proposer.propose(new SessionOp.Expire(due));
            log.info("sessions expired: count={}", ended);
        }
    }

    @Override
    public Duration interval() {
        long next = SessionTable.nextDeadline(store.current()).orElse(Long.MAX_VALUE);
        long wait = next - time.getAsLong();
        return Duration.ofMillis(Math.clamp(wait, SHORTEST_MILLIS, LONGEST_MILLIS));
    }

    @Override
    public String toString() {
        return "sessions";
    }
}
