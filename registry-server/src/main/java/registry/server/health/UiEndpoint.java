package registry.server.health;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import registry.api.ApiException;
import registry.api.HealthCheck;
import registry.api.Node;
import registry.api.NodeService;
import registry.api.json.Json;
import registry.server.catalog.CatalogTable;
import registry.server.catalog.Instance;
import registry.server.catalog.Scopes;
import registry.server.filter.Filter;
import registry.server.filter.Schema;
import registry.server.filter.Schemas;
import registry.server.kv.KvTable;
import registry.server.rpc.Query;
import registry.server.rpc.Question;
import registry.server.state.Keys;
import registry.server.state.Row;
import registry.server.state.State;

/**
 * What user interfaces ask: nodes with all that is on them, and services in one line each. Source:
 * consul-api 3.12
 */
public final class UiEndpoint {
    private static final String EXTERNAL_SOURCE = "external-source";

    /** A node with all it carries. */
    private record NodeInfo(
            Node node, Collection<Instance> instances, Collection<Row<HealthCheck>> checks) {
        List<NodeService> services() {
            return instances.stream().map(Instance::service).toList();
        }

        List<HealthCheck> results() {
            return checks.stream().map(Row::value).toList();
        }
    }

    /** The same as it is written: without datacenter and indexes of the node. */
    private record NodeShape(
            String id,
            String node,
            String address,
            @Nullable SortedMap<String, String> taggedAddresses,
            @Nullable SortedMap<String, String> meta,
            List<JsonNode> services,
            List<JsonNode> checks) {}

    /** A service in one line; what belongs to a mesh is always empty. */
    private record Summary(
            @JsonInclude(JsonInclude.Include.NON_EMPTY) String kind,
            String name,
            String datacenter,
            @Nullable Collection<String> tags,
            Collection<String> nodes,
            @Nullable Collection<String> externalSources,
            int instanceCount,
            int checksPassing,
            int checksWarning,
            int checksCritical,
            Map<String, String> gatewayConfig,
            boolean connectedWithProxy,
            boolean connectedWithGateway) {}

    /** How many there are of everything. */
    private record Counts(int nodes, int services, int serviceInstances, int kvEntries) {}

    private static final Schema<NodeInfo> SCHEMA =
            Schema.<NodeInfo>builder()
                    .text("ID", info -> info.node().id())
                    .text("Node", info -> info.node().node())
                    .text("Address", info -> info.node().address())
                    .textMap("TaggedAddresses", info -> info.node().taggedAddresses())
                    .textMap("Meta", info -> info.node().meta())
                    .many("Services", NodeInfo::services, Schemas.NODE_SERVICE)
                    .many("Checks", NodeInfo::results, Schemas.CHECK)
                    .build();

    private static final List<String> ALL = List.of(Scopes.NODES, Scopes.SERVICES, Scopes.CHECKS);

    private UiEndpoint() {}

    /** Its questions by their names. */
    public static Map<String, Function<Question, Query>> reads() {
        return Map.of(
                Question.INTERNAL_NODES, UiEndpoint::nodes,
                Question.INTERNAL_NODE, UiEndpoint::node,
                Question.INTERNAL_SERVICES, UiEndpoint::services,
                Question.INTERNAL_COUNTS, UiEndpoint::counts);
    }

    /** {@code /v1/internal/ui/nodes}: by name. */
    private static Query nodes(Question question) {
        Predicate<NodeInfo> filter = Filter.of(question.first("filter"), SCHEMA);
        return query(state -> {
            var shapes = new ArrayList<NodeShape>();
            for (Row<Node> node : state.table(CatalogTable.NODES).rows().values()) {
                NodeInfo info = info(state, node.value());
                if (filter.test(info)) {
                    shapes.add(shape(info));
                }
            }
            return answer(question, shapes);
        });
    }

    /** {@code /v1/internal/ui/node/NAME}. */
    private static Query node(Question question) {
        String name = question.name();
        if (name.isEmpty()) {
            throw ApiException.badRequest("Missing node name");
        }
        return query(state -> {
            Row<Node> node = CatalogTable.node(state, name);
            return node == null
                    ? Query.Answer.missing()
                    : answer(question, shape(info(state, node.value())));
        });
    }

