package registry.server.kv;

import registry.api.KvWrite;
import registry.server.state.Op;
import registry.server.state.Tx;

/** What changes the key-value store. */
public sealed interface KvOp extends Op {
    /**
     * One write; its result says whether the key was written, and is true for a deletion without a
     * condition.
     */
    record Write(KvWrite write) implements KvOp {
        @Override
        public Boolean apply(Tx tx) {
            return KvTable.write(tx, write);
        }
    }

    /** Forgets deletions older than {@code ttlMillis}; its result is how many. */
    record Reap(long ttlMillis) implements KvOp {
        @Override
        public Integer apply(Tx tx) {
            return KvTable.reap(tx, ttlMillis);
        }
    }
}
