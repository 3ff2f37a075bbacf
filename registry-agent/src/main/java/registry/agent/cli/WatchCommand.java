package registry.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import registry.agent.config.WatchDefinition;
import registry.agent.config.WatchRules;
import registry.agent.watch.ScriptHandler;
import registry.agent.watch.WatchHandler;
import registry.agent.watch.WatchLoop;
import registry.api.json.Json;

/**
 * {@code registry watch}: runs a program at each change, or shows the present state. Source:
 * consul-api 13.
 */
final class WatchCommand implements Command {
    @Override
    public String synopsis() {
        return "[options] [child...]";
    }

    @Override
    public String purpose() {
        return "Runs a program at each change of what is watched, with the new state as JSON on its standard input and"
                + " CONSUL_INDEX in its environment. Without a program it shows the present state and ends.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(
                new Flags()
                        .text("type", "key, keyprefix, services, nodes, service, checks or event.")
                        .text("key", "For type key.")
                        .text("prefix", "For type keyprefix.")
                        .text("service", "Name, for types service and checks.")
                        .texts(
                                "tag",
                                "Only instances with this tag, for type service. May be repeated.")
                        .text("passingonly", "true: only passing instances, for type service.")
                        .text("state", "passing, warning, critical or any, for type checks.")
                        .text("name", "Name of the event, for type event.")
                        .onOff("shell", "Has a shell read the program's words, on by default.")
                        .onOff(
                                "keep-running",
                                "Goes on when the program fails; the default is to end with 1."));
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        if (flags.get("type").isEmpty()) {
            throw Failure.misuse("Watch type must be specified");
        }
        var watch = new WatchDefinition(flags.get("type"), parameters(flags));
        Optional<String> fault = WatchRules.fault(watch);
        if (fault.isPresent()) {
            throw new Failure(fault.get());
        }
        try (var agent = AgentConnection.open(flags, terminal)) {
            // Whether the agent is there at all is told at once; later troubles are waited out.
            agent.get("Error querying Consul agent", "/v1/agent/self", new Query());
            new WatchLoop(
                            watch,
                            agent.client(),
                            handler(flags, terminal),
                            (e, retry) ->
                                    terminal.complain(
                                            "Watch errored: type=%s error=\"%s\" retry=%ds"
                                                    .formatted(
                                                            watch.type(),
                                                            AgentConnection.reason(
                                                                    e, agent.agent()),
                                                            retry.toSeconds())))
                    .run();
        } catch (IOException e) {
            throw new Failure(String.valueOf(e.getMessage()));
        }
        return 0;
    }

    private static ObjectNode parameters(Flags flags) throws Failure {
        ObjectNode parameters = JsonNodeFactory.instance.objectNode();
        for (String name : List.of("key", "prefix", "service", "state", "datacenter", "name")) {
            RegistrationBody.putGiven(parameters, name, flags.get(name));
        }
        if (flags.isGiven("tag")) {
            flags.all("tag").forEach(parameters.putArray("tag")::add);
        }
        if (flags.isOn("stale")) {
            parameters.put("stale", true);
        }
        switch (flags.get("passingonly")) {
            case "" -> {}
            case "1", "t", "T", "true", "TRUE", "True" -> parameters.put("passingonly", true);
            case "0", "f", "F", "false", "FALSE", "False" -> parameters.put("passingonly", false);
            default ->
                    throw new Failure(
                            "Failed to parse passingonly: \"%s\", expected true or false"
                                    .formatted(flags.get("passingonly")));
        }
        return parameters;
    }

    private static WatchHandler handler(Flags flags, Terminal terminal) {
        List<String> child = flags.arguments();
        if (child.isEmpty()) {
            return (index, result) -> show(result, terminal);
        }
        boolean shell = !flags.isGiven("shell") || flags.isOn("shell");
        var script =
                ScriptHandler.inheriting(
                        shell ? ScriptHandler.inShell(String.join(" ", child)) : child);
        return (index, result) -> {
            try {
                return script.handle(index, result);
            } catch (IOException e) {
                String failed = "Error executing handler: " + e.getMessage();
                if (!flags.isOn("keep-running")) {
                    throw new IOException(failed, e);
                }
                terminal.complain(failed);
                return true;
            }
        };
    }

    private static boolean show(JsonNode result, Terminal terminal) {
        terminal.out().print(new String(Json.writePretty(result), StandardCharsets.UTF_8));
        terminal.out().flush();
        return false;
    }
}
