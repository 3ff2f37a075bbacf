package registry.server.catalog;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import registry.api.ApiException;
import registry.api.CatalogDeregistration;
import registry.api.CatalogRegistration;
import registry.api.CatalogService;
import registry.api.HealthCheck;
import registry.api.HealthCheckDefinition;
import registry.api.Node;
import registry.api.NodeCoordinate;
import registry.api.NodeService;
import registry.api.Weights;
import registry.api.json.Json;
import registry.server.coordinate.CoordinateTable;
import registry.server.coordinate.Nearness;
import registry.server.filter.Filter;
import registry.server.filter.Schemas;
import registry.server.rpc.Body;
import registry.server.rpc.Proposer;
import registry.server.rpc.Query;
import registry.server.rpc.Question;
import registry.server.state.Keys;
import registry.server.state.Row;
import registry.server.state.State;

/**
 * Registrations, with their defaults and refusals, and the questions about nodes and services.
 * Source: consul-api 3.1
 */
public final class CatalogEndpoint {
    private static final Set<String> ANY_ADDRESS = Set.of("0.0.0.0", "::", "[::]");
    private static final Pattern UUID =
            Pattern.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");
    private static final int UUID_LENGTH = 36;
    private static final Weights EQUAL = new Weights(1, 1);
    private static final byte[] NODE = Body.member("Node");
    private static final byte[] SERVICES = Body.member("Services");

    /** The service that all servers are instances of. */
    private static final String SERVERS = "consul";

    private final Proposer proposer;
    private final String datacenter;

    /**
     * @param datacenter what registrations without one get
     */
    public CatalogEndpoint(Proposer proposer, String datacenter) {
        this.proposer = proposer;
        this.datacenter = datacenter;
    }

    /** Upserts; see {@link CatalogOp.Register}. */
    public Boolean register(CatalogRegistration request) {
        return (Boolean) proposer.propose(new CatalogOp.Register(complete(request)));
    }

    /** Removes; see {@link CatalogOp.Deregister}. */
    public Boolean deregister(CatalogDeregistration request) {
        if (request.node().isEmpty()) {
            throw ApiException.refused("Must provide node");
        }
        return (Boolean) proposer.propose(new CatalogOp.Deregister(request));
    }

    private CatalogRegistration complete(CatalogRegistration r) {
        if (r.address().isEmpty() && !r.skipNodeUpdate() && !r.node().isEmpty()) {
            throw ApiException.refused("Must provide address if SkipNodeUpdate is not set");
        }
        checkNode(r.node(), r.id(), r.nodeMeta());
        return new CatalogRegistration(
                r.datacenter().isEmpty() ? datacenter : r.datacenter(),
                Keys.fold(r.id()),
                r.node(),
                r.address(),
                r.taggedAddresses(),
                r.nodeMeta(),
                r.service() == null ? null : complete(r.node(), r.service()),
                r.checks().stream().map(check -> complete(r.node(), check)).toList(),
                r.skipNodeUpdate());
    }

    static void checkNode(String name, String id, @Nullable Map<String, String> meta) {
        if (name.isEmpty()) {
            throw ApiException.refused("Must provide node");
        }
        if (!id.isEmpty() && !UUID.matcher(id).matches()) {
            throw ApiException.refused(
                    id.length() == UUID_LENGTH
                            ? "Bad node ID: uuid is improperly formatted"
                            : "Bad node ID: uuid string is wrong length");
        }
        Metadata.check("failed inserting node", meta, true);
    }

    static NodeService complete(String node, NodeService s) {
        if (s.service().isEmpty()) {
            throw ApiException.refused("Must provide service name with ID");
        }
        if (ANY_ADDRESS.contains(s.address())) {
            throw ApiException.refused("Invalid service address");
        }
        String id = s.id().isEmpty() ? s.service() : s.id();
        Metadata.check(
                "failed inserting service: Invalid Service Meta for node %s and serviceID %s"
                        .formatted(node, id),
                s.meta(),
                false);
        return new NodeService(
                s.kind(),
                id,
                s.service(),
                s.tags(),
                s.address(),
                s.taggedAddresses() == null || s.taggedAddresses().isEmpty()
                        ? null
                        : s.taggedAddresses(),
                s.meta(),
                s.port(),
                orElse(s.weights(), EQUAL),
                s.enableTagOverride(),
                0,
                0);
    }

