package registry.agent.cli;

/** {@code registry leave}: the agent leaves the cluster and ends. */
final class LeaveCommand implements Command {
    @Override
    public String synopsis() {
        return "[options]";
    }

    @Override
    public String purpose() {
        return "Makes the agent leave the cluster gracefully and end.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(new Flags());
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        if (!flags.arguments().isEmpty()) {
            throw Failure.usageApart(
                    "Error found unexpected args: [%s]"
                            .formatted(String.join(" ", flags.arguments())));
        }
        try (var agent = AgentConnection.open(flags, terminal)) {
            agent.put("Error leaving", "/v1/agent/leave", new Query(), new byte[0]);
        }
        terminal.say("Graceful leave complete");
        return 0;
    }
}
