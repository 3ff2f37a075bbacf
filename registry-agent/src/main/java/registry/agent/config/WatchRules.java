package registry.agent.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import registry.api.json.GoDuration;

/** What makes a watch wrong, with the texts of {@code consul watch}. Source: consul-api 13. */
public final class WatchRules {
    private static final Set<String> COMMON =
            Set.of(
                    "type",
                    "datacenter",
                    "token",
                    "stale",
                    "handler",
                    "args",
                    "handler_type",
                    "http_handler_config");

    /** Parameters of each type. */
    private static final Map<String, Set<String>> PARAMETERS =
            Map.of(
                    "key", Set.of("key"),
                    "keyprefix", Set.of("prefix"),
                    "services", Set.of(),
                    "nodes", Set.of(),
                    "service", Set.of("service", "tag", "passingonly"),
                    "checks", Set.of("service", "state"),
                    "event", Set.of("name"));

    private WatchRules() {}

    /** The first thing wrong with the parameters of a watch; a missing handler is none. */
    public static Optional<String> fault(WatchDefinition watch) {
        String type = watch.type();
        if (type.isEmpty()) {
            return Optional.of("Watch type must be specified");
        }
        if (type.equals("agent_service")) {
            return Optional.of("The watch type " + type + " is not available in this version");
        }
        Set<String> known = PARAMETERS.get(type);
        if (known == null) {
            return Optional.of("Unsupported watch type: " + type);
        }
        ObjectNode given = watch.parameters();
        Optional<String> fault = neededFault(type, given);
        if (fault.isPresent()) {
            return fault;
        }
        var invalid = new ArrayList<String>();
        for (String name : given.propertyStream().map(Map.Entry::getKey).sorted().toList()) {
            if (!COMMON.contains(name) && !known.contains(name)) {
                invalid.add(name);
            }
        }
        if (!invalid.isEmpty()) {
            return Optional.of("Invalid parameters: [" + String.join(" ", invalid) + "]");
        }
        return typeFault(given).or(() -> handlerFault(given));
    }

    /** Whether something is to be run or called. */
    public static boolean hasHandler(WatchDefinition watch) {
        ObjectNode given = watch.parameters();
        return !given.path("args").isEmpty()
                || !given.path("handler").asText("").isEmpty()
                || given.path("handler_type").asText("").equals("http");
    }

    private static Optional<String> neededFault(String type, ObjectNode given) {
        return switch (type) {
            case "key" -> needed(given, "key", "key");
            case "keyprefix" -> needed(given, "prefix", "prefix");
            case "service" -> needed(given, "service", "service");
            case "checks" ->
                    given.has("service") && given.has("state")
                            ? Optional.of("Cannot specify service and state")
                            : Optional.empty();
            default -> Optional.empty();
        };
    }

    private static Optional<String> needed(ObjectNode given, String parameter, String noun) {
        return given.path(parameter).asText("").isEmpty()
                ? Optional.of("Must specify a single " + noun + " to watch")
                : Optional.empty();
    }

    private static Optional<String> typeFault(ObjectNode given) {
        for (String name :
                List.of(
                        "key",
                        "prefix",
                        "service",
                        "state",
                        "datacenter",
                        "token",
                        "handler",
                        "handler_type")) {
            if (given.has(name) && !given.get(name).isTextual()) {
                return Optional.of("Expecting " + name + " to be a string");
            }
        }
        for (String name : List.of("stale", "passingonly")) {
            if (given.has(name) && !given.get(name).isBoolean()) {
                return Optional.of("Expecting " + name + " to be a boolean");
            }
        }
        if (given.has("tag") && !given.get("tag").isTextual() && !isTexts(given.get("tag"))) {
            return Optional.of("Expecting tag to be a string or a list of strings");
        }
        return Optional.empty();
    }

    private static Optional<String> handlerFault(ObjectNode given) {
        if (given.has("args") && !isTexts(given.get("args"))) {
            return Optional.of("Expecting args to be a list of strings");
        }
        if (given.has("args") && given.has("handler")) {
            return Optional.of("Only one watch handler allowed");
        }
        String handlerType = given.path("handler_type").asText("script");
        if (!handlerType.equals("script") && !handlerType.equals("http")) {
            return Optional.of("Handler type '" + handlerType + "' not recognized");
        }
        return handlerType.equals("http")
                ? httpFault(given.path("http_handler_config"))
                : Optional.empty();
    }

    private static Optional<String> httpFault(JsonNode http) {
        String path = http.path("path").asText("");
        if (!path.startsWith("http://") && !path.startsWith("https://")) {
            return Optional.of(
                    "Requires 'path' to be set to an http or https URL in http_handler_config");
        }
        for (String name : http.propertyStream().map(Map.Entry::getKey).toList()) {
            if (!Set.of("path", "method", "timeout", "header", "tls_skip_verify").contains(name)) {
                return Optional.of("Invalid http_handler_config parameter: " + name);
            }
        }
        if (http.path("tls_skip_verify").asBoolean(false)) {
            return Optional.of(
                    "http_handler_config: tls_skip_verify is not available in this version");
        }
        try {
            GoDuration.parse(http.path("timeout").asText("10s"));
            return Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.of("http_handler_config: " + e.getMessage());
        }
    }

    private static boolean isTexts(JsonNode list) {
        return list.isArray() && list.valueStream().allMatch(JsonNode::isTextual);
    }
}
