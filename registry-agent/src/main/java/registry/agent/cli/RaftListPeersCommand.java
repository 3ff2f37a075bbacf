package registry.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;

/** {@code registry operator raft list-peers}: the servers that keep the catalogue. */
final class RaftListPeersCommand implements Command {
    @Override
    public String synopsis() {
        return "[options]";
    }

    @Override
    public String purpose() {
        return "Lists the servers that keep the catalog together.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(new Flags());
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        JsonNode configuration;
        try (var agent = AgentConnection.open(flags, terminal)) {
            configuration =
                    agent.getJson(
                            "Error getting peers: Failed to retrieve raft configuration",
                            "/v1/operator/raft/configuration",
                            new Query());
        }
        var table = new Table(2).row("Node", "ID", "Address", "State", "Voter", "RaftProtocol");
        for (JsonNode server : configuration.path("Servers")) {
            table.row(
                    server.path("Node").asText(),
                    server.path("ID").asText(),
                    server.path("Address").asText(),
                    server.path("Leader").asBoolean() ? "leader" : "follower",
                    server.path("Voter").asText(),
                    server.path("ProtocolVersion").asText());
        }
        terminal.say(table.text());
        return 0;
    }
}
