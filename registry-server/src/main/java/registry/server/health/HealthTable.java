package registry.server.health;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;
import registry.api.HealthCheck;
import registry.api.Node;
import registry.server.catalog.CatalogTable;
import registry.server.catalog.Instance;
import registry.server.filter.Schema;
import registry.server.filter.Schemas;
import registry.server.rpc.Body;
import registry.server.state.Row;
import registry.server.state.State;

/** Instances joined with their node and the checks that count for them. */
public final class HealthTable {
    private static final byte[] NODE = Body.member("Node");
    private static final byte[] SERVICE = Body.member("Service");
    private static final byte[] CHECKS = Body.member("Checks");

    /** One instance; {@code nodeChecks} count before {@code ownChecks}. */
    public record Entry(
            Row<Node> node,
            Instance instance,
            Collection<Row<HealthCheck>> nodeChecks,
            Collection<Row<HealthCheck>> ownChecks) {
        /** Those of the node first. */
        List<HealthCheck> checks() {
            List<HealthCheck> all = new ArrayList<>(nodeChecks.size() + ownChecks.size());
            nodeChecks.forEach(row -> all.add(row.value()));
            ownChecks.forEach(row -> all.add(row.value()));
            return all;
        }

        /** As {@code health/service} shows it. */
        public void writeTo(Body body) {
            body.open('{').name(NODE).value(node.json());
            body.name(SERVICE).value(instance.row().json()).name(CHECKS).open('[');
            nodeChecks.forEach(check -> body.value(check.json()));
            ownChecks.forEach(check -> body.value(check.json()));
            body.close(']').close('}');
        }

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

    /** What filters of {@code health/service} may ask. */
    static final Schema<Entry> SCHEMA =
            Schema.<Entry>builder()
                    .one("Node", entry -> entry.node().value(), Schemas.NODE)
                    .one("Service", entry -> entry.instance().service(), Schemas.NODE_SERVICE)
                    .many("Checks", Entry::checks, Schemas.CHECK)
                    .build();

    private HealthTable() {}

    /** Null when the node is not there, which a state never shows. */
    public static @Nullable Entry entry(State state, Instance instance) {
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
