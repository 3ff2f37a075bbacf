package registry.server.catalog;

import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import registry.api.ApiException;
import registry.api.CatalogDeregistration;
import registry.api.CatalogRegistration;
import registry.api.HealthCheck;
import registry.api.Node;
import registry.api.NodeCoordinate;
import registry.api.NodeService;
import registry.api.json.Json;
import registry.server.coordinate.CoordinateTable;
import registry.server.state.Keys;
import registry.server.state.Row;
import registry.server.state.Shared;
import registry.server.state.State;
import registry.server.state.TableDef;
import registry.server.state.Tx;

/**
 * Nodes, instances and checks: their tables, and how a command changes them and their indexes. What
 * moves which index is told in docs/state.md. A write that changes nothing moves nothing.
 */
public final class CatalogTable {
    /** Nodes that have an id, by it. */
    static final TableDef.Grouping<Row<Node>> BY_ID =
            new TableDef.Grouping<>(
                    row -> row.value().id().isEmpty() ? null : Keys.fold(row.value().id()));

    /** Nodes by name. */
    public static final TableDef<Row<Node>> NODES =
            new TableDef<>(
                            "nodes",
                            String::compareTo,
                            row -> Keys.fold(row.value().node()),
                            List.of(BY_ID),
                            row -> Json.write(row.value()),
                            bytes -> new Row<>(Json.read(bytes, Node.class)))
                    .carriedBy(
                            (row, here, into) -> new Row<>(withIndex(row.value(), into.index())),
                            Scopes.NODES);

    /** Instances by service name. */
    public static final TableDef.Grouping<Instance> BY_NAME =
            new TableDef.Grouping<>(Instance::name);

    /** Instances by node and id. */
    public static final TableDef<Instance> INSTANCES =
            new TableDef<>(
                            "services",
                            String::compareTo,
                            Instance::key,
                            List.of(BY_NAME),
                            Instance::encode,
                            Instance::decode)
                    .carriedBy(
                            (row, here, into) ->
                                    new Instance(
                                            row.node(),
                                            row.key(),
                                            new Row<>(withIndex(row.service(), into.index()))),
                            Scopes.SERVICES,
                            Scopes.EXTINCTION);

    /** Checks by what they are bound to; those of a node itself have an empty service id. */
    static final TableDef.Grouping<Row<HealthCheck>> BY_INSTANCE =
            new TableDef.Grouping<>(row ->
                    Shared.of(
                            Keys.join(
                                    Keys.fold(row.value().node()),
                                    Keys.fold(row.value().serviceId()))));

    /** Checks of instances by service name. */
    static final TableDef.Grouping<Row<HealthCheck>> BY_SERVICE =
            new TableDef.Grouping<>(row ->
                    row.value().serviceId().isEmpty()
                            ? null
                            : Keys.fold(row.value().serviceName()));

    /** Checks by node and id. */
    public static final TableDef<Row<HealthCheck>> CHECKS =
            new TableDef<>(
                            "checks",
                            String::compareTo,
                            row -> checkKey(row.value().node(), row.value().checkId()),
                            List.of(BY_INSTANCE, BY_SERVICE),
                            row -> Json.write(row.value()),
                            CatalogTable::decodeCheck)
                    .carriedBy(
                            (row, here, into) -> new Row<>(withIndex(row.value(), into.index())),
                            Scopes.CHECKS);

    private CatalogTable() {}

    // Reads.

    /** The node of that name, in any case. */
    public static @Nullable Row<Node> node(State state, String name) {
        return state.table(NODES).get(Keys.fold(name));
    }

    /** The node of that name, in any case, or of that whole id. */
    public static @Nullable Row<Node> nodeByNameOrId(State state, String nameOrId) {
        Row<Node> named = node(state, nameOrId);
        if (named != null) {
            return named;
        }
        Collection<Row<Node>> identified =
                state.table(NODES).group(BY_ID, Keys.fold(nameOrId)).values();
        return identified.isEmpty() ? null : identified.iterator().next();
    }

