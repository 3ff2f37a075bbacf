package registry.server.txn;

import registry.api.Txn;
import registry.api.TxnResult;
import registry.server.state.Op;
import registry.server.state.Tx;

/** Does transactions that write. */
public sealed interface TxnOp extends Op {
    /**
     * All steps or none; its result says what they have read and written, or what is in the way.
     */
    record Apply(Txn txn) implements TxnOp {
        @Override
        public TxnResult apply(Tx tx) {
            return TxnSteps.run(tx, txn);
        }
    }
}
