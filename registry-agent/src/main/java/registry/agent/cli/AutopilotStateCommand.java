package registry.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;

/** {@code registry operator autopilot state}: how the servers are. */
final class AutopilotStateCommand implements Command {
    @Override
    public String synopsis() {
        return "[options]";
    }

    @Override
    public String purpose() {
        return "Shows how the servers are, as the leader sees them.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(
                new Flags().text("format", "pretty (the default) or json."));
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        String format = flags.get("format", "pretty");
        if (!format.equals("pretty") && !format.equals("json")) {
            throw Failure.misuse("Invalid format, valid formats are: pretty, json");
        }
        JsonNode state;
        try (var agent = AgentConnection.open(flags, terminal)) {
            state =
                    agent.getJson(
                            "Error querying Autopilot state",
                            "/v1/operator/autopilot/state",
                            new Query());
        }
        if (format.equals("json")) {
            terminal.say(state.toPrettyString());
            return 0;
        }
        terminal.say("Healthy:                      " + state.path("Healthy").asText());
        terminal.say("Failure Tolerance:            " + state.path("FailureTolerance").asText());
        terminal.say(
                "Optimistic Failure Tolerance: "
                        + state.path("OptimisticFailureTolerance").asText());
        terminal.say("Leader:                       " + state.path("Leader").asText());
        terminal.say("Voters:");
        for (JsonNode voter : state.path("Voters")) {
            terminal.say("   " + voter.asText());
        }
        terminal.say("Servers:");
        for (JsonNode server : state.path("Servers")) {
            terminal.say("   " + server.path("ID").asText());
            line(terminal, "Name:           ", server.path("Name"));
            line(terminal, "Address:        ", server.path("Address"));
            line(terminal, "Version:        ", server.path("Version"));
            line(terminal, "Status:         ", server.path("Status"));
            line(terminal, "Node Type:      ", server.path("NodeType"));
            line(terminal, "Node Status:    ", server.path("NodeStatus"));
            line(terminal, "Healthy:        ", server.path("Healthy"));
            line(terminal, "Last Contact:   ", server.path("LastContact"));
            line(terminal, "Last Term:      ", server.path("LastTerm"));
            line(terminal, "Last Index:     ", server.path("LastIndex"));
        }
        return 0;
    }

    private static void line(Terminal terminal, String label, JsonNode value) {
        terminal.say("      " + label + value.asText());
    }
}
