package registry.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * {@code registry checks history}: when did this check change, and why? Consul has no such command.
 */
final class ChecksHistoryCommand implements Command {
    @Override
    public String synopsis() {
        return "[options] CHECK_ID";
    }

    @Override
    public String purpose() {
        return "Shows the last 100 changes of a check's state, the oldest first.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(new Flags());
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        if (flags.arguments().size() != 1) {
            throw Failure.misuse("A single check ID must be specified.");
        }
        String id = flags.arguments().getFirst();
        JsonNode history;
        try (var agent = AgentConnection.open(flags, terminal)) {
            String trouble = "Error reading the history of check \"%s\"".formatted(id);
            history =
                    agent.getJson(trouble, Query.path("/v1/agent/check/history/", id), new Query());
        }
        if (history.isEmpty()) {
            terminal.complain("No change of check \"%s\" is known.".formatted(id));
            return 0;
        }
        var table = new Table(2).row("Time", "From", "To", "Output");
        for (JsonNode change : history) {
            String from = change.path("From").asText("");
            table.row(
                    change.path("Time").asText(""),
                    from.isEmpty() ? "-" : from,
                    change.path("To").asText(""),
                    change.path("Output").asText(""));
        }
        terminal.say(table.text());
        return 0;
    }
}
