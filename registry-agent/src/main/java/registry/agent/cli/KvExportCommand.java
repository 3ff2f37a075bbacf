package registry.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import registry.api.client.RegistryClient.Answer;
import registry.api.json.Json;

/** {@code registry kv export}: pairs below a prefix as a JSON text that {@code kv import} reads. */
final class KvExportCommand implements Command {
    @Override
    public String synopsis() {
        return "[options] [PREFIX]";
    }

    @Override
    public String purpose() {
        return "Writes all pairs below a prefix as JSON, for kv import.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(new Flags());
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        if (flags.arguments().size() > 1) {
            throw new Failure(
                    "Too many arguments (expected 1, got %d)".formatted(flags.arguments().size()));
        }
        String prefix = KvKeys.key(flags.arguments().isEmpty() ? "" : flags.arguments().getFirst());
        Answer answer;
        try (var agent = AgentConnection.open(flags, terminal)) {
            answer =
                    agent.send(
                            "Error querying Consul agent",
                            "GET",
                            KvKeys.path(prefix),
                            new Query().add("recurse", ""),
                            new byte[0]);
        }
        if (answer.status() == 404) {
            terminal.say("[]");
            return 0;
        }
        AgentConnection.expectOk("Error querying Consul agent", answer);
        List<String> entries = new ArrayList<>();
        for (JsonNode pair : Json.tree(answer.body())) {
            entries.add(
                    "\t{\n\t\t\"key\": %s,\n\t\t\"flags\": %s,\n\t\t\"value\": \"%s\"\n\t}"
                            .formatted(
                                    pair.path("Key"),
                                    pair.path("Flags").asText("0"),
                                    pair.path("Value").isTextual()
                                            ? pair.path("Value").textValue()
                                            : ""));
        }
        terminal.say("[\n" + String.join(",\n", entries) + "\n]");
        return 0;
    }
}
