package registry.server.health;

import java.util.Collection;
import org.jspecify.annotations.Nullable;
import registry.api.HealthCheck;
import registry.api.Node;
import registry.server.catalog.CatalogTable;
import registry.server.catalog.Instance;
import registry.server.state.Row;
import registry.server.state.State;

/** Instances joined with their node and the checks that count for them. */
final class HealthTable {
    /** One instance; {@code nodeChecks} count before {@code ownChecks}. */
    record Entry(
            Row<Node> node,
            Instance instance,
            Collection<Row<HealthCheck>> nodeChecks,
            Collection<Row<HealthCheck>> ownChecks) {
        boolean passing() {
            return passing(nodeChecks) && passing(ownChecks);
        }

        private static boolean passing(Collection<Row<HealthCheck>> checks) {
            for (Row<HealthCheck> check : checks) {
                if (!check.value().status().equals(HealthCheck.PASSING)) {
                    return false;
                }
            }
            return true;
        }
    }

    private HealthTable() {}

    /** Null when the node is not there, which a state never shows. */
    static @Nullable Entry entry(State state, Instance instance) {
        Row<Node> node = state.table(CatalogTable.NODES).get(instance.node());
        return node == null
                ? null
                : new Entry(
                        node,
                        instance,
                        CatalogTable.nodeChecks(state, instance),
                        CatalogTable.ownChecks(state, instance));
    }
}
