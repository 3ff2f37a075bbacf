package registry.agent.dns;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import registry.agent.config.AgentConfig;
import registry.api.ApiException;
import registry.api.CatalogService;
import registry.api.Node;
import registry.api.PreparedQuery;
import registry.api.ServiceEntry;
import registry.api.json.GoDuration;
import registry.api.json.Json;
import registry.server.rpc.Asked;
import registry.server.rpc.Consistency;
import registry.server.rpc.Question;
import registry.server.rpc.Reply;
import registry.server.rpc.Servers;

/**
 * What DNS reads of the catalogue. What was parsed is kept with its index: while that stands, the
 * answer is the same.
 */
final class CatalogReads {
    private static final int MOST_KEPT = 2048;
    private static final String ANY_SERVICE = "";

    /** The key of something kept: of which kind, under which name, in which zone. */
    private record Key(String method, String name, String zone) {}

    private record Kept(long index, Object value) {}

    /** The answer of a prepared query, as far as DNS reads it. */
    private record Ran(String service, List<ServiceEntry> nodes, PreparedQuery.Dns dns) {}

    /**
     * What a prepared query found.
     *
     * @param ttl of its own, else of the service
     */
    record Found(List<Instance> instances, long ttl) {}

    /** Names by address. */
    private record Reverse(Map<List<Byte>, String> names) {}

    private final Servers servers;
    private final AgentConfig.Dns config;
    private final Function<String, Long> ttlOf;
    private final Map<Key, Kept> kept = new ConcurrentHashMap<>();

    /**
     * @param ttlOf what answers about a service live
     */
    CatalogReads(Servers servers, AgentConfig.Dns config, Function<String, Long> ttlOf) {
        this.servers = servers;
        this.config = config;
        this.ttlOf = ttlOf;
    }

    /** The instances that are not critical. */
    @SuppressWarnings("unchecked") // Only lists of instances are kept under this method.
    List<Instance> instances(String service, String zone, Patience patience) {
        Reply reply = ask(Question.HEALTH_SERVICE, service, patience);
        return (List<Instance>)
                parsed(
                        new Key(Question.HEALTH_SERVICE, service, zone),
                        reply,
                        () -> parseInstances(reply, service, zone));
    }

    private List<Instance> parseInstances(Reply reply, String service, String zone) {
        long ttl = ttlOf.apply(service);
        var all = new ArrayList<Instance>();
        for (ServiceEntry entry : Json.read(reply.body(), ServiceEntry[].class)) {
            Instance instance = Instance.of(entry, zone, ttl, config.nodeMetaTxt());
            if (instance != null) {
                all.add(instance);
            }
        }
        return List.copyOf(all);
    }

    /**
     * Runs a prepared query; nothing is found when there is none.
     *
     * @param node who answers
     */
    Found run(String query, String node, Asker asker, String zone) {
        Map<String, List<String>> params =
                Map.of("agent", List.of(node), "ip", List.of(asker.address()));
        Reply reply;
        try {
            reply = ask(Question.QUERY_EXECUTE, query, params, asker.patience());
        } catch (ApiException e) {
            if (e.kind() == ApiException.Kind.NOT_FOUND) {
                return new Found(List.of(), 0);
            }
            throw e;
        }
        Ran ran = Json.read(reply.body(), Ran.class);
        long ttl =
                ran.dns().ttl().isEmpty()
                        ? ttlOf.apply(ran.service())
                        : GoDuration.parse(ran.dns().ttl()).toSeconds();
        var all = new ArrayList<Instance>();
        for (ServiceEntry entry : ran.nodes()) {
            Instance instance = Instance.ofHealthy(entry, zone, ttl, config.nodeMetaTxt());
            if (instance != null) {
                all.add(instance);
            }
        }
        return new Found(List.copyOf(all), ttl);
    }

