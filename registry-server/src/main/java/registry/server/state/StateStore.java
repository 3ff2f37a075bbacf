package registry.server.state;

import java.util.concurrent.atomic.AtomicReference;

/**
 * The present state. The thread that applies commands is the only writer; readers take the
 * reference once and never wait.
 */
public final class StateStore {
    private final AtomicReference<State> current = new AtomicReference<>(State.empty());
    private final Watches watches;

    public StateStore(Watches watches) {
        this.watches = watches;
    }

    public State current() {
        return current.get();
    }

    public Watches watches() {
        return watches;
    }

    /**
     * Makes the transaction's state the present one, then wakes who watches what it changed; in
     * that order.
     */
    public void commit(Tx tx) {
        current.set(tx.after());
        if (tx.isReplaced()) {
            watches.wakeAll();
        } else {
            watches.fire(tx.paths());
        }
    }

    /** A command that changed nothing: only the position in the log and the time go on. */
    public void skip(Tx refused) {
        State now = current.get();
        current.set(
                new State(
                        now.base(),
                        refused.position(),
                        refused.time(),
                        now.tables(),
                        now.indexes()));
    }

    /** Replaces everything, and wakes everybody. */
    public void replace(State state) {
        current.set(state);
        watches.wakeAll();
    }
}
