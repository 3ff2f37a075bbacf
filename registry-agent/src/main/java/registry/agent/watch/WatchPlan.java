package registry.agent.watch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import registry.agent.config.WatchDefinition;
import registry.api.client.RegistryClient.Answer;
import registry.api.json.Json;

/**
 * What a watch asks, and the form in which its handler gets the answer. Source: consul-api 13.
 *
 * @param target path and query without the index
 * @param shape how the body becomes the result
 */
record WatchPlan(String type, String target, Shape shape) {
    /** Forms of a result. */
    enum Shape {
        AS_IT_IS,
        /** One pair, null when the key is absent. */
        PAIR,
        /** A list of pairs, null when there is none. */
        PAIRS,
        /** Instances with their nodes and checks. */
        ENTRIES,
        CHECKS
    }

    /**
     * @param definition without faults, see {@code WatchRules}
     */
    static WatchPlan of(WatchDefinition definition) {
        ObjectNode given = definition.parameters();
        var query = new ArrayList<String>();
        String path =
                switch (definition.type()) {
                    case "key" -> "/v1/kv/" + pathOf(text(given, "key"));
                    case "keyprefix" -> {
                        query.add("recurse=");
                        yield "/v1/kv/" + pathOf(text(given, "prefix"));
                    }
                    case "services" -> "/v1/catalog/services";
                    case "nodes" -> "/v1/catalog/nodes";
                    case "service" -> {
                        tags(given.path("tag")).forEach(tag -> query.add("tag=" + escape(tag)));
                        if (given.path("passingonly").asBoolean(false)) {
                            query.add("passing=1");
                        }
                        yield "/v1/health/service/" + pathOf(text(given, "service"));
                    }
                    case "checks" ->
                            given.has("service")
                                    ? "/v1/health/checks/" + pathOf(text(given, "service"))
                                    : "/v1/health/state/"
                                            + pathOf(given.path("state").asText("any"));
                    case "event" -> {
                        if (!text(given, "name").isEmpty()) {
                            query.add("name=" + escape(text(given, "name")));
                        }
                        yield "/v1/event/list";
                    }
                    default ->
                            throw new IllegalArgumentException("watch type " + definition.type());
                };
        if (given.path("stale").asBoolean(false)) {
            query.add("stale=");
        }
        if (!text(given, "datacenter").isEmpty()) {
            query.add("dc=" + escape(text(given, "datacenter")));
        }
        Shape shape =
                switch (definition.type()) {
                    case "key" -> Shape.PAIR;
                    case "keyprefix" -> Shape.PAIRS;
                    case "service" -> Shape.ENTRIES;
                    case "checks" -> Shape.CHECKS;
                    default -> Shape.AS_IT_IS;
                };
        return new WatchPlan(
                definition.type(),
                query.isEmpty() ? path : path + "?" + String.join("&", query),
                shape);
    }

    /** The request that waits for a change since {@code index}; 0 does not wait. */
    String targetSince(long index) {
        if (index == 0) {
            return target;
        }
        return target
                + (target.indexOf('?') < 0 ? "?" : "&")
                + "index="
                + Long.toUnsignedString(index);
    }

    /**
     * What a handler gets to see.
     *
     * @throws IOException when the answer is an error
     */
    JsonNode result(Answer answer) throws IOException {
        if (answer.status() == 404 && (shape == Shape.PAIR || shape == Shape.PAIRS)) {
            return NullNode.getInstance();
        }
        if (answer.status() != 200) {
            throw new IOException(
                    "Unexpected response code: %d (%s)".formatted(answer.status(), answer.text()));
        }
        JsonNode body;
        try {
            body = Json.tree(answer.body());
        } catch (UncheckedIOException e) {
            throw new IOException("the answer is not JSON", e);
        }
        return switch (shape) {
            case AS_IT_IS -> body;
            case PAIR -> GoShape.pair(body.path(0));
            case PAIRS -> GoShape.pairs(body);
            case ENTRIES -> GoShape.entries(body);
            case CHECKS -> GoShape.checks(body);
        };
    }

    private static List<String> tags(JsonNode given) {
        var tags = new ArrayList<String>();
        if (given.isTextual()) {
            tags.add(given.textValue());
        }
        given.forEach(tag -> tags.add(tag.asText()));
        return tags;
    }

    private static String text(ObjectNode given, String name) {
        return given.path(name).asText("");
    }

    private static String escape(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    private static String pathOf(String text) {
        return escape(text).replace("+", "%20").replace("%2F", "/");
    }
}