    /** The instances on a node, by id. */
    public static List<Instance> instancesOn(State state, String node) {
        return state.table(INSTANCES).below(Keys.join(Keys.fold(node), ""));
    }

    /** The instances of a service, by node and id. */
    public static Collection<Instance> instancesOf(State state, String service) {
        return state.table(INSTANCES).group(BY_NAME, Keys.fold(service)).values();
    }

    /** A node's own checks and those of its instances, by id. */
    public static List<Row<HealthCheck>> checksOn(State state, String node) {
        return state.table(CHECKS).below(Keys.join(Keys.fold(node), ""));
    }

    /** The checks bound to a service's instances, by node and id. */
    public static Collection<Row<HealthCheck>> checksOf(State state, String service) {
        return state.table(CHECKS).group(BY_SERVICE, Keys.fold(service)).values();
    }

    /** The checks of an instance's node itself. */
    public static Collection<Row<HealthCheck>> nodeChecks(State state, Instance instance) {
        return state.table(CHECKS).group(BY_INSTANCE, Keys.join(instance.node(), "")).values();
    }

    /** The checks bound to an instance. */
    public static Collection<Row<HealthCheck>> ownChecks(State state, Instance instance) {
        return state.table(CHECKS).group(BY_INSTANCE, instance.key()).values();
    }

    // Changes.

    static void register(Tx tx, CatalogRegistration registration) {
        try {
            ensureNode(tx, registration);
        } catch (ApiException e) {
            throw ApiException.refused("failed inserting node: " + e.text());
        }
        NodeService service = registration.service();
        if (service != null) {
            ensureInstance(tx, registration.node(), service);
        }
        try {
            for (HealthCheck check : registration.checks()) {
                ensureCheck(tx, registration.node(), check);
            }
        } catch (ApiException e) {
            throw ApiException.refused("failed inserting check: " + e.text());
        }
    }

    static void ensureNode(Tx tx, CatalogRegistration r) {
        Row<Node> named = tx.get(NODES, Keys.fold(r.node()));
        if (named != null && r.skipNodeUpdate()) {
            return;
        }
        Node before = r.id().isEmpty() ? null : renamed(tx, r);
        if (before == null && named != null) {
            before = named.value();
        }
        Node node =
                new Node(
                        r.id(),
                        r.node(),
                        r.address(),
                        r.datacenter(),
                        r.taggedAddresses(),
                        r.nodeMeta(),
                        before == null ? tx.index() : before.createIndex(),
                        before == null ? tx.index() : before.modifyIndex());
        if (node.equals(before)) {
            return;
        }
        putNode(tx, withIndex(node, tx.index()));
        if (named != null && !named.value().node().equals(node.node())) {
            respell(tx, node.node());
        }
    }

    /**
     * The node that has the registration's id, if any. One of another name is renamed: it goes,
     * with all it carries, and the new name takes its place.
     */
    private static @Nullable Node renamed(Tx tx, CatalogRegistration r) {
        Collection<Row<Node>> holders = tx.table(NODES).group(BY_ID, Keys.fold(r.id())).values();
        Node holder = holders.isEmpty() ? null : holders.iterator().next().value();
        if (holder != null && Keys.fold(holder.node()).equals(Keys.fold(r.node()))) {
            return holder;
        }
        refuseReservedName(tx, r, holder == null);
        if (holder != null) {
            deleteNode(tx, Keys.fold(holder.node()));
        }
        return holder;
    }

