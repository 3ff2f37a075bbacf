package registry.agent.http;

import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.core.io.JsonEOFException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import registry.api.ApiException;
import registry.api.json.GoDuration;
import registry.api.json.Json;

/**
 * A JSON object of a request, read as Go reads into a structure: names in any case, null as absent,
 * and nothing that is not expected. Each reader method takes a member's names, the first of them
 * its own, the others aliases. All faults are 400 and begin with {@code Request decode failed: }.
 * Source: consul-api 1.3.
 */
final class GoBody {
    /** A member as sent, by its lower-cased name. */
    private record Member(String name, JsonNode value) {}

    private final String path;
    private final Map<String, Member> unread;

    private GoBody(String path, JsonNode object) {
        this.path = path;
        unread = new LinkedHashMap<>();
        object.properties()
                .forEach(entry ->
                        unread.put(
                                entry.getKey().toLowerCase(Locale.ROOT),
                                new Member(entry.getKey(), entry.getValue())));
    }

    /**
     * Reads an object with {@code reader}, which has to ask for all members that there may be.
     *
     * @throws ApiException BAD_REQUEST with Go's words
     */
    static <T> T read(byte[] json, Function<GoBody, T> reader) {
        JsonNode node = parse(json);
        if (!node.isObject() && !node.isNull()) {
            throw fault("json: cannot unmarshal " + kindOf(node) + " into Go value");
        }
        return read("", node, reader);
    }

    /**
     * Reads a list of objects, those that are null as without members.
     *
     * @param type Go's name of the list
     */
    static <T> List<T> readList(byte[] json, String type, Function<GoBody, T> reader) {
        JsonNode node = parse(json);
        if (node.isNull()) {
            return List.of();
        }
        if (!node.isArray()) {
            throw fault(
                    "json: cannot unmarshal " + kindOf(node) + " into Go value of type " + type);
        }
        var read = new ArrayList<T>(node.size());
        for (JsonNode element : node) {
            if (!element.isObject() && !element.isNull()) {
                throw fault("json: cannot unmarshal " + kindOf(element) + " into Go value");
            }
            read.add(read("", element, reader));
        }
        return List.copyOf(read);
    }

    private static <T> T read(String path, JsonNode node, Function<GoBody, T> reader) {
        var body = new GoBody(path, node);
        T value = reader.apply(body);
        body.refuseUnread();
        return value;
    }

    private static JsonNode parse(byte[] json) {
        try (JsonParser parser = Json.mapper().createParser(json)) {
            try {
                JsonNode node = parser.readValueAsTree();
                if (node == null) {
                    throw fault("EOF");
                }
                return node;
            } catch (JsonEOFException e) {
                throw fault("unexpected EOF");
            } catch (StreamConstraintsException e) {
                throw fault(
                        "json: nested deeper than "
                                + Json.MAX_DEPTH
                                + ", or a number or name that is too long");
            } catch (JsonParseException e) {
                throw fault(syntaxFault(parser, json, e));
            }
        } catch (IOException e) {
            throw fault("invalid JSON");
        }
    }

    private static String syntaxFault(JsonParser parser, byte[] json, JsonParseException e) {
        long offset = e.getLocation() == null ? -1 : e.getLocation().getByteOffset();
        int at = (int) Math.max(0, Math.min(offset, json.length - 1L));
        String wanted =
                parser.getParsingContext().inObject()
                                && parser.currentToken() != JsonToken.FIELD_NAME
                        ? "looking for beginning of object key string"
                        : "looking for beginning of value";
        int point = json.length == 0 ? ' ' : json[at] & 0xff;
        String shown =
                point >= 0x20 && point < 0x7f
                        ? String.valueOf((char) point)
                        : "\\x%02x".formatted(point);
        return "invalid character '" + shown + "' " + wanted;
    }

    /** Whether a member is there that nobody has read yet, be it null. */
    boolean has(String name) {
        return unread.containsKey(name.toLowerCase(Locale.ROOT));
    }

    /** A text; "" when absent. */
    String text(String... names) {
        JsonNode value = take(names);
        if (value == null) {
            return "";
        }
        if (!value.isTextual()) {
            throw mismatch(value, names[0], "string");
        }
        return value.textValue();
    }

