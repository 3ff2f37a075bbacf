package registry.server.fsm;

import java.util.List;
import registry.api.HealthCheck;
import registry.api.Node;
import registry.server.catalog.CatalogTable;
import registry.server.kv.KvTable;
import registry.server.query.QueryTable;
import registry.server.session.LiveSession;
import registry.server.session.SessionTable;
import registry.server.state.Row;
import registry.server.state.Tx;

/**
 * What a command brings about beyond its own rows, in the same step: with a node or a check go the
 * sessions bound to it, with a session its locks and the prepared queries bound to it.
 */
final class Cascade {
    private Cascade() {}

    static void follow(Tx tx) {
        if (tx.table(SessionTable.SESSIONS).rows().isEmpty() && tx.deletions().isEmpty()) {
            return;
        }
        for (Tx.Placed<?> placed : List.copyOf(tx.placed())) {
            if (placed.table() == CatalogTable.CHECKS) {
                HealthCheck check = (HealthCheck) ((Row<?>) placed.row()).value();
                if (check.status().equals(HealthCheck.CRITICAL)) {
                    SessionTable.checkLost(tx, check);
                }
            }
        }
        for (Tx.Deletion<?> deletion : List.copyOf(tx.deletions())) {
            if (deletion.table() == CatalogTable.CHECKS) {
                SessionTable.checkLost(tx, (HealthCheck) ((Row<?>) deletion.row()).value());
            } else if (deletion.table() == CatalogTable.NODES) {
                SessionTable.nodeGone(tx, ((Node) ((Row<?>) deletion.row()).value()).node());
            }
        }
        // Only now is it known which sessions have ended.
        for (Tx.Deletion<?> deletion : List.copyOf(tx.deletions())) {
            if (deletion.row() instanceof LiveSession ended) {
                KvTable.letGo(tx, ended.session());
                QueryTable.sessionEnded(tx, ended.session().id());
            }
        }
    }
}