    /** A name belongs to who has it while he is healthy; one without an id may be given an id. */
    private static void refuseReservedName(Tx tx, CatalogRegistration r, boolean newId) {
        Row<Node> row = tx.get(NODES, Keys.fold(r.node()));
        if (row == null) {
            return;
        }
        Node holder = row.value();
        Row<HealthCheck> serf = tx.get(CHECKS, checkKey(holder.node(), HealthCheck.SERF_HEALTH));
        boolean healthy = serf != null && !serf.value().status().equals(HealthCheck.CRITICAL);
        if (healthy && !(holder.id().isEmpty() && newId)) {
            throw ApiException.refused(
                    "Error while renaming Node ID: \"%s\": Node name %s is reserved by node %s with name %s (%s)"
                            .formatted(
                                    r.id(),
                                    r.node(),
                                    holder.id(),
                                    holder.node(),
                                    holder.address()));
        }
    }

    private static void putNode(Tx tx, Node node) {
        tx.put(NODES, new Row<>(node));
        tx.move(Scopes.NODES);
        tx.wake(Scopes.node(node.node()));
        for (String service : servicesOn(tx, Keys.fold(node.node()))) {
            tx.move(Scopes.service(service));
            tx.wake(Scopes.instances(service));
        }
    }

    /** Checks carry their node's name as text: it follows a change of case. */
    private static void respell(Tx tx, String node) {
        for (Row<HealthCheck> row : rowsBelow(tx, CHECKS, Keys.fold(node))) {
            HealthCheck check = row.value();
            putCheck(
                    tx,
                    new HealthCheck(
                            node,
                            check.checkId(),
                            check.name(),
                            check.status(),
                            check.notes(),
                            check.output(),
                            check.serviceId(),
                            check.serviceName(),
                            check.serviceTags(),
                            check.type(),
                            check.definition(),
                            check.createIndex(),
                            tx.index()));
        }
    }

    static void ensureInstance(Tx tx, String node, NodeService given) {
        String nodeKey = Keys.fold(node);
        Instance before = tx.get(INSTANCES, Keys.join(nodeKey, Keys.fold(given.id())));
        NodeService service =
                withIndexes(
                        given,
                        before == null ? tx.index() : before.service().createIndex(),
                        before == null ? tx.index() : before.service().modifyIndex());
        if (before != null && service.equals(before.service())) {
            return;
        }
        var instance =
                Instance.of(nodeKey, withIndexes(service, service.createIndex(), tx.index()));
        tx.put(INSTANCES, instance);
        tx.move(Scopes.SERVICES);
        tx.wake(Scopes.node(node));
        movedInstance(tx, given.service());
        if (before != null && !before.name().equals(instance.name())) {
            lostInstance(tx, before.name());
            renameInChecks(tx, instance);
        }
    }

    private static void movedInstance(Tx tx, String service) {
        tx.move(Scopes.service(service));
        tx.wake(Scopes.instances(service));
    }

    /**
     * An index goes with a service's last instance; what is left is the common index of all that
     * went.
     */
    private static void lostInstance(Tx tx, String service) {
        if (!tx.table(INSTANCES).group(BY_NAME, service).isEmpty()) {
            movedInstance(tx, service);
            return;
        }
        tx.renumber(Scopes.EXTINCTION, tx.index());
        tx.drop(Scopes.service(service));
        tx.wake(Scopes.instances(service));
    }

    /** Checks carry their service's name: it follows the instance to another name. */
    private static void renameInChecks(Tx tx, Instance instance) {
        var bound = tx.table(CHECKS).group(BY_INSTANCE, instance.key());
        for (Row<HealthCheck> row : List.copyOf(bound.values())) {
            tx.wake(Scopes.serviceChecks(row.value().serviceName()));
            putCheck(tx, bind(row.value(), instance.service(), tx.index()));
        }
    }

