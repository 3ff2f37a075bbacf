package registry.agent.cli;

/** {@code registry join}: the agent joins the cluster of other nodes. */
final class JoinCommand implements Command {
    @Override
    public String synopsis() {
        return "[options] address ...";
    }

    @Override
    public String purpose() {
        return "Makes the agent join the cluster of the nodes at these addresses.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(new Flags().onOff("wan", "Joins the WAN pool."));
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        if (flags.arguments().isEmpty()) {
            throw Failure.misuse("At least one address to join must be specified.");
        }
        int joined = 0;
        try (var agent = AgentConnection.open(flags, terminal)) {
            for (String address : flags.arguments()) {
                try {
                    var query = new Query().addIf(flags.isOn("wan"), "wan", "1");
                    agent.put(
                            "Error joining address '%s'".formatted(address),
                            Query.path("/v1/agent/join/", address),
                            query,
                            new byte[0]);
                    joined++;
                } catch (Failure e) {
                    terminal.complain(e.text());
                }
            }
        }
        if (joined == 0) {
            throw new Failure("Failed to join any nodes.");
        }
        terminal.say("Successfully joined cluster by contacting %d nodes.".formatted(joined));
        return 0;
    }
}
