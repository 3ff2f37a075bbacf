package registry.agent.cli;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The query of a request, in the order and spelling of Go's url.Values: sorted by name, {@code
 * name=} for no value.
 */
final class Query {
    private final TreeMap<String, List<String>> values = new TreeMap<>();

    Query add(String name, String value) {
        values.computeIfAbsent(name, unused -> new ArrayList<>()).add(value);
        return this;
    }

    /** Nothing is added for an empty value. */
    Query addGiven(String name, String value) {
        return value.isEmpty() ? this : add(name, value);
    }

    Query addIf(boolean condition, String name, String value) {
        return condition ? add(name, value) : this;
    }

    /** Behind the path: empty, or with its question mark. */
    String encoded() {
        var text = new StringBuilder();
        for (Map.Entry<String, List<String>> entry : values.entrySet()) {
            for (String value : entry.getValue()) {
                text.append(text.isEmpty() ? '?' : '&');
                text.append(escape(entry.getKey())).append('=').append(escape(value));
            }
        }
        return text.toString();
    }

    private static String escape(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8)
                .replace("*", "%2A")
                .replace("%7E", "~");
    }

    /** A path with {@code tail} behind it, each byte escaped that a path may not have. */
    static String path(String head, String tail) {
        var text = new StringBuilder(head);
        for (byte b : tail.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            boolean plain =
                    c < 128 && (Character.isLetterOrDigit(c) || "-_.~$&+,/:;=@".indexOf(c) >= 0);
            text.append(plain ? String.valueOf(c) : "%%%02X".formatted((int) c));
        }
        return text.toString();
    }
}
