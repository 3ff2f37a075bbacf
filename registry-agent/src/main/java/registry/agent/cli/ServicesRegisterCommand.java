package registry.agent.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import registry.agent.config.ConfigException;
import registry.agent.config.ConfigLoader;
import registry.agent.config.ServiceDefinition;
import registry.api.json.Json;

/**
 * {@code registry services register}: registers what files define, or one service made of options.
 */
final class ServicesRegisterCommand implements Command {
    @Override
    public String synopsis() {
        return "[options] [FILE...]";
    }

    @Override
    public String purpose() {
        return "Registers the services that files define, or one that the options describe.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(
                new Flags()
                        .text("address", "Address of the instance, the node's by default.")
                        .text("id", "ID of the instance, its name by default.")
                        .text("kind", "Kind of the service.")
                        .texts("meta", "A pair key=value. May be repeated.")
                        .text("name", "Name of the service.")
                        .number("port", "Port of the instance.")
                        .texts("tag", "A tag. May be repeated.")
                        .texts("tagged-address", "tag=address:port. May be repeated."));
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        boolean described =
                List.of("address", "id", "kind", "meta", "name", "port", "tag", "tagged-address")
                        .stream()
                        .anyMatch(flags::isGiven);
        if (!described && flags.arguments().isEmpty()) {
            throw new Failure("Service registration requires at least one argument or flags.");
        }
        if (described && !flags.arguments().isEmpty()) {
            throw new Failure("Service registration requires arguments or -name, but not both.");
        }
        try (var agent = AgentConnection.open(flags, terminal)) {
            if (described) {
                register(agent, terminal, described(flags));
            } else {
                for (ServiceDefinition service : services(flags.arguments())) {
                    register(agent, terminal, RegistrationBody.of(service));
                }
            }
        }
        return 0;
    }

    static List<ServiceDefinition> services(List<String> files) throws Failure {
        try {
            return ConfigLoader.servicesIn(files);
        } catch (ConfigException e) {
            throw new Failure("Error: " + e.getMessage());
        }
    }

    private static void register(AgentConnection agent, Terminal terminal, ObjectNode body)
            throws Failure, InterruptedException {
        String name = body.path("Name").asText("");
        String trouble = "Error registering service \"%s\"".formatted(name);
        agent.put(trouble, "/v1/agent/service/register", new Query(), Json.write(body));
        terminal.say("Registered service: " + name);
    }

    private static ObjectNode described(Flags flags) throws Failure {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.put("Name", flags.get("name"));
        RegistrationBody.putGiven(body, "ID", flags.get("id"));
        RegistrationBody.putGiven(body, "Address", flags.get("address"));
        RegistrationBody.putGiven(body, "Kind", flags.get("kind"));
        body.put("Port", Long.parseLong(flags.get("port", "0")));
        flags.all("tag").forEach(body.putArray("Tags")::add);
        for (String pair : flags.all("meta")) {
            body.withObjectProperty("Meta").put(before(pair, '=', pair), after(pair, '='));
        }
        for (String tagged : flags.all("tagged-address")) {
            String tag = before(tagged, '=', "");
            String address = after(tagged, '=');
            int colon = address.lastIndexOf(':');
            if (tag.isEmpty() || colon < 1 || !address.substring(colon + 1).matches("[0-9]{1,5}")) {
                throw new Failure(
                        "Invalid tagged address \"%s\", expected tag=address:port"
                                .formatted(tagged));
            }
            body.withObjectProperty("TaggedAddresses")
                    .putObject(tag)
                    .put("Address", address.substring(0, colon))
                    .put("Port", Integer.parseInt(address.substring(colon + 1)));
        }
        return body;
    }

    private static String before(String text, char mark, String absent) {
        int at = text.indexOf(mark);
        return at < 0 ? absent : text.substring(0, at);
    }

    private static String after(String text, char mark) {
        int at = text.indexOf(mark);
        return at < 0 ? "" : text.substring(at + 1);
    }
}
