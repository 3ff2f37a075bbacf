package registry.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Base64;
import registry.api.json.Json;

/** {@code registry kv import}: writes the pairs that {@code kv export} wrote. */
final class KvImportCommand implements Command {
    @Override
    public String synopsis() {
        return "[options] [DATA | - | @FILE]";
    }

    @Override
    public String purpose() {
        return "Writes all pairs of a JSON text as kv export makes it.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(new Flags());
    }

    @Override
    public int run(Flags flags, Terminal terminal)
            throws Failure, IOException, InterruptedException {
        if (flags.arguments().size() > 1) {
            throw new Failure(
                    "Error! Too many arguments (expected 1, got %d)"
                            .formatted(flags.arguments().size()));
        }
        if (flags.arguments().isEmpty()) {
            throw new Failure("Error! Missing DATA argument");
        }
        JsonNode entries;
        try {
            entries = Json.tree(KvKeys.data(flags.arguments().getFirst(), terminal));
        } catch (UncheckedIOException e) {
            throw new Failure("Cannot unmarshal data: " + e.getMessage());
        }
        try (var agent = AgentConnection.open(flags, terminal)) {
            for (JsonNode entry : entries) {
                String key = entry.path("key").asText("");
                var query =
                        new Query()
                                .addIf(
                                        entry.path("flags").asLong(0) != 0,
                                        "flags",
                                        entry.path("flags").asText());
                byte[] value = Base64.getDecoder().decode(entry.path("value").asText(""));
                agent.put(
                        "Error! Failed writing data for key " + key,
                        KvKeys.path(KvKeys.key(key)),
                        query,
                        value);
                terminal.say("Imported: " + key);
            }
        } catch (IllegalArgumentException e) {
            throw new Failure("Error base 64 decoding value: " + e.getMessage());
        }
        return 0;
    }
}
