package registry.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Map;
import java.util.TreeMap;

/** {@code registry info}: the agent's figures about itself. */
final class InfoCommand implements Command {
    @Override
    public String synopsis() {
        return "[options]";
    }

    @Override
    public String purpose() {
        return "Shows the agent's figures about itself, for those who operate it.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(new Flags());
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        JsonNode stats;
        try (var agent = AgentConnection.open(flags, terminal)) {
            stats =
                    agent.getJson("Error querying agent", "/v1/agent/self", new Query())
                            .path("Stats");
        }
        var sections = new TreeMap<String, JsonNode>();
        stats.properties().forEach(section -> sections.put(section.getKey(), section.getValue()));
        var lines = new ArrayList<String>();
        for (Map.Entry<String, JsonNode> section : sections.entrySet()) {
            lines.add(section.getKey() + ":");
            section.getValue()
                    .propertyStream()
                    .map(figure -> "\t" + figure.getKey() + " = " + figure.getValue().asText(""))
                    .sorted()
                    .forEach(lines::add);
        }
        terminal.say(String.join("\n", lines));
        return 0;
    }
}
