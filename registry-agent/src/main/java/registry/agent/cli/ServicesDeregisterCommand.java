package registry.agent.cli;

import java.util.List;
import registry.agent.config.ServiceDefinition;

/** {@code registry services deregister}: takes services away by ID, or those that files define. */
final class ServicesDeregisterCommand implements Command {
    @Override
    public String synopsis() {
        return "[options] [FILE...]";
    }

    @Override
    public String purpose() {
        return "Takes services away: the one with -id, or those that files define.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(new Flags().text("id", "ID of the instance."));
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        String id = flags.get("id");
        List<String> files = flags.arguments();
        if (id.isEmpty() && files.isEmpty()) {
            throw new Failure("Service deregistration requires at least one argument or -id.");
        }
        if (!id.isEmpty() && !files.isEmpty()) {
            throw new Failure("Service deregistration requires arguments or -id, not both.");
        }
        List<String> ids =
                files.isEmpty()
                        ? List.of(id)
                        : ServicesRegisterCommand.services(files).stream()
                                .map(ServiceDefinition::id)
                                .toList();
        try (var agent = AgentConnection.open(flags, terminal)) {
            for (String each : ids) {
                agent.put(
                        "Error deregistering service \"%s\"".formatted(each),
                        Query.path("/v1/agent/service/deregister/", each),
                        new Query(),
                        new byte[0]);
                terminal.say("Deregistered service: " + each);
            }
        }
        return 0;
    }
}
