package registry.agent.cli;

import java.io.IOException;
import java.util.Base64;
import java.util.List;
import registry.api.client.RegistryClient.Answer;

/** {@code registry kv put}: writes a value, also under conditions. */
final class KvPutCommand implements Command {
    @Override
    public String synopsis() {
        return "[options] KEY [DATA | - | @FILE]";
    }

    @Override
    public String purpose() {
        return "Writes a value: the text given, the standard input for -, or a file for @FILE.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(
                new Flags()
                        .onOff("acquire", "Takes the lock of the key for -session.")
                        .onOff("base64", "The data is base64.")
                        .onOff("cas", "Writes only if the key's ModifyIndex is -modify-index.")
                        .number("flags", "A number kept with the value.")
                        .number("modify-index", "For -cas; 0 is a key that does not exist.")
                        .onOff("release", "Gives the lock of the key back.")
                        .text("session", "Session of the lock."));
    }

    @Override
    public int run(Flags flags, Terminal terminal)
            throws Failure, IOException, InterruptedException {
        List<String> arguments = flags.arguments();
        if (arguments.isEmpty() || KvKeys.key(arguments.getFirst()).isEmpty()) {
            throw new Failure("Error! Missing KEY argument");
        }
        if (arguments.size() > 2) {
            throw new Failure(
                    "Error! Too many arguments (expected 1 or 2, got %d)"
                            .formatted(arguments.size()));
        }
        String key = KvKeys.key(arguments.getFirst());
        boolean acquire = flags.isOn("acquire");
        boolean release = flags.isOn("release");
        String session = flags.get("session");
        if ((acquire || release) && session.isEmpty()) {
            throw new Failure("Error! Missing -session (required with -acquire and -release)");
        }
        byte[] data = data(flags, terminal);
        boolean cas = flags.isOn("cas");
        var query =
                new Query()
                        .addIf(cas && !acquire && !release, "cas", flags.get("modify-index", "0"))
                        .addIf(acquire, "acquire", session)
                        .addIf(release && !acquire, "release", session)
                        .addIf(!flags.get("flags", "0").equals("0"), "flags", flags.get("flags"));
        String trouble =
                cas || acquire || release
                        ? "Error! Did not write to " + key
                        : "Error! Failed writing data";
        Answer answer;
        try (var agent = AgentConnection.open(flags, terminal)) {
            answer = agent.put(trouble, KvKeys.path(key), query, data);
        }
        if (!answer.text().contains("true")) {
            throw new Failure(
                    acquire
                            ? "Error! Did not acquire lock"
                            : release
                                    ? "Error! Did not release lock"
                                    : "Error! Did not write to %s: CAS failed".formatted(key));
        }
        terminal.say(
                acquire
                        ? "Success! Lock acquired on: " + key
                        : release
                                ? "Success! Lock released on: " + key
                                : "Success! Data written to: " + key);
        return 0;
    }

    private static byte[] data(Flags flags, Terminal terminal) throws Failure, IOException {
        List<String> arguments = flags.arguments();
        byte[] data = arguments.size() == 2 ? KvKeys.data(arguments.get(1), terminal) : new byte[0];
        if (!flags.isOn("base64")) {
            return data;
        }
        try {
            return Base64.getMimeDecoder().decode(data);
        } catch (IllegalArgumentException e) {
            throw new Failure("Error! Cannot base 64 decode data: " + e.getMessage());
        }
    }
}