    static void ensureCheck(Tx tx, String node, HealthCheck given) {
        Row<HealthCheck> row = tx.get(CHECKS, checkKey(node, given.checkId()));
        HealthCheck before = row == null ? null : row.value();
        Instance instance = null;
        if (!given.serviceId().isEmpty()) {
            instance = tx.get(INSTANCES, Keys.join(Keys.fold(node), Keys.fold(given.serviceId())));
            if (instance == null) {
                throw ApiException.refused("Missing service registration on node \"" + node + "\"");
            }
        }
        HealthCheck check =
                bind(
                        new HealthCheck(
                                spelling(tx, node),
                                given.checkId(),
                                given.name(),
                                given.status().isEmpty() ? HealthCheck.CRITICAL : given.status(),
                                given.notes(),
                                given.output(),
                                given.serviceId(),
                                "",
                                List.of(),
                                given.type(),
                                given.definition(),
                                before == null ? tx.index() : before.createIndex(),
                                0),
                        instance == null ? null : instance.service(),
                        before == null ? tx.index() : before.modifyIndex());
        if (check.equals(before)) {
            return;
        }
        if (before != null && !Keys.fold(before.serviceId()).equals(Keys.fold(check.serviceId()))) {
            movedCheck(tx, before);
        }
        putCheck(tx, bind(check, instance == null ? null : instance.service(), tx.index()));
    }

    private static String spelling(Tx tx, String node) {
        Row<Node> row = tx.get(NODES, Keys.fold(node));
        return row == null ? node : row.value().node();
    }

    private static void putCheck(Tx tx, HealthCheck check) {
        tx.put(CHECKS, new Row<>(check));
        movedCheck(tx, check);
    }

    private static void movedCheck(Tx tx, HealthCheck check) {
        tx.move(Scopes.CHECKS);
        tx.wake(Scopes.nodeChecks(check.node()));
        if (!check.serviceId().isEmpty()) {
            tx.wake(Scopes.serviceChecks(check.serviceName()));
            tx.move(Scopes.service(check.serviceName()));
            return;
        }
        for (String service : servicesOn(tx, Keys.fold(check.node()))) {
            tx.move(Scopes.service(service));
        }
    }

    static void deregister(Tx tx, CatalogDeregistration target) {
        String node = Keys.fold(target.node());
        if (!target.serviceId().isEmpty()) {
            Instance instance = tx.get(INSTANCES, Keys.join(node, Keys.fold(target.serviceId())));
            if (instance != null) {
                deleteInstance(tx, instance);
            }
        } else if (!target.checkId().isEmpty()) {
            Row<HealthCheck> check = tx.get(CHECKS, checkKey(node, target.checkId()));
            if (check != null) {
                deleteCheck(tx, check.value());
            }
        } else if (tx.get(NODES, node) != null) {
            deleteNode(tx, node);
        }
    }

    /** Nodes that have gone meanwhile have no place. */
    static int locate(Tx tx, List<NodeCoordinate> coordinates) {
        int placed = 0;
        for (NodeCoordinate coordinate : coordinates) {
            if (tx.get(NODES, Keys.fold(coordinate.node())) != null) {
                CoordinateTable.put(tx, coordinate);
                placed++;
            }
        }
        return placed;
    }

    static void deleteNode(Tx tx, String node) {
        for (Instance instance : rowsBelow(tx, INSTANCES, node)) {
            deleteInstance(tx, instance);
        }
        for (Row<HealthCheck> check : rowsBelow(tx, CHECKS, node)) {
            deleteCheck(tx, check.value());
        }
        CoordinateTable.forget(tx, node);
        tx.delete(NODES, node);
        tx.move(Scopes.NODES);
        tx.wake(Scopes.node(node));
    }

    static void deleteInstance(Tx tx, Instance instance) {
        var bound = tx.table(CHECKS).group(BY_INSTANCE, instance.key());
        for (Row<HealthCheck> check : List.copyOf(bound.values())) {
            deleteCheck(tx, check.value());
        }
        tx.delete(INSTANCES, instance.key());
        tx.move(Scopes.SERVICES);
        tx.renumber(Scopes.CHECKS, tx.index());
        tx.wake(Scopes.node(instance.node()));
        lostInstance(tx, instance.name());
    }

