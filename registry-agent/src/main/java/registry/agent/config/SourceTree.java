package registry.agent.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import registry.agent.config.Shape.Effect;
import registry.agent.config.Shape.Key;
import registry.agent.config.Shape.Scalar;
import registry.agent.config.Shape.Section;
import registry.agent.config.Shape.SectionMap;
import registry.agent.config.Shape.Sections;
import registry.api.json.GoDuration;

/**
 * Checks one source against the known keys while its name is still at hand, and hands on a tree
 * with the names of KnownKeys, without nulls and aliases: what is merged and bound later has the
 * right types.
 */
final class SourceTree {
    private final String source;
    private final Consumer<String> warnings;
    private final List<String> unknown = new ArrayList<>();

    private SourceTree(String source, Consumer<String> warnings) {
        this.source = source;
        this.warnings = warnings;
    }

    /**
     * @param source file name, or what else messages call it
     * @throws ConfigException for unknown keys all together, in Consul's form; else for the first
     *     value that is wrong
     */
    static ObjectNode check(String source, JsonNode raw, Section section, Consumer<String> warnings)
            throws ConfigException {
        var tree = new SourceTree(source, warnings);
        if (!raw.isObject() && !raw.isNull()) {
            throw tree.fault("", "%s, expected an object".formatted(show(raw)));
        }
        ObjectNode checked = tree.section("", raw, section);
        if (!tree.unknown.isEmpty()) {
            throw new ConfigException(
                    "failed to parse %s: %s".formatted(source, tree.unknownKeys()));
        }
        return checked;
    }

    /** The form of Consul's error list, down to its empty line. */
    private String unknownKeys() {
        var text = new StringBuilder();
        text.append(unknown.size())
                .append(unknown.size() == 1 ? " error occurred:" : " errors occurred:");
        unknown.forEach(key -> text.append("\n\t* invalid config key ").append(key));
        return text.append("\n\n").toString();
    }

    private ObjectNode section(String path, JsonNode raw, Section section) throws ConfigException {
        ObjectNode checked = JsonNodeFactory.instance.objectNode();
        for (Map.Entry<String, JsonNode> member : raw.properties()) {
            String name = member.getKey().toLowerCase(Locale.ROOT);
            name = section.aliases().getOrDefault(name, name);
            Key key = section.keys().get(name);
            if (key == null) {
                unknown.add(join(path, member.getKey()));
            } else if (!member.getValue().isNull()) {
                String at = join(path, name);
                JsonNode value = value(at, member.getValue(), key.shape());
                judge(at, key.effect(), value);
                checked.set(name, value);
            }
        }
        return checked;
    }

    private void judge(String path, Effect effect, JsonNode value) throws ConfigException {
        if (effect == Effect.HONOURED || effect == Effect.SETTLED || !isSet(value)) {
            return;
        }
        switch (effect) {
            case PROTECTION ->
                    throw fault(
                            path,
                            "a security setting that this version does not implement; remove it to start without");
            case UNAVAILABLE -> throw fault(path, "not available in this version");
            default ->
                    warnings.accept("%s: %s has no effect in this version".formatted(source, path));
        }
    }

    /** Whether a value asks for anything: false, nothing and numbers below 1 do not. */
    private static boolean isSet(JsonNode value) {
        if (value.isContainerNode()) {
            return value.valueStream().anyMatch(SourceTree::isSet);
        }
        return value.isTextual()
                ? !value.textValue().isEmpty()
                : value.isNumber() ? value.doubleValue() > 0 : value.asBoolean();
    }

    private JsonNode value(String path, JsonNode raw, Shape shape) throws ConfigException {
        return switch (shape) {
            case Scalar scalar -> scalar(path, raw, scalar);
            case Section section -> section(path, object(path, unwrapped(raw)), section);
            case Sections sections -> sections(path, raw, sections.of());
            case SectionMap map -> sectionMap(path, object(path, raw), map.of());
        };
    }

    private boolean isHcl() {
        return source.endsWith("hcl");
    }

    /** A list of one object is as good. */
    private static JsonNode unwrapped(JsonNode raw) {
        return raw.isArray() && raw.size() == 1 ? raw.get(0) : raw;
    }