    static HealthCheck complete(String node, HealthCheck c) {
        if (!c.node().isEmpty() && !Keys.fold(c.node()).equals(Keys.fold(node))) {
            throw ApiException.refused(
                    "check node \"%s\" does not match node \"%s\"".formatted(c.node(), node));
        }
        String id = c.checkId().isEmpty() ? c.name() : c.checkId();
        if (id.isEmpty()) {
            throw ApiException.refused("failed inserting check: Must provide a check ID or name");
        }
        HealthCheckDefinition definition = plain(c.definition());
        return new HealthCheck(
                node,
                id,
                c.name(),
                c.status().isEmpty() ? HealthCheck.CRITICAL : c.status(),
                c.notes(),
                c.output(),
                c.serviceId(),
                "",
                List.of(),
                c.type().isEmpty() ? type(definition) : c.type(),
                definition,
                0,
                0);
    }

    /** As the log will give it back: what is empty is absent. */
    private static HealthCheckDefinition plain(@Nullable HealthCheckDefinition given) {
        return given == null || given.equals(HealthCheckDefinition.NONE)
                ? HealthCheckDefinition.NONE
                : Json.read(Json.write(given), HealthCheckDefinition.class);
    }

    /** What came as JSON may lack what the record promises. */
    private static <T> T orElse(@Nullable T given, T otherwise) {
        return given == null ? otherwise : given;
    }

    private static String type(HealthCheckDefinition d) {
        boolean repeated = d.interval() != null && d.interval().isPositive();
        if (repeated && given(d.grpc())) {
            return "grpc";
        }
        if (repeated && given(d.http())) {
            return "http";
        }
        if (d.ttl() != null && d.ttl().isPositive()) {
            return "ttl";
        }
        if (repeated && given(d.tcp())) {
            return "tcp";
        }
        if (given(d.aliasNode()) || given(d.aliasService())) {
            return "alias";
        }
        boolean script = d.scriptArgs() != null && !d.scriptArgs().isEmpty();
        if (repeated && script) {
            return given(d.dockerContainerId()) ? "docker" : "script";
        }
        return "";
    }

    private static boolean given(@Nullable String text) {
        return text != null && !text.isEmpty();
    }

    /** {@code /v1/catalog/nodes}: by name, those that {@code node-meta} selects. */
    public Query nodes(Question question) {
        Selection selection = Selection.of(question);
        Predicate<Node> filter = Filter.of(question.first("filter"), Schemas.NODE);
        Query query =
                Query.of(
                        List.of(Scopes.NODES),
                        state -> state.index(Scopes.NODES),
                        state -> {
                            Collection<Row<Node>> nodes =
                                    Nearness.order(
                                            state,
                                            question,
                                            state.table(CatalogTable.NODES).rows().values(),
                                            node -> node.value().node());
                            var body = new Body().open('[');
                            for (Row<Node> node : nodes) {
                                if (selection.takes(node.value()) && filter.test(node.value())) {
                                    body.value(node.json());
                                }
                            }
                            return body.close(']').answer(question);
                        });
        return Nearness.keep(question, query);
    }

    /** {@code /v1/catalog/services}: each name with the distinct tags of its instances. */
    public Query services(Question question) {
        Selection selection = Selection.of(question);
        if (!selection.byNode()) {
            return Query.of(
                    List.of(Scopes.SERVICES),
                    state -> state.index(Scopes.SERVICES),
                    state -> names(state, selection, question));
        }
        return Query.of(
                List.of(Scopes.SERVICES, Scopes.NODES),
                state -> Math.max(state.index(Scopes.SERVICES), state.index(Scopes.NODES)),
                state -> names(state, selection, question));
    }

    private static Query.Answer names(State state, Selection selection, Question question) {
        Map<String, Set<String>> names = new TreeMap<>(Keys.BYTES);
        for (var instances :
                state.table(CatalogTable.INSTANCES).groups(CatalogTable.BY_NAME).values()) {
            String name = "";
            Set<String> tags = Set.of();
            for (Instance instance : instances.values()) {
                if (selection.byNode() && !selection.takes(nodeOf(state, instance))) {
                    continue;
                }
                // One group, but its instances may spell their name differently.
                NodeService service = instance.service();
                if (!service.service().equals(name)) {
                    name = service.service();
                    tags = names.computeIfAbsent(name, first -> new LinkedHashSet<>());
                }
                tags.addAll(service.tags());
            }
        }
        var body = new Body().open('{');
        names.forEach((name, tags) -> body.name(name).value(Json.write(tags)));
        return body.close('}').answer(question);
    }

