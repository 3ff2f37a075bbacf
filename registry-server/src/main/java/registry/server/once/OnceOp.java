package registry.server.once;

import registry.server.state.Op;
import registry.server.state.Tx;

/**
 * A command that has its effect only the first time.
 *
 * @param part which of the commands of that write
 */
public record OnceOp(RequestId id, int part, Op op) implements Op {
    @Override
    public Object apply(Tx tx) {
        return OnceTable.apply(tx, this);
    }
}
