package registry.agent.watch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/**
 * The JSON that Consul's own watches hand out: the API's answers, read into the structures of its
 * Go client and written again. Members come in another order, and what is not set shows as Go's
 * zero. Seen in captures of Consul 1.9.8.
 */
final class GoShape {
    private static final List<String> PAIR =
            List.of("Key", "CreateIndex", "ModifyIndex", "LockIndex", "Flags", "Value");
    private static final List<String> SERVICE =
            List.of(
                    "Kind",
                    "ID",
                    "Service",
                    "Tags",
                    "Meta",
                    "Port",
                    "Address",
                    "TaggedAddresses",
                    "Weights",
                    "EnableTagOverride",
                    "CreateIndex",
                    "ModifyIndex",
                    "Proxy",
                    "Connect");

    private GoShape() {}

    /** A pair; its session is empty where there is none. */
    static JsonNode pair(JsonNode pair) {
        return ordered(pair, PAIR).put("Session", pair.path("Session").asText(""));
    }

    static JsonNode pairs(JsonNode pairs) {
        ArrayNode all = JsonNodeFactory.instance.arrayNode();
        pairs.forEach(pair -> all.add(pair(pair)));
        return all;
    }

    /** Instances of a service with their nodes and checks. */
    static JsonNode entries(JsonNode entries) {
        ArrayNode all = JsonNodeFactory.instance.arrayNode();
        for (JsonNode entry : entries) {
            ObjectNode shaped = all.addObject();
            shaped.set("Node", entry.path("Node"));
            shaped.set("Service", ordered(entry.path("Service"), SERVICE));
            shaped.set("Checks", checks(entry.path("Checks")));
        }
        return all;
    }

    static JsonNode checks(JsonNode checks) {
        ArrayNode all = JsonNodeFactory.instance.arrayNode();
        for (JsonNode check : checks) {
            ObjectNode shaped = check.deepCopy();
            if (shaped.has("Definition")) {
                shaped.set("Definition", definition(check.path("Definition")));
            }
            all.add(shaped);
        }
        return all;
    }

    private static ObjectNode definition(JsonNode given) {
        ObjectNode shaped = JsonNodeFactory.instance.objectNode();
        for (String duration : List.of("Interval", "Timeout", "DeregisterCriticalServiceAfter")) {
            shaped.put(duration, given.path(duration).asText("0s"));
        }
        shaped.put("HTTP", given.path("HTTP").asText(""));
        shaped.set(
                "Header",
                given.hasNonNull("Header") ? given.get("Header") : NullNode.getInstance());
        shaped.put("Method", given.path("Method").asText(""));
        shaped.put("Body", given.path("Body").asText(""));
        shaped.put("TLSSkipVerify", given.path("TLSSkipVerify").asBoolean(false));
        return shaped.put("TCP", given.path("TCP").asText(""));
    }

    /** The members that are there, in this order. */
    private static ObjectNode ordered(JsonNode given, List<String> names) {
        ObjectNode shaped = JsonNodeFactory.instance.objectNode();
        for (String name : names) {
            if (given.has(name)) {
                shaped.set(name, given.get(name));
            }
        }
        return shaped;
    }
}
