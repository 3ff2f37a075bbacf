package registry.agent.cli;

/** {@code registry catalog datacenters}. */
final class CatalogDatacentersCommand implements Command {
    @Override
    public String synopsis() {
        return "[options]";
    }

    @Override
    public String purpose() {
        return "Lists all known datacenters.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(new Flags());
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        try (var agent = AgentConnection.open(flags, terminal)) {
            agent.getJson("Error listing datacenters", "/v1/catalog/datacenters", new Query())
                    .forEach(name -> terminal.say(name.asText()));
        }
        return 0;
    }
}
