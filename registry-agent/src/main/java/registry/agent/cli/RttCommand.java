package registry.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Locale;
import registry.api.Coordinate;
import registry.api.NodeCoordinate;
import registry.api.json.Json;

/** {@code registry rtt}: the round trip to be expected between two nodes. */
final class RttCommand implements Command {
    private static final String TROUBLE = "Error getting coordinates";

    @Override
    public String synopsis() {
        return "[options] node1 [node2]";
    }

    @Override
    public String purpose() {
        return "Estimates the round trip between two nodes, the second being the agent's own by default.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(
                new Flags().onOff("wan", "Between servers, named NODE or NODE.DATACENTER."));
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        List<String> names = flags.arguments();
        if (names.isEmpty() || names.size() > 2) {
            throw Failure.misuse("One or two node names must be specified");
        }
        boolean wan = flags.isOn("wan");
        try (var agent = AgentConnection.open(flags, terminal)) {
            String first = names.getFirst();
            String second = names.size() == 2 ? names.getLast() : ownName(agent, wan);
            JsonNode known = known(agent, wan);
            double seconds = find(known, first, wan).secondsTo(find(known, second, wan));
            terminal.say(
                    String.format(
                            Locale.ROOT,
                            "Estimated %s <-> %s rtt: %.3f ms (using %s coordinates)",
                            first,
                            second,
                            seconds * 1000,
                            wan ? "WAN" : "LAN"));
        }
        return 0;
    }

    private static String ownName(AgentConnection agent, boolean wan)
            throws Failure, InterruptedException {
        JsonNode config =
                agent.getJson("Unable to look up agent info", "/v1/agent/self", new Query())
                        .path("Config");
        String name = config.path("NodeName").asText();
        return wan ? name + "." + config.path("Datacenter").asText() : name;
    }

    private static JsonNode known(AgentConnection agent, boolean wan)
            throws Failure, InterruptedException {
        return wan
                ? agent.getJson(TROUBLE, "/v1/coordinate/datacenters", new Query())
                : agent.getJson(TROUBLE, "/v1/coordinate/nodes", new Query());
    }

    private static Coordinate find(JsonNode known, String name, boolean wan) throws Failure {
        if (!wan) {
            return find(known, name, name);
        }
        for (JsonNode datacenter : known) {
            String suffix = "." + datacenter.path("Datacenter").asText();
            String node =
                    name.endsWith(suffix)
                            ? name.substring(0, name.length() - suffix.length())
                            : name;
            return find(datacenter.path("Coordinates"), node, name);
        }
        throw unknown(name);
    }

    private static Coordinate find(JsonNode list, String node, String name) throws Failure {
        for (NodeCoordinate row : Json.read(Json.write(list), NodeCoordinate[].class)) {
            if (row.node().equals(node)) {
                return row.coord();
            }
        }
        throw unknown(name);
    }

    private static Failure unknown(String name) {
        return new Failure("Could not find a coordinate for node \"" + name + "\"");
    }
}