    /**
     * {@code /v1/catalog/service/NAME}: instances joined with their nodes, by node then id. No
     * service has an empty name.
     */
    public Query service(Question question) {
        String name = question.name();
        Selection selection = Selection.of(question);
        Predicate<CatalogService> filter =
                Filter.of(question.first("filter"), Schemas.CATALOG_SERVICE);
        Query query =
                Query.of(
                        List.of(Scopes.instances(name)),
                        state -> serviceIndex(state, name),
                        state -> {
                            var body = new Body().open('[');
                            for (Instance instance :
                                    Nearness.order(
                                            state,
                                            question,
                                            CatalogTable.instancesOf(state, name),
                                            Instance::node)) {
                                Node node = nodeOf(state, instance);
                                if (node != null
                                        && selection.takes(node)
                                        && selection.takes(instance.service())) {
                                    var joined = CatalogService.of(node, instance.service());
                                    if (filter.test(joined)) {
                                        body.value(Json.write(joined));
                                    }
                                }
                            }
                            return body.close(']').answer(question);
                        });
        return Nearness.keep(question, query);
    }

    /**
     * The service's own index; while it has no instance, that of the last service that lost its
     * last one.
     */
    public static long serviceIndex(State state, String name) {
        long own = state.index(Scopes.service(name));
        return own == 0 ? state.index(Scopes.EXTINCTION) : own;
    }

    /**
     * {@code /v1/catalog/node/NAME}: the node and its services by id, {@code null} when there is no
     * such node.
     */
    public Query node(Question question) {
        return nodeQuery(
                question,
                (node, instances) -> {
                    var body = new Body();
                    if (node == null) {
                        return body.nil().answer(question);
                    }
                    Map<String, byte[]> byId = new TreeMap<>(Keys.BYTES);
                    instances.forEach(
                            instance -> byId.put(instance.service().id(), instance.row().json()));
                    body.open('{').name(NODE).value(node.json()).name(SERVICES).open('{');
                    byId.forEach((id, service) -> body.name(id).value(service));
                    return body.close('}').close('}').answer(question);
                });
    }

    /** {@code /v1/catalog/node-services/NAME}: the same with a list of services. */
    public Query nodeServices(Question question) {
        return nodeQuery(
                question,
                (node, instances) -> {
                    var body = new Body().open('{').name(NODE);
                    if (node == null) {
                        return body.nil().name(SERVICES).nil().close('}').answer(question);
                    }
                    body.value(node.json()).name(SERVICES).open('[');
                    instances.forEach(instance -> body.value(instance.row().json()));
                    return body.close(']').close('}').answer(question);
                });
    }

    private interface NodeAnswer {
        Query.Answer of(@Nullable Row<Node> node, Collection<Instance> instances);
    }

    /**
     * An unknown node has the tables' index too, where Consul says 1: so the index does not fall
     * when a node goes, and who waits on it hears of that.
     */
    private static Query nodeQuery(Question question, NodeAnswer answer) {
        String name = question.name();
        if (name.isEmpty()) {
            throw ApiException.badRequest("Missing node name");
        }
        Predicate<NodeService> filter = Filter.of(question.first("filter"), Schemas.NODE_SERVICE);
        boolean isId = UUID.matcher(name).matches();
        return Query.of(
                List.of(
                        isId ? Scopes.NODES : Scopes.node(name),
                        isId ? Scopes.SERVICES : Scopes.node(name)),
                state -> Math.max(state.index(Scopes.NODES), state.index(Scopes.SERVICES)),
                state -> {
                    Row<Node> node = CatalogTable.nodeByNameOrId(state, name);
                    return answer.of(
                            node,
                            node == null
                                    ? List.of()
                                    : CatalogTable.instancesOn(state, node.value().node()).stream()
                                            .filter(instance -> filter.test(instance.service()))
                                            .toList());
                });
    }

    /**
     * {@code /v1/coordinate/datacenters}: the servers of the one there is, and where they are;
     * those that have told nothing yet at the origin.
     */
    public Query serverCoordinates(Question question) {
        return new Query(
                List.of(Scopes.service(SERVERS)),
                state -> serviceIndex(state, SERVERS),
                state -> {
                    List<NodeCoordinate> servers = new ArrayList<>();
                    for (Instance instance : CatalogTable.instancesOf(state, SERVERS)) {
                        Node node = nodeOf(state, instance);
                        if (node != null) {
                            servers.add(CoordinateTable.atOrOrigin(state, node.node()));
                        }
                    }
                    var body = new Body().open('[').open('{');
                    body.name("Datacenter").value(Json.write(datacenter));
                    body.name("AreaID").value(Json.write("wan"));
                    body.name("Coordinates").value(Json.write(servers));
                    return body.close('}').close(']').answer(question);
                },
                false);
    }

    private static @Nullable Node nodeOf(State state, Instance instance) {
        Row<Node> node = state.table(CatalogTable.NODES).get(instance.node());
        return node == null ? null : node.value();
    }
}
