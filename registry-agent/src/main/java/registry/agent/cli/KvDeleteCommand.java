package registry.agent.cli;

import registry.api.client.RegistryClient.Answer;

/** {@code registry kv delete}: removes a key, or all below a prefix. */
final class KvDeleteCommand implements Command {
    @Override
    public String synopsis() {
        return "[options] KEY_OR_PREFIX";
    }

    @Override
    public String purpose() {
        return "Removes a key, or with -recurse all keys below a prefix.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(
                new Flags()
                        .onOff("cas", "Removes only if the key's ModifyIndex is -modify-index.")
                        .number("modify-index", "For -cas.")
                        .onOff("recurse", "Removes all keys below the prefix."));
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        if (flags.arguments().size() > 1) {
            throw new Failure(
                    "Too many arguments (expected 1, got %d)".formatted(flags.arguments().size()));
        }
        String key = KvKeys.key(flags.arguments().isEmpty() ? "" : flags.arguments().getFirst());
        boolean recurse = flags.isOn("recurse");
        boolean cas = flags.isOn("cas");
        String index = flags.get("modify-index", "0");
        if (key.isEmpty() && !recurse) {
            throw new Failure("Error! Missing KEY argument");
        }
        if (cas && recurse) {
            throw new Failure("Cannot specify both -cas and -recurse!");
        }
        if (cas && index.equals("0")) {
            throw new Failure(
                    "Cannot delete a key that does not exist. Provide a -modify-index greater than than 0.");
        }
        if (!cas && !index.equals("0")) {
            throw new Failure("Cannot specify -modify-index without -cas!");
        }
        var query = new Query().addIf(cas, "cas", index).addIf(recurse, "recurse", "");
        String trouble = "Error! Did not delete %s %s".formatted(recurse ? "prefix" : "key", key);
        try (var agent = AgentConnection.open(flags, terminal)) {
            Answer answer = agent.delete(trouble, KvKeys.path(key), query);
            if (cas && !answer.text().contains("true")) {
                throw new Failure(trouble + ": CAS failed");
            }
        }
        terminal.say(
                (recurse ? "Success! Deleted keys with prefix: " : "Success! Deleted key: ") + key);
        return 0;
    }
}
