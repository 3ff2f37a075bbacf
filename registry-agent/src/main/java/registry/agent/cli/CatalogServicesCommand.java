package registry.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;

/** {@code registry catalog services}. */
final class CatalogServicesCommand implements Command {
    private static final int TAG_GAP = 6;

    @Override
    public String synopsis() {
        return "[options]";
    }

    @Override
    public String purpose() {
        return "Lists the services of the catalog.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(
                new Flags()
                        .text("node", "Only services of this node.")
                        .texts(
                                "node-meta",
                                "Only services on nodes with this key=value. May be repeated.")
                        .onOff("tags", "Shows tags too."));
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        var services = new TreeMap<String, TreeSet<String>>();
        String node = flags.get("node");
        try (var agent = AgentConnection.open(flags, terminal)) {
            if (node.isEmpty()) {
                var query = new Query();
                flags.all("node-meta")
                        .forEach(pair -> query.add("node-meta", pair.replaceFirst("=", ":")));
                agent.getJson("Error listing services", "/v1/catalog/services", query)
                        .properties()
                        .forEach(service -> add(services, service.getKey(), service.getValue()));
            } else {
                String trouble = "Error listing services for node";
                agent.getJson(trouble, Query.path("/v1/catalog/node/", node), new Query())
                        .path("Services")
                        .forEach(service ->
                                add(
                                        services,
                                        service.path("Service").asText(),
                                        service.path("Tags")));
            }
        }
        if (services.isEmpty()) {
            terminal.complain("No services match the given query - try expanding your search.");
        } else if (flags.isOn("tags")) {
            var table = new Table(TAG_GAP);
            services.forEach((name, tags) -> table.row(name, String.join(",", tags)));
            terminal.say(table.text());
        } else {
            terminal.say(String.join("\n", services.keySet()));
        }
        return 0;
    }

    private static void add(TreeMap<String, TreeSet<String>> services, String name, JsonNode tags) {
        List<String> texts = new ArrayList<>();
        tags.forEach(tag -> texts.add(tag.asText()));
        services.computeIfAbsent(name, unused -> new TreeSet<>()).addAll(texts);
    }
}
