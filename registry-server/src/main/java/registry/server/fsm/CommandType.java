package registry.server.fsm;

import java.util.Arrays;
import java.util.Optional;
import registry.server.catalog.CatalogOp;
import registry.server.kv.KvOp;
import registry.server.once.OnceOp;
import registry.server.operator.AutopilotOp;
import registry.server.query.QueryOp;
import registry.server.session.SessionOp;
import registry.server.snapshot.RestoreOp;
import registry.server.state.Op;
import registry.server.txn.TxnOp;

/** The byte that stands for each kind of command in the log. Never reused, never renumbered. */
enum CommandType {
    CATALOG_REGISTER(1, CatalogOp.Register.class),
    CATALOG_DEREGISTER(2, CatalogOp.Deregister.class),
    KV_WRITE(3, KvOp.Write.class),
    KV_REAP(4, KvOp.Reap.class),
    QUERY_CREATE(12, QueryOp.Create.class),
    QUERY_UPDATE(13, QueryOp.Update.class),
    QUERY_DELETE(14, QueryOp.Delete.class),
    SESSION_CREATE(5, SessionOp.Create.class),
    SESSION_DESTROY(6, SessionOp.Destroy.class),
    SESSION_RENEW(7, SessionOp.Renew.class),
    SESSION_EXPIRE(8, SessionOp.Expire.class),
    SESSION_RESTART(9, SessionOp.Restart.class),
    TXN_APPLY(10, TxnOp.Apply.class),
    RESTORE_STAGE(15, RestoreOp.Stage.class),
    RESTORE_COMMIT(16, RestoreOp.Commit.class),
    RESTORE_DROP(17, RestoreOp.Drop.class),
    /** An envelope, see {@link Command}. */
    ONCE(20, OnceOp.class),
    AUTOPILOT_WRITE(19, AutopilotOp.Write.class),
    COORDINATES(25, CatalogOp.Locate.class);

    private final byte code;
    private final Class<? extends Op> op;

    CommandType(int code, Class<? extends Op> op) {
        this.code = (byte) code;
        this.op = op;
    }

    byte code() {
        return code;
    }

    Class<? extends Op> op() {
        return op;
    }

    static Optional<CommandType> of(byte code) {
        return Arrays.stream(values()).filter(type -> type.code == code).findFirst();
    }

    static CommandType of(Op op) {
        return Arrays.stream(values())
                .filter(type -> type.op == op.getClass())
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no command for " + op.getClass()));
    }
}