    private JsonNode object(String path, JsonNode raw) throws ConfigException {
        if (raw.isObject()) {
            return raw;
        }
        boolean several = raw.isArray() && (path.endsWith("service") || path.endsWith("check"));
        if (several && isHcl() && path.indexOf('.') < 0) {
            // Consul's words for several blocks of one name.
            throw fault(
                    "",
                    "1 error(s) decoding:\n\n* '%s' expected a map, got 'slice'".formatted(path));
        }
        String hint = several ? " (several of them go into \"" + path + "s\")" : "";
        throw fault(path, "%s, expected an object%s".formatted(show(raw), hint));
    }

    private ArrayNode sections(String path, JsonNode raw, Section of) throws ConfigException {
        ArrayNode checked = JsonNodeFactory.instance.arrayNode();
        // A single block of HCL is a list of one.
        JsonNode members =
                raw.isObject() && isHcl()
                        ? JsonNodeFactory.instance.arrayNode().add(raw)
                        : list(path, raw, "a list of objects");
        for (JsonNode member : members) {
            String at = "%s[%d]".formatted(path, checked.size());
            checked.add(section(at, object(at, member), of));
        }
        return checked;
    }

    private ObjectNode sectionMap(String path, JsonNode raw, Section of) throws ConfigException {
        ObjectNode checked = JsonNodeFactory.instance.objectNode();
        for (Map.Entry<String, JsonNode> member : raw.properties()) {
            String at = join(path, member.getKey());
            checked.set(member.getKey(), section(at, object(at, unwrapped(member.getValue())), of));
        }
        return checked;
    }

    private JsonNode scalar(String path, JsonNode raw, Scalar shape) throws ConfigException {
        boolean fits =
                switch (shape) {
                    case TEXT -> raw.isTextual();
                    case BOOL -> raw.isBoolean();
                    case WHOLE -> isWhole(raw);
                    case REAL -> raw.isNumber();
                    case PORT -> isWhole(raw) && raw.longValue() >= -1 && raw.longValue() <= 65535;
                    case DURATION -> raw.isTextual() && isDuration(path, raw.textValue());
                    case ANYTHING -> true;
                    case TEXT_LIST, TEXT_MAP, TEXT_LISTS -> true;
                };
        if (!fits) {
            throw fault(path, "%s, expected %s".formatted(show(raw), shape.words()));
        }
        switch (shape) {
            case TEXT_LIST -> texts(path, list(path, raw, shape.words()));
            case TEXT_MAP -> texts(path, object(path, raw));
            case TEXT_LISTS -> {
                for (Map.Entry<String, JsonNode> member : object(path, raw).properties()) {
                    String at = join(path, member.getKey());
                    texts(at, list(at, member.getValue(), Scalar.TEXT_LIST.words()));
                }
            }
            default -> {}
        }
        return raw;
    }

    private static boolean isWhole(JsonNode raw) {
        return (raw.isIntegralNumber() || raw.canConvertToExactIntegral())
                && raw.canConvertToLong();
    }

    private boolean isDuration(String path, String text) throws ConfigException {
        try {
            GoDuration.parse(text);
            return true;
        } catch (IllegalArgumentException e) {
            throw fault(path, String.valueOf(e.getMessage()));
        }
    }

    private JsonNode list(String path, JsonNode raw, String expected) throws ConfigException {
        if (!raw.isArray()) {
            throw fault(path, "%s, expected %s".formatted(show(raw), expected));
        }
        return raw;
    }

    private void texts(String path, JsonNode container) throws ConfigException {
        int index = 0;
        for (JsonNode member : container) {
            if (!member.isTextual()) {
                throw fault(path, "%s, expected only texts in it".formatted(show(member)));
            }
            index++;
        }
        if (index > 10_000) {
            throw fault(path, "%d members, expected at most 10000".formatted(index));
        }
    }

    private ConfigException fault(String path, String what) {
        String at = path.isEmpty() ? source : source + ": " + path;
        return new ConfigException("failed to parse %s: %s".formatted(at, what));
    }

    /** The value as written, cut when long, with its type where the text alone would not tell. */
    private static String show(JsonNode value) {
        return switch (value.getNodeType()) {
            case ARRAY -> "a list";
            case OBJECT -> "an object";
            default -> {
                String text = value.toString();
                yield text.length() <= 100 ? text : text.substring(0, 100) + "…";
            }
        };
    }

    private static String join(String path, String name) {
        return path.isEmpty() ? name : path + "." + name;
    }
}
