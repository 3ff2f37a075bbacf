package registry.agent.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import registry.api.json.GoDuration;

/** A checked tree, read by key: types are right already, only absence is left to deal with. */
final class Settings {
    private final ObjectNode tree;

    Settings(ObjectNode tree) {
        this.tree = tree;
    }

    /**
     * Puts {@code upper} over {@code lower}: scalars replace, lists are appended, objects merged by
     * key.
     *
     * @param lower is changed
     */
    static void merge(ObjectNode lower, ObjectNode upper) {
        for (Map.Entry<String, JsonNode> member : upper.properties()) {
            JsonNode below = lower.get(member.getKey());
            if (below instanceof ObjectNode object
                    && member.getValue() instanceof ObjectNode over) {
                merge(object, over);
            } else if (below instanceof ArrayNode list
                    && member.getValue() instanceof ArrayNode more) {
                list.addAll(more);
            } else {
                lower.set(member.getKey(), member.getValue().deepCopy());
            }
        }
    }

    boolean has(String key) {
        return tree.has(key);
    }

    /** The object under {@code key}, empty when there is none. */
    Settings section(String key) {
        return tree.get(key) instanceof ObjectNode section
                ? new Settings(section)
                : new Settings(JsonNodeFactory.instance.objectNode());
    }

    String text(String key, String absent) {
        return tree.path(key).asText(absent);
    }

    String text(String key) {
        return text(key, "");
    }

    boolean flag(String key, boolean absent) {
        return tree.path(key).asBoolean(absent);
    }

    int whole(String key, int absent) {
        JsonNode value = tree.path(key);
        return value.isMissingNode()
                ? absent
                : Math.clamp(value.longValue(), Integer.MIN_VALUE, Integer.MAX_VALUE);
    }

    long size(String key, long absent) {
        JsonNode value = tree.path(key);
        return value.isMissingNode() ? absent : value.longValue();
    }

    @Nullable Duration duration(String key) {
        JsonNode value = tree.path(key);
        return value.isMissingNode() ? null : GoDuration.parse(value.textValue());
    }

    Duration duration(String key, Duration absent) {
        Duration value = duration(key);
        return value == null ? absent : value;
    }

    List<String> texts(String key) {
        return texts(tree.path(key));
    }

    SortedMap<String, String> textMap(String key) {
        var map = new TreeMap<String, String>();
        for (Map.Entry<String, JsonNode> member : tree.path(key).properties()) {
            map.put(member.getKey(), member.getValue().textValue());
        }
        return map;
    }

    SortedMap<String, List<String>> textLists(String key) {
        var map = new TreeMap<String, List<String>>();
        for (Map.Entry<String, JsonNode> member : tree.path(key).properties()) {
            map.put(member.getKey(), texts(member.getValue()));
        }
        return map;
    }

    /** Names and objects of a section map. */
    SortedMap<String, Settings> sections(String key) {
        var map = new TreeMap<String, Settings>();
        for (Map.Entry<String, JsonNode> member : tree.path(key).properties()) {
            map.put(member.getKey(), new Settings((ObjectNode) member.getValue()));
        }
        return map;
    }

    /**
     * The object under {@code singular} and those listed under {@code plural}, in this order, each
     * with its path.
     */
    Map<String, Settings> oneOrMore(String singular, String plural) {
        var all = new LinkedHashMap<String, Settings>();
        if (tree.get(singular) instanceof ObjectNode one) {
            all.put(singular, new Settings(one));
        }
        int index = 0;
        for (JsonNode member : tree.path(plural)) {
            all.put("%s[%d]".formatted(plural, index++), new Settings((ObjectNode) member));
        }
        return all;
    }

    private static List<String> texts(JsonNode list) {
        var texts = new ArrayList<String>();
        list.forEach(member -> texts.add(member.textValue()));
        return List.copyOf(texts);
    }
}
