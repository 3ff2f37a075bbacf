package registry.server.catalog;

import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;
import registry.api.ApiException;
import registry.api.CatalogRegistration;
import registry.api.HealthCheck;
import registry.api.Node;
import registry.api.NodeService;
import registry.server.state.Keys;
import registry.server.state.Row;
import registry.server.state.Tx;

/** The single steps that transactions make of the catalogue. */
public final class CatalogSteps {
    private CatalogSteps() {}

    // Before the log.

    /** A node with its defaults, as a registration would have it. */
    public static Node complete(Node node, String datacenter) {
        CatalogEndpoint.checkNode(node.node(), node.id(), node.meta());
        return new Node(
                Keys.fold(node.id()),
                node.node(),
                node.address(),
                node.datacenter().isEmpty() ? datacenter : node.datacenter(),
                node.taggedAddresses(),
                node.meta(),
                0,
                node.modifyIndex());
    }

    /** An instance with its defaults; keeps the ModifyIndex to compare with. */
    public static NodeService complete(String node, NodeService service) {
        return CatalogTable.withIndexes(
                CatalogEndpoint.complete(node, service), 0, service.modifyIndex());
    }

    /**
     * A check with its defaults, but for the type that a registration would derive; keeps the
     * ModifyIndex to compare with.
     */
    public static HealthCheck complete(HealthCheck check) {
        HealthCheck complete = CatalogEndpoint.complete(check.node(), check);
        return new HealthCheck(
                complete.node(),
                complete.checkId(),
                complete.name(),
                complete.status(),
                complete.notes(),
                complete.output(),
                complete.serviceId(),
                "",
                List.of(),
                check.type(),
                complete.definition(),
                0,
                check.modifyIndex());
    }

    // Upon the log.

    /** The node of the id, when one is given, else of the name. */
    public static @Nullable Node node(Tx tx, Node wanted) {
        if (wanted.id().isEmpty()) {
            Row<Node> named = tx.get(CatalogTable.NODES, Keys.fold(wanted.node()));
            return named == null ? null : named.value();
        }
        Collection<Row<Node>> holders =
                tx.table(CatalogTable.NODES)
                        .group(CatalogTable.BY_ID, Keys.fold(wanted.id()))
                        .values();
        return holders.isEmpty() ? null : holders.iterator().next().value();
    }

    public static void put(Tx tx, Node node) {
        CatalogTable.ensureNode(
                tx,
                new CatalogRegistration(
                        node.datacenter(),
                        node.id(),
                        node.node(),
                        node.address(),
                        node.taggedAddresses(),
                        node.meta(),
                        null,
                        List.of(),
                        false));
    }

    /** Removes a node with all it carries; null is removed already. */
    public static void deleteNode(Tx tx, @Nullable Node node) {
        if (node != null) {
            CatalogTable.deleteNode(tx, Keys.fold(node.node()));
        }
    }

    public static @Nullable NodeService service(Tx tx, String node, String id) {
        Instance instance = instance(tx, node, id);
        return instance == null ? null : instance.service();
    }

    private static @Nullable Instance instance(Tx tx, String node, String id) {
        return tx.get(CatalogTable.INSTANCES, Keys.join(Keys.fold(node), Keys.fold(id)));
    }

    public static void put(Tx tx, String node, NodeService service) {
        requireNode(tx, node);
        CatalogTable.ensureInstance(tx, node, service);
    }

    /** Removes an instance with its checks, if it is there. */
    public static void deleteService(Tx tx, String node, String id) {
        Instance instance = instance(tx, node, id);
        if (instance != null) {
            CatalogTable.deleteInstance(tx, instance);
        }
    }

    public static @Nullable HealthCheck check(Tx tx, String node, String id) {
        Row<HealthCheck> row =
                tx.get(CatalogTable.CHECKS, Keys.join(Keys.fold(node), Keys.fold(id)));
        return row == null ? null : row.value();
    }

    public static void put(Tx tx, HealthCheck check) {
        requireNode(tx, check.node());
        CatalogTable.ensureCheck(tx, check.node(), check);
    }

    /** Removes a check; null is removed already. */
    public static void deleteCheck(Tx tx, @Nullable HealthCheck check) {
        if (check != null) {
            CatalogTable.deleteCheck(tx, check);
        }
    }

    private static void requireNode(Tx tx, String node) {
        if (tx.get(CatalogTable.NODES, Keys.fold(node)) == null) {
            throw ApiException.refused("Missing node registration");
        }
    }
}
