package registry.server.snapshot;

import java.util.Arrays;
import registry.server.state.Op;
import registry.server.state.Tx;

/** How an archive becomes the state. */
public sealed interface RestoreOp extends Op {
    /** The next piece of an archive; again is the same. */
    record Stage(String restore, int part, byte[] bytes) implements RestoreOp {
        @Override
        public Boolean apply(Tx tx) {
            return RestoreTable.stage(tx, restore, part, bytes);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Stage(String id, int number, byte[] content)
                    && id.equals(restore)
                    && number == part
                    && Arrays.equals(content, bytes);
        }

        @Override
        public int hashCode() {
            return 31 * restore.hashCode() + part;
        }
    }

    /** The archive of so many pieces takes the place of the state. */
    record Commit(String restore, int parts) implements RestoreOp {
        @Override
        public Boolean apply(Tx tx) {
            return RestoreTable.commit(tx, restore, parts);
        }
    }

    /** Forgets the pieces; its result says whether there were any. */
    record Drop(String restore) implements RestoreOp {
        @Override
        public Boolean apply(Tx tx) {
            return RestoreTable.drop(tx, restore);
        }
    }
}