    static void deleteCheck(Tx tx, HealthCheck check) {
        tx.delete(CHECKS, checkKey(check.node(), check.checkId()));
        movedCheck(tx, check);
        if (check.serviceId().isEmpty()) {
            // Consul moves the services' index here; no list of services has changed, so nobody is
            // woken.
            tx.renumber(Scopes.SERVICES, tx.index());
        }
    }

    private static Set<String> servicesOn(Tx tx, String nodeKey) {
        Set<String> names = new TreeSet<>();
        for (Instance instance : rowsBelow(tx, INSTANCES, nodeKey)) {
            names.add(instance.name());
        }
        return names;
    }

    private static <R> List<R> rowsBelow(Tx tx, TableDef<R> def, String nodeKey) {
        return tx.table(def).below(Keys.join(nodeKey, ""));
    }

    private static String checkKey(String node, String checkId) {
        return Keys.join(Keys.fold(node), Keys.fold(checkId));
    }

    private static Node withIndex(Node node, long modifyIndex) {
        return new Node(
                node.id(),
                node.node(),
                node.address(),
                node.datacenter(),
                node.taggedAddresses(),
                node.meta(),
                node.createIndex(),
                modifyIndex);
    }

    static NodeService withIndexes(NodeService s, long createIndex, long modifyIndex) {
        return new NodeService(
                Shared.of(s.kind()),
                s.id(),
                Shared.of(s.service()),
                Shared.texts(s.tags()),
                Shared.of(s.address()),
                s.taggedAddresses(),
                Shared.ofNullable(s.meta()),
                s.port(),
                Shared.of(s.weights()),
                s.enableTagOverride(),
                createIndex,
                modifyIndex);
    }

    private static NodeService withIndex(NodeService s, long modifyIndex) {
        return new NodeService(
                s.kind(),
                s.id(),
                s.service(),
                s.tags(),
                s.address(),
                s.taggedAddresses(),
                s.meta(),
                s.port(),
                s.weights(),
                s.enableTagOverride(),
                s.createIndex(),
                modifyIndex);
    }

    /** The check with the name and tags of the service it is bound to, if any. */
    private static HealthCheck bind(
            HealthCheck check, @Nullable NodeService service, long modifyIndex) {
        return new HealthCheck(
                Shared.of(check.node()),
                check.checkId(),
                Shared.of(check.name()),
                Shared.of(check.status()),
                Shared.of(check.notes()),
                Shared.of(check.output()),
                service == null ? "" : service.id(),
                service == null ? "" : service.service(),
                service == null ? List.of() : service.tags(),
                Shared.of(check.type()),
                Shared.of(check.definition()),
                check.createIndex(),
                modifyIndex);
    }

    /** A check of a snapshot, which repeats in each what many have in common. */
    private static Row<HealthCheck> decodeCheck(byte[] bytes) {
        HealthCheck c = Json.read(bytes, HealthCheck.class);
        return new Row<>(
                new HealthCheck(
                        Shared.of(c.node()),
                        c.checkId(),
                        Shared.of(c.name()),
                        Shared.of(c.status()),
                        Shared.of(c.notes()),
                        Shared.of(c.output()),
                        Shared.of(c.serviceId()),
                        Shared.of(c.serviceName()),
                        Shared.texts(c.serviceTags()),
                        Shared.of(c.type()),
                        Shared.of(c.definition()),
                        c.createIndex(),
                        c.modifyIndex()));
    }

    private static HealthCheck withIndex(HealthCheck c, long modifyIndex) {
        return new HealthCheck(
                c.node(),
                c.checkId(),
                c.name(),
                c.status(),
                c.notes(),
                c.output(),
                c.serviceId(),
                c.serviceName(),
                c.serviceTags(),
                c.type(),
                c.definition(),
                c.createIndex(),
                modifyIndex);
    }
}
