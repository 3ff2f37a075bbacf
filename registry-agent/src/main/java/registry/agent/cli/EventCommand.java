package registry.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.List;
import registry.api.json.Json;

/** {@code registry event}: tells all nodes something. */
final class EventCommand implements Command {
    @Override
    public String synopsis() {
        return "[options] [payload]";
    }

    @Override
    public String purpose() {
        return "Fires a user event to all nodes of the datacenter.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(
                new Flags()
                        .text("name", "The event's name.")
                        .text("node", "Only nodes whose name this regular expression matches.")
                        .text("service", "Only nodes with such a service.")
                        .text("tag", "Only nodes whose service has such a tag."));
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        List<String> payload = flags.arguments();
        if (flags.get("name").isEmpty()) {
            throw Failure.misuse("Event name must be specified");
        }
        if (payload.size() > 1) {
            throw Failure.misuse("Too many command line arguments.");
        }
        var query = new Query();
        for (String filter : List.of("node", "service", "tag")) {
            query.addIf(!flags.get(filter).isEmpty(), filter, flags.get(filter));
        }
        byte[] body =
                payload.isEmpty()
                        ? new byte[0]
                        : payload.getFirst().getBytes(StandardCharsets.UTF_8);
        try (var agent = AgentConnection.open(flags, terminal)) {
            JsonNode fired =
                    Json.tree(
                            agent.put(
                                            "Error firing event",
                                            Query.path("/v1/event/fire/", flags.get("name")),
                                            query,
                                            body)
                                    .body());
            terminal.say("Event ID: " + fired.path("ID").asText());
        }
        return 0;
    }
}