    private static NodeInfo info(State state, Node node) {
        return new NodeInfo(
                node,
                CatalogTable.instancesOn(state, node.node()),
                CatalogTable.checksOn(state, node.node()));
    }

    private static NodeShape shape(NodeInfo info) {
        Node node = info.node();
        return new NodeShape(
                node.id(),
                node.node(),
                node.address(),
                node.taggedAddresses(),
                node.meta(),
                info.instances().stream()
                        .map(each -> nullIfEmpty(each.row().json(), "Tags"))
                        .toList(),
                info.checks().stream()
                        .map(each -> nullIfEmpty(each.json(), "ServiceTags"))
                        .toList());
    }

    /** These answers alone say null where there are no tags. */
    private static JsonNode nullIfEmpty(byte[] json, String list) {
        JsonNode tree = Json.tree(json);
        if (tree instanceof ObjectNode object && object.path(list).isEmpty()) {
            object.putNull(list);
        }
        return tree;
    }

    /** {@code /v1/internal/ui/services}: by name. */
    private static Query services(Question question) {
        Predicate<HealthTable.Entry> filter =
                Filter.of(question.first("filter"), HealthTable.SCHEMA);
        return query(state -> {
            Map<String, List<HealthTable.Entry>> byName = new TreeMap<>(Keys.BYTES);
            for (Instance instance : state.table(CatalogTable.INSTANCES).rows().values()) {
                HealthTable.Entry entry = HealthTable.entry(state, instance);
                if (entry != null && filter.test(entry)) {
                    byName.computeIfAbsent(instance.service().service(), first -> new ArrayList<>())
                            .add(entry);
                }
            }
            return answer(question, byName.values().stream().map(UiEndpoint::summary).toList());
        });
    }

    private static Summary summary(List<HealthTable.Entry> entries) {
        Set<String> tags = new LinkedHashSet<>();
        Set<String> nodes = new LinkedHashSet<>();
        SortedSet<String> sources = new TreeSet<>();
        Set<String> counted = new HashSet<>();
        var states = new TreeMap<String, Integer>();
        for (HealthTable.Entry entry : entries) {
            NodeService service = entry.instance().service();
            tags.addAll(service.tags());
            nodes.add(entry.node().value().node());
            String source = service.meta() == null ? null : service.meta().get(EXTERNAL_SOURCE);
            if (source != null && !source.isEmpty()) {
                sources.add(source);
            }
            for (HealthCheck check : entry.checks()) {
                // A check of the node counts once for all instances on it.
                if (counted.add(Keys.join(Keys.fold(check.node()), check.checkId()))) {
                    states.merge(check.status(), 1, Integer::sum);
                }
            }
        }
        HealthTable.Entry first = entries.getFirst();
        NodeService service = first.instance().service();
        return new Summary(
                service.kind(),
                service.service(),
                first.node().value().datacenter(),
                tags.isEmpty() ? null : tags,
                nodes,
                sources.isEmpty() ? null : sources,
                entries.size(),
                states.getOrDefault(HealthCheck.PASSING, 0),
                states.getOrDefault(HealthCheck.WARNING, 0),
                states.getOrDefault(HealthCheck.CRITICAL, 0),
                Map.of(),
                false,
                false);
    }

    /** For the figures of a server. */
    private static Query counts(Question question) {
        return new Query(
                List.of(),
                State::index,
                state -> {
                    var instances = state.table(CatalogTable.INSTANCES);
                    return answer(
                            question,
                            new Counts(
                                    state.table(CatalogTable.NODES).rows().size(),
                                    instances.groups(CatalogTable.BY_NAME).size(),
                                    instances.rows().size(),
                                    state.table(KvTable.PAIRS).rows().size()));
                },
                false);
    }

    private static Query query(Function<State, Query.Answer> answer) {
        return Query.of(ALL, state -> ALL.stream().mapToLong(state::index).max().orElse(0), answer);
    }

    private static Query.Answer answer(Question question, Object value) {
        byte[] json = question.has("pretty") ? Json.writePretty(value) : Json.write(value);
        return Query.Answer.found(json);
    }
}
