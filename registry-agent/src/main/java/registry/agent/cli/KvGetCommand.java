package registry.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import registry.api.client.RegistryClient.Answer;
import registry.api.json.Json;

/** {@code registry kv get}: a value, the pairs below a prefix, or their keys. */
final class KvGetCommand implements Command {
    private static final int DETAIL_GAP = 6;

    @Override
    public String synopsis() {
        return "[options] [KEY_OR_PREFIX]";
    }

    @Override
    public String purpose() {
        return "Reads a value, or with -recurse all pairs below a prefix, or with -keys their keys.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(
                new Flags()
                        .onOff("base64", "Shows values in base64.")
                        .onOff("detailed", "Shows flags and indexes too.")
                        .onOff("keys", "Lists keys below the prefix.")
                        .onOff("recurse", "Reads all pairs below the prefix.")
                        .text("separator", "Where -keys cuts keys, / by default."));
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        if (flags.arguments().size() > 1) {
            throw new Failure(
                    "Too many arguments (expected 1, got %d)".formatted(flags.arguments().size()));
        }
        String key = KvKeys.key(flags.arguments().isEmpty() ? "" : flags.arguments().getFirst());
        boolean keys = flags.isOn("keys");
        boolean recurse = flags.isOn("recurse");
        if (key.isEmpty() && !keys && !recurse) {
            throw new Failure("Error! Missing KEY argument");
        }
        var query =
                new Query()
                        .addIf(keys, "keys", "")
                        .addIf(
                                keys && !flags.get("separator", "/").isEmpty(),
                                "separator",
                                flags.get("separator", "/"))
                        .addIf(recurse && !keys, "recurse", "");
        Answer answer;
        try (var agent = AgentConnection.open(flags, terminal)) {
            answer =
                    agent.send(
                            "Error querying Consul agent",
                            "GET",
                            KvKeys.path(key),
                            query,
                            new byte[0]);
        }
        boolean missing = answer.status() == 404;
        if (!missing) {
            AgentConnection.expectOk("Error querying Consul agent", answer);
        } else if (!keys && !recurse) {
            throw new Failure("Error! No key exists at: " + key);
        } else {
            return 0;
        }
        JsonNode found = Json.tree(answer.body());
        if (keys) {
            found.forEach(name -> terminal.say(name.asText()));
        } else if (recurse) {
            showAll(found, flags, terminal);
        } else if (flags.isOn("detailed")) {
            terminal.say(detailed(found.path(0), flags));
        } else {
            showValue(found.path(0), flags, terminal);
        }
        return 0;
    }

    private static void showAll(JsonNode pairs, Flags flags, Terminal terminal) {
        List<String> shown = new ArrayList<>();
        for (JsonNode pair : pairs) {
            shown.add(
                    flags.isOn("detailed")
                            ? detailed(pair, flags) + "\n"
                            : pair.path("Key").asText() + ":" + value(pair, flags) + "\n");
        }
        terminal.out().print(String.join(flags.isOn("detailed") ? "\n" : "", shown));
        terminal.out().flush();
    }

    /** The bytes as they are: a value need not be text. */
    private static void showValue(JsonNode pair, Flags flags, Terminal terminal) {
        byte[] bytes = KvKeys.value(pair);
        if (flags.isOn("base64")) {
            terminal.out().print(value(pair, flags));
        } else {
            terminal.out().write(bytes, 0, bytes.length);
        }
        terminal.say("");
    }

    private static String value(JsonNode pair, Flags flags) {
        return flags.isOn("base64")
                ? Base64.getEncoder().encodeToString(KvKeys.value(pair))
                : new String(KvKeys.value(pair), StandardCharsets.UTF_8);
    }

    private static String detailed(JsonNode pair, Flags flags) {
        String session = pair.path("Session").asText("");
        String table =
                new Table(DETAIL_GAP)
                        .row("CreateIndex", pair.path("CreateIndex").asText())
                        .row("Flags", pair.path("Flags").asText())
                        .row("Key", pair.path("Key").asText())
                        .row("LockIndex", pair.path("LockIndex").asText())
                        .row("ModifyIndex", pair.path("ModifyIndex").asText())
                        .row("Session", session.isEmpty() ? "-" : session)
                        .row("Value", "")
                        .text();
        String value = value(pair, flags);
        return value.isEmpty()
                ? table
                : table
                        + " ".repeat("CreateIndex".length() + DETAIL_GAP - "Value".length())
                        + value;
    }
}
