package registry.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code registry catalog nodes}. */
final class CatalogNodesCommand implements Command {
    private static final int SHORT_ID = 8;

    @Override
    public String synopsis() {
        return "[options]";
    }

    @Override
    public String purpose() {
        return "Lists the nodes of the catalog.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(
                new Flags()
                        .onOff("detailed", "Shows addresses and metadata too.")
                        .text("filter", "Only nodes that this expression fits.")
                        .text("near", "Sorts by the distance from this node.")
                        .texts("node-meta", "Only nodes with this key=value. May be repeated.")
                        .text("service", "Only nodes with an instance of this service."));
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        var query =
                new Query()
                        .addGiven("near", flags.get("near"))
                        .addGiven("filter", flags.get("filter"));
        for (String pair : flags.all("node-meta")) {
            query.add("node-meta", pair.replaceFirst("=", ":"));
        }
        String service = flags.get("service");
        String path =
                service.isEmpty()
                        ? "/v1/catalog/nodes"
                        : Query.path("/v1/catalog/service/", service);
        var nodes = new LinkedHashMap<String, JsonNode>();
        try (var agent = AgentConnection.open(flags, terminal)) {
            for (JsonNode node : agent.getJson("Error listing nodes", path, query)) {
                nodes.putIfAbsent(node.path("Node").asText(), node);
            }
        }
        if (nodes.isEmpty()) {
            terminal.complain("No nodes match the given query - try expanding your search.");
        } else {
            terminal.say(flags.isOn("detailed") ? detailed(nodes.values()) : plain(nodes.values()));
        }
        return 0;
    }

    private static String plain(Collection<JsonNode> nodes) {
        var table = new Table(2).row("Node", "ID", "Address", "DC");
        for (JsonNode node : nodes) {
            String id = node.path("ID").asText("");
            table.row(
                    node.path("Node").asText(""),
                    id.length() > SHORT_ID ? id.substring(0, SHORT_ID) : id,
                    node.path("Address").asText(""),
                    node.path("Datacenter").asText(""));
        }
        return table.text();
    }

    private static String detailed(Collection<JsonNode> nodes) {
        var table = new Table(2).row("Node", "ID", "Address", "DC", "TaggedAddresses", "Meta");
        for (JsonNode node : nodes) {
            JsonNode meta = node.has("NodeMeta") ? node.path("NodeMeta") : node.path("Meta");
            table.row(
                    node.path("Node").asText(""),
                    node.path("ID").asText(""),
                    node.path("Address").asText(""),
                    node.path("Datacenter").asText(""),
                    pairs(node.path("TaggedAddresses")),
                    pairs(meta));
        }
        return table.text();
    }

    private static String pairs(JsonNode map) {
        List<String> pairs = new ArrayList<>();
        for (Map.Entry<String, JsonNode> pair : map.properties()) {
            pairs.add(pair.getKey() + "=" + pair.getValue().asText(""));
        }
        return String.join(", ", pairs.stream().sorted().toList());
    }
}
