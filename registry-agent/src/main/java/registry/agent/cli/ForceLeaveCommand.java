package registry.agent.cli;

/** {@code registry force-leave}: declares a failed member to have left. */
final class ForceLeaveCommand implements Command {
    @Override
    public String synopsis() {
        return "[options] name";
    }

    @Override
    public String purpose() {
        return "Declares a failed member to have left, so that the cluster no longer waits for it.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(
                new Flags().onOff("prune", "Forgets the member altogether."));
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        if (flags.arguments().size() != 1) {
            throw Failure.misuse("A single node name must be specified to force leave.");
        }
        try (var agent = AgentConnection.open(flags, terminal)) {
            agent.put(
                    "Error force leaving",
                    Query.path("/v1/agent/force-leave/", flags.arguments().getFirst()),
                    new Query().addIf(flags.isOn("prune"), "prune", "1"),
                    new byte[0]);
        }
        return 0;
    }
}