    /** Null when there is no such node. */
    @Nullable Node node(String name, Patience patience) {
        Reply reply = ask(Question.CATALOG_NODE, name, patience);
        Kept before = kept.get(new Key(Question.CATALOG_NODE, name, ""));
        if (before != null && before.index() == reply.index()) {
            return (Node) before.value();
        }
        JsonNode body = reply.found() ? Json.tree(reply.body()).path("Node") : null;
        if (body == null || !body.isObject()) {
            return null;
        }
        Node node = Json.read(Json.write(body), Node.class);
        keep(new Key(Question.CATALOG_NODE, name, ""), reply, node);
        return node;
    }

    /** The name of the node that has an address; null when none has. */
    @Nullable String nodeAt(byte[] address, Patience patience) {
        Reply reply = ask(Question.CATALOG_NODES, "", patience);
        var reverse =
                (Reverse)
                        parsed(
                                new Key(Question.CATALOG_NODES, "", ""),
                                reply,
                                () -> {
                                    var names = new HashMap<List<Byte>, String>();
                                    for (Node node : Json.read(reply.body(), Node[].class)) {
                                        put(names, node.address(), node.node());
                                    }
                                    return new Reverse(names);
                                });
        return reverse.names().get(bytes(address));
    }

    /**
     * The name of a service that has an instance with an address of its own; null when none has.
     */
    @Nullable String serviceAt(byte[] address, Patience patience) {
        patience.demand();
        Reply services = ask(Question.CATALOG_SERVICES, "", patience);
        var reverse =
                (Reverse)
                        parsed(
                                new Key(Question.CATALOG_SERVICES, ANY_SERVICE, ""),
                                services,
                                () -> new Reverse(addressesOf(services, patience)));
        return reverse.names().get(bytes(address));
    }

    private Map<List<Byte>, String> addressesOf(Reply services, Patience patience) {
        var names = new HashMap<List<Byte>, String>();
        Json.tree(services.body())
                .fieldNames()
                .forEachRemaining(name -> {
                    Reply rows = ask(Question.CATALOG_SERVICE_NODES, name, patience);
                    for (CatalogService row : Json.read(rows.body(), CatalogService[].class)) {
                        put(names, row.serviceAddress(), row.serviceName());
                    }
                });
        return names;
    }

    private static void put(Map<List<Byte>, String> names, String address, String name) {
        byte[] ip = Names.address(address);
        if (ip != null) {
            names.putIfAbsent(bytes(ip), name);
        }
    }

    private static List<Byte> bytes(byte[] address) {
        var bytes = new ArrayList<Byte>(address.length);
        for (byte b : address) {
            bytes.add(b);
        }
        return bytes;
    }

    private Object parsed(Key key, Reply reply, Supplier<Object> parse) {
        Kept before = kept.get(key);
        if (before != null && before.index() == reply.index()) {
            return before.value();
        }
        Object value = parse.get();
        // Nobody may fill the memory by asking for what isn't there.
        if (!(value instanceof List<?> list && list.isEmpty())) {
            keep(key, reply, value);
        }
        return value;
    }

    private void keep(Key key, Reply reply, Object value) {
        if (kept.size() >= MOST_KEPT) {
            kept.clear();
        }
        kept.put(key, new Kept(reply.index(), value));
    }

    private Reply ask(String method, String name, Patience patience) {
        return ask(method, name, Map.of(), patience);
    }

    private Reply ask(
            String method, String name, Map<String, List<String>> params, Patience patience) {
        if (!config.allowStale()) {
            return ask(method, name, params, Consistency.DEFAULT, patience);
        }
        Reply reply = ask(method, name, params, Consistency.STALE, patience);
        return reply.lastContactMillis() <= config.maxStale().toMillis()
                ? reply
                : ask(method, name, params, Consistency.DEFAULT, patience);
    }

    private Reply ask(
            String method,
            String name,
            Map<String, List<String>> params,
            Consistency consistency,
            Patience patience) {
        var question = new Question(method, name, params, consistency, 0, Duration.ZERO);
        try (Asked asked = Asked.of(servers, question)) {
            return patience.await(asked.answer());
        }
    }
}
