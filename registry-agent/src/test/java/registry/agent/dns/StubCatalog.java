package registry.agent.dns;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import registry.api.ApiException;
import registry.api.HealthCheck;
import registry.api.Node;
import registry.api.NodeService;
import registry.api.ServiceEntry;
import registry.api.Weights;
import registry.api.json.Json;
import registry.server.rpc.Method;
import registry.server.rpc.Question;
import registry.server.rpc.Reply;
import registry.server.rpc.Servers;

/** A catalogue in memory, read as servers are. */
final class StubCatalog implements Servers {
    private final Map<String, List<ServiceEntry>> services = new LinkedHashMap<>();
    private final Map<String, Node> nodes = new LinkedHashMap<>();
    private final Map<String, Map<String, Object>> queries = new LinkedHashMap<>();
    private Map<String, List<String>> lastParams = Map.of();
    private long index = 10;
    private boolean up = true;

    void down() {
        up = false;
    }

    StubCatalog node(String name, String address, Map<String, String> meta) {
        index++;
        nodes.put(
                name.toLowerCase(Locale.ROOT),
                new Node("", name, address, "dc1", null, new TreeMap<>(meta), 1, 1));
        return this;
    }

    /** An instance on a node that is there already. */
    StubCatalog service(
            String node, String name, String address, int port, String status, String... tags) {
        index++;
        var service =
                new NodeService(
                        "",
                        name + port,
                        name,
                        List.of(tags),
                        address,
                        null,
                        null,
                        port,
                        new Weights(5, 2),
                        false,
                        1,
                        1);
        var check =
                Json.read(
                        Json.write(Map.of("Node", node, "CheckID", "c", "Status", status)),
                        HealthCheck.class);
        services.computeIfAbsent(name, _ -> new ArrayList<>())
                .add(
                        new ServiceEntry(
                                nodes.get(node.toLowerCase(Locale.ROOT)), service, List.of(check)));
        return this;
    }

    /** A query that finds all instances of a service, in order, healthy or not. */
    StubCatalog query(String name, String service, String ttl) {
        queries.put(
                name,
                Map.of(
                        "Service",
                        service,
                        "Nodes",
                        services.getOrDefault(service, List.of()),
                        "DNS",
                        Map.of("TTL", ttl)));
        return this;
    }

    /** The parameters of the last question. */
    Map<String, List<String>> lastParams() {
        return lastParams;
    }

    @Override
    public Held ask(Question question, Listener listener) {
        lastParams = question.params();
        if (!up) {
            listener.failed(ApiException.noLeader());
        } else if (question.method().equals(Question.QUERY_EXECUTE)
                && !queries.containsKey(question.name())) {
            listener.failed(ApiException.notFound("Query not found"));
        } else {
            listener.answered(new Reply(true, index, true, 0, Json.write(body(question))));
        }
        return () -> {};
    }

    private Object body(Question question) {
        return switch (question.method()) {
            case Question.HEALTH_SERVICE -> services.getOrDefault(question.name(), List.of());
            case Question.QUERY_EXECUTE -> queries.get(question.name());
            case Question.CATALOG_NODE -> {
                var body = new HashMap<String, Object>();
                body.put("Node", nodes.get(question.name()));
                yield body;
            }
            case Question.CATALOG_NODES -> List.copyOf(nodes.values());
            case Question.CATALOG_SERVICES -> {
                var names = new TreeMap<String, List<String>>();
                services.keySet().forEach(name -> names.put(name, List.of()));
                yield names;
            }
            case Question.CATALOG_SERVICE_NODES ->
                    services.getOrDefault(question.name(), List.of()).stream()
                            .map(entry ->
                                    Map.of(
                                            "ServiceName",
                                            entry.service().service(),
                                            "ServiceAddress",
                                            entry.service().address()))
                            .toList();
            default -> throw new IllegalArgumentException(question.method());
        };
    }

    @Override
    public <Q, A> A call(Method<Q, A> method, Q request) {
        throw new UnsupportedOperationException();
    }

    @Override
    public String leader() {
        return "";
    }

    @Override
    public List<String> peers() {
        return List.of();
    }
}
