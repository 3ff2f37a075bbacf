package registry.agent.cli;

/**
 * {@code registry exec}: no agent runs what others send it, as Consul's agents by default do not,
 * so that none ever acknowledges.
 */
final class ExecCommand implements Command {
    @Override
    public String synopsis() {
        return "[options] [-|COMMAND...]";
    }

    @Override
    public String purpose() {
        return "Asks the nodes to run a command. Remote execution is off on every agent and can't be turned on, so"
                + " none answers.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(
                new Flags()
                        .text("node", "Only on nodes whose name matches.")
                        .text("service", "Only on nodes that have the service.")
                        .text("tag", "Only where the service has the tag.")
                        .text("prefix", "Without a meaning here.")
                        .text("shell", "Without a meaning here.")
                        .text("wait", "Without a meaning here.")
                        .text("wait-repl", "Without a meaning here.")
                        .text("verbose", "Without a meaning here."));
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        if (flags.arguments().isEmpty()) {
            throw new Failure("Must specify a command to execute");
        }
        try (var agent = AgentConnection.open(flags, terminal)) {
            agent.get("Error querying Consul agent", "/v1/agent/self", new Query());
        }
        terminal.say("0 / 0 node(s) completed / acknowledged");
        return 0;
    }
}
