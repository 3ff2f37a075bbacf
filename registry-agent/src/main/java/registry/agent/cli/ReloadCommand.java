package registry.agent.cli;

/** {@code registry reload}: the agent reads its files again. */
final class ReloadCommand implements Command {
    @Override
    public String synopsis() {
        return "[options]";
    }

    @Override
    public String purpose() {
        return "Makes the agent read its files again. A bad file changes nothing.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(new Flags());
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        try (var agent = AgentConnection.open(flags, terminal)) {
            agent.put("Error reloading", "/v1/agent/reload", new Query(), new byte[0]);
        }
        terminal.say("Configuration reload triggered");
        return 0;
    }
}
