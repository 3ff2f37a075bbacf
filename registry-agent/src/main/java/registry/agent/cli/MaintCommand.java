package registry.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * {@code registry maint}: takes a node or a service out of rotation and back, or tells what is out.
 */
final class MaintCommand implements Command {
    private static final String NODE_CHECK = "_node_maintenance";
    private static final String SERVICE_CHECK = "_service_maintenance:";

    @Override
    public String synopsis() {
        return "[options]";
    }

    @Override
    public String purpose() {
        return "Puts the node, or one of its services, into maintenance or back; without options tells what is in it.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(
                new Flags()
                        .onOff("enable", "Into maintenance.")
                        .onOff("disable", "Back from it.")
                        .text("reason", "Why, for those who look at the checks.")
                        .text("service", "ID of the service, instead of the node."));
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        boolean enable = flags.isOn("enable");
        boolean disable = flags.isOn("disable");
        String service = flags.get("service");
        if (enable && disable) {
            throw new Failure("Only one of -enable or -disable may be provided");
        }
        if (!enable && !flags.get("reason").isEmpty()) {
            throw new Failure("Reason may only be provided with -enable");
        }
        if (!enable && !disable && !service.isEmpty()) {
            throw new Failure("Service requires either -enable or -disable");
        }
        try (var agent = AgentConnection.open(flags, terminal)) {
            if (enable || disable) {
                change(agent, enable, service, flags.get("reason"));
                String state = enable ? "enabled" : "disabled";
                terminal.say(
                        service.isEmpty()
                                ? "Node maintenance is now " + state
                                : "Service maintenance is now %s for \"%s\""
                                        .formatted(state, service));
            } else {
                report(agent, terminal);
            }
        }
        return 0;
    }

    private static void change(AgentConnection agent, boolean enable, String service, String reason)
            throws Failure, InterruptedException {
        String path =
                service.isEmpty()
                        ? "/v1/agent/maintenance"
                        : Query.path("/v1/agent/service/maintenance/", service);
        String trouble =
                "Error %s %s maintenance"
                        .formatted(
                                enable ? "enabling" : "disabling",
                                service.isEmpty() ? "node" : "service");
        var query = new Query().add("enable", String.valueOf(enable)).addGiven("reason", reason);
        agent.put(trouble, path, query, new byte[0]);
    }

    private static void report(AgentConnection agent, Terminal terminal)
            throws Failure, InterruptedException {
        String node =
                agent.getJson("Error querying Consul agent", "/v1/agent/self", new Query())
                        .at("/Config/NodeName")
                        .asText("");
        for (JsonNode check :
                agent.getJson("Error querying Consul agent", "/v1/agent/checks", new Query())) {
            String id = check.path("CheckID").asText("");
            String reason = check.path("Notes").asText("");
            if (id.equals(NODE_CHECK)) {
                terminal.say("Node:\n  Name:   %s\n  Reason: %s\n".formatted(node, reason));
            } else if (id.startsWith(SERVICE_CHECK)) {
                terminal.say(
                        "Service:\n  ID:     %s\n  Reason: %s\n"
                                .formatted(check.path("ServiceID").asText(""), reason));
            }
        }
    }
}
