package registry.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import registry.api.json.Json;

/** {@code registry keyring}: the keys that gossip is encrypted with, on all members. */
final class KeyringCommand implements Command {
    private static final String PATH = "/v1/operator/keyring";

    /** What a change is asked by, and what is said meanwhile. */
    private record Change(String flag, String method, String notice) {}

    private static final List<Change> CHANGES =
            List.of(
                    new Change("install", "POST", "Installing new gossip encryption key..."),
                    new Change("use", "PUT", "Changing primary gossip encryption key..."),
                    new Change("remove", "DELETE", "Removing gossip encryption key..."));

    @Override
    public String synopsis() {
        return "[options]";
    }

    @Override
    public String purpose() {
        return "Lists and changes the keys that gossip is encrypted with, on all members.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(
                new Flags()
                        .text("install", "Adds a key that opens messages and seals none yet.")
                        .text("use", "Makes an installed key the primary one, which seals.")
                        .text("remove", "Takes out a key that is not the primary one.")
                        .onOff("list", "Lists the keys and on how many members they are.")
                        .onOff("list-primary", "Lists the primary keys only.")
                        .number("relay-factor", "Accepted without effect, 0 to 5.")
                        .onOff("local-only", "Lists what this agent's own keyring holds."));
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        List<Change> changes =
                CHANGES.stream().filter(change -> !flags.get(change.flag()).isEmpty()).toList();
        boolean lists = flags.isOn("list") || flags.isOn("list-primary");
        if (changes.size() + (lists ? 1 : 0) > 1) {
            throw new Failure("Only a single action is allowed");
        }
        if (changes.isEmpty() && !lists) {
            throw Failure.misuse("");
        }
        if (flags.isOn("local-only") && !lists) {
            throw new Failure(
                    "Error validating local-only: local-only can only be set for list requests");
        }
        var query =
                new Query()
                        .addIf(
                                flags.isGiven("relay-factor"),
                                "relay-factor",
                                flags.get("relay-factor"))
                        .addIf(flags.isOn("local-only"), "local-only", "true");
        if (lists) {
            list(flags, terminal, query);
        } else {
            change(changes.getFirst(), flags, terminal, query);
        }
        return 0;
    }

    private static void list(Flags flags, Terminal terminal, Query query)
            throws Failure, InterruptedException {
        terminal.say("==> Gathering installed encryption keys...");
        JsonNode pools;
        try (var agent = AgentConnection.open(flags, terminal)) {
            pools = agent.getJson("error", PATH, query);
        }
        for (JsonNode pool : pools) {
            boolean wan = pool.path("WAN").asBoolean();
            terminal.say("");
            terminal.say(wan ? "WAN:" : pool.path("Datacenter").asText() + " (LAN):");
            JsonNode keys = pool.path(flags.isOn("list-primary") ? "PrimaryKeys" : "Keys");
            var lines = new ArrayList<String>();
            keys.properties()
                    .forEach(key ->
                            lines.add(
                                    "  %s [%s/%s]"
                                            .formatted(
                                                    key.getKey(),
                                                    key.getValue().asText(),
                                                    pool.path("NumNodes").asText())));
            lines.forEach(terminal::say);
        }
    }

    private static void change(Change change, Flags flags, Terminal terminal, Query query)
            throws Failure, InterruptedException {
        terminal.say("==> " + change.notice());
        try (var agent = AgentConnection.open(flags, terminal)) {
            AgentConnection.expectOk(
                    "error",
                    agent.send(
                            "error",
                            change.method(),
                            PATH,
                            query,
                            Json.write(Map.of("Key", flags.get(change.flag())))));
        }
    }
}
