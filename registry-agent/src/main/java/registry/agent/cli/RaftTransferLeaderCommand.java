package registry.agent.cli;

/** {@code registry operator raft transfer-leader}: has another server lead. */
final class RaftTransferLeaderCommand implements Command {
    private static final String TROUBLE = "Error transferring leadership";

    @Override
    public String synopsis() {
        return "[options]";
    }

    @Override
    public String purpose() {
        return "Has another server lead.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(
                new Flags().text("id", "The node ID of the server that shall lead; else any."));
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        var query = new Query().addIf(!flags.get("id").isEmpty(), "id", flags.get("id"));
        try (var agent = AgentConnection.open(flags, terminal)) {
            AgentConnection.expectOk(
                    TROUBLE,
                    agent.send(
                            TROUBLE,
                            "POST",
                            "/v1/operator/raft/transfer-leader",
                            query,
                            new byte[0]));
        }
        terminal.say("Success");
        return 0;
    }
}
