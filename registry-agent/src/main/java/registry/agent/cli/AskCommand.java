package registry.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;
import registry.api.json.Json;

/**
 * A command of Consul's for which there is only the agent's answer: a refusal, or names. What the
 * agent says is said, and nothing is made up.
 */
record AskCommand(String purpose, String method, String path, String trouble, String required)
        implements Command {
    @Override
    public String synopsis() {
        return "[options]";
    }

    @Override
    public Flags flags() {
        Flags flags = AgentConnection.addFlags(new Flags());
        return required.isEmpty() ? flags : flags.text(required, "What it is about; required.");
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        String about = required.isEmpty() ? "" : flags.get(required);
        if (!required.isEmpty() && about.isEmpty()) {
            throw new Failure("Missing required '-%s' flag".formatted(required));
        }
        JsonNode answer;
        try (var agent = AgentConnection.open(flags, terminal)) {
            byte[] body =
                    AgentConnection.expectOk(
                                    trouble,
                                    agent.send(
                                            trouble,
                                            method,
                                            // A kind is the last part of its path.
                                            path.endsWith("/") ? Query.path(path, about) : path,
                                            new Query(),
                                            new byte[0]))
                            .body();
            answer = body.length == 0 ? Json.mapper().nullNode() : Json.tree(body);
        }
        for (JsonNode entry : answer) {
            terminal.say(entry.path("Name").asText());
        }
        return 0;
    }
}