    int number(String... names) {
        JsonNode value = take(names);
        if (value == null) {
            return 0;
        }
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
            throw mismatch(value, names[0], "int");
        }
        return value.intValue();
    }

    /** A number with a fraction; 0 when absent. */
    double decimal(String... names) {
        JsonNode value = take(names);
        return value == null ? 0 : decimalOf(value, names[0]);
    }

    /** A list of numbers with a fraction; empty when absent. */
    List<Double> decimals(String... names) {
        JsonNode value = take(names);
        if (value == null) {
            return List.of();
        }
        if (!value.isArray()) {
            throw mismatch(value, names[0], "[]float64");
        }
        var decimals = new ArrayList<Double>(value.size());
        for (JsonNode element : value) {
            decimals.add(element.isNull() ? 0 : decimalOf(element, names[0]));
        }
        return List.copyOf(decimals);
    }

    private double decimalOf(JsonNode value, String name) {
        if (!value.isNumber() || !Double.isFinite(value.doubleValue())) {
            throw mismatch(value, name, "float64");
        }
        return value.doubleValue();
    }

    /** A number from 0 to 2⁶⁴-1 in the bits of a long; 0 when absent. */
    long unsigned(String... names) {
        JsonNode value = take(names);
        if (value == null) {
            return 0;
        }
        if (!value.isIntegralNumber()
                || value.bigIntegerValue().signum() < 0
                || value.bigIntegerValue().bitLength() > Long.SIZE) {
            throw mismatch(value, names[0], "uint64");
        }
        return value.longValue();
    }

    /** Bytes in base64; null when absent or empty. */
    byte @Nullable [] bytes(String... names) {
        String text = text(names).replaceAll("[\\r\\n]", "");
        if (text.isEmpty()) {
            return null;
        }
        int end = text.length();
        while (end > text.length() - 2 && end > 0 && text.charAt(end - 1) == '=') {
            end--;
        }
        for (int at = 0; at < end; at++) {
            if (!isBase64(text.charAt(at))) {
                throw fault("illegal base64 data at input byte " + at);
            }
        }
        try {
            if (text.length() % 4 == 0) {
                return Base64.getDecoder().decode(text);
            }
        } catch (IllegalArgumentException e) {
            // Said below.
        }
        throw fault("illegal base64 data at input byte " + end);
    }

    private static boolean isBase64(char c) {
        return c >= 'A' && c <= 'Z'
                || c >= 'a' && c <= 'z'
                || c >= '0' && c <= '9'
                || c == '+'
                || c == '/';
    }

    boolean flag(String... names) {
        JsonNode value = take(names);
        if (value == null) {
            return false;
        }
        if (!value.isBoolean()) {
            throw mismatch(value, names[0], "bool");
        }
        return value.booleanValue();
    }

    /** Go's text form, or a number of nanoseconds; null when absent or zero. */
    @Nullable Duration duration(String... names) {
        JsonNode value = take(names);
        if (value == null) {
            return null;
        }
        Duration read;
        if (value.isNumber() && Double.isFinite(value.doubleValue())) {
            read = nanoseconds(value.decimalValue(), names[0]);
        } else if (value.isTextual()) {
            read = parsed(value.textValue());
        } else {
            throw mismatch(value, names[0], "time.Duration");
        }
        return read == null || read.isZero() ? null : read;
    }

    private static Duration nanoseconds(BigDecimal number, String name) {
        try {
            return Duration.ofNanos(number.toBigInteger().longValueExact());
        } catch (ArithmeticException e) {
            throw fault("time: " + name + " is too long");
        }
    }

    private static @Nullable Duration parsed(String text) {
        if (text.isEmpty()) {
            return null;
        }
        try {
            return GoDuration.parse(text);
        } catch (IllegalArgumentException e) {
            String message = String.valueOf(e.getMessage());
            int hint = message.indexOf(", expected");
            throw fault("time: " + (hint < 0 ? message : message.substring(0, hint)));
        }
    }

    /** A list of texts; empty when absent. */
    List<String> texts(String... names) {
        JsonNode value = take(names);
        return value == null ? List.of() : textsOf(value, names[0]);
    }

    /** A list of texts; null when absent, which Consul shows as something else than empty. */
    @Nullable List<String> textsIfAny(String... names) {
        JsonNode value = take(names);
        return value == null ? null : textsOf(value, names[0]);
    }

    private List<String> textsOf(JsonNode value, String name) {
        if (!value.isArray()) {
            throw mismatch(value, name, "[]string");
        }
        var texts = new ArrayList<String>(value.size());
        for (JsonNode element : value) {
            if (!element.isTextual() && !element.isNull()) {
                throw mismatch(element, name, "string");
            }
            texts.add(element.isNull() ? "" : element.textValue());
        }
        return List.copyOf(texts);
    }

    /** A map of texts; null when absent. */
    @Nullable SortedMap<String, String> textMap(String... names) {
        return map(
                (value, name) -> {
                    if (!value.isTextual() && !value.isNull()) {
                        throw mismatch(value, name, "string");
                    }
                    return value.isNull() ? "" : value.textValue();
                },
                names);
    }

    /** A map of lists, as of HTTP headers; empty when absent. */
    Map<String, List<String>> listMap(String... names) {
        SortedMap<String, List<String>> read = map(this::textsOf, names);
        return read == null ? Map.of() : read;
    }

    /** A map of objects; null when absent. */
    <T> @Nullable SortedMap<String, T> objectMap(Function<GoBody, T> reader, String... names) {
        return map((value, name) -> objectOf(value, name, reader), names);
    }

    private <T> @Nullable SortedMap<String, T> map(ValueReader<T> reader, String... names) {
        JsonNode value = take(names);
        if (value == null) {
            return null;
        }
        if (!value.isObject()) {
            throw mismatch(value, names[0], "map");
        }
        var read = new TreeMap<String, T>();
        value.properties()
                .forEach(
                        entry -> read.put(entry.getKey(), reader.read(entry.getValue(), names[0])));
        return read;
    }

    private interface ValueReader<T> {
        T read(JsonNode value, String name);
    }

    /** An object; null when absent. */
    <T> @Nullable T object(Function<GoBody, T> reader, String... names) {
        JsonNode value = take(names);
        return value == null ? null : objectOf(value, names[0], reader);
    }

    /** A list of objects, nulls left out; empty when absent. */
    <T> List<T> objects(Function<GoBody, T> reader, String... names) {
        JsonNode value = take(names);
        if (value == null) {
            return List.of();
        }
        if (!value.isArray()) {
            throw mismatch(value, names[0], "list");
        }
        var read = new ArrayList<T>(value.size());
        for (JsonNode element : value) {
            if (!element.isNull()) {
                read.add(objectOf(element, names[0], reader));
            }
        }
        return read;
    }

    private <T> T objectOf(JsonNode value, String name, Function<GoBody, T> reader) {
        if (!value.isObject()) {
            throw mismatch(value, name, "struct");
        }
        return read(path + "." + name, value, reader);
    }

    /** Takes members that may be there but say nothing to a registry. */
    void ignore(String... names) {
        for (String name : names) {
            unread.remove(name.toLowerCase(Locale.ROOT));
        }
    }

    /** The value under the first of the names that is there; null when none is, or JSON's null. */
    private @Nullable JsonNode take(String... names) {
        JsonNode found = null;
        for (String name : names) {
            Member member = unread.remove(name.toLowerCase(Locale.ROOT));
            if (found == null && member != null && !member.value().isNull()) {
                found = member.value();
            }
        }
        return found;
    }

    private void refuseUnread() {
        for (Member member : unread.values()) {
            String text = "json: unknown field \"" + member.name() + "\"";
            throw fault(
                    member.name().equals("Namespace")
                            ? text + " - Namespaces are a Consul Enterprise feature"
                            : text);
        }
    }

    private ApiException mismatch(JsonNode value, String name, String type) {
        return fault(
                "json: cannot unmarshal "
                        + kindOf(value)
                        + " into Go struct field "
                        + path
                        + "."
                        + name
                        + " of type "
                        + type);
    }

    private static String kindOf(JsonNode value) {
        return switch (value.getNodeType()) {
            case STRING -> "string";
            case NUMBER -> "number";
            case BOOLEAN -> "bool";
            case ARRAY -> "array";
            case OBJECT -> "object";
            default -> "null";
        };
    }

    private static ApiException fault(String text) {
        return ApiException.badRequest("Request decode failed: " + text);
    }
}
