package registry.haproxy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A whole haproxy.cfg as its owner wants it, with what only the companion knows put in: the escape
 * hatch. A line that holds only {@code @global}, {@code @defaults}, {@code @frontends}, {@code
 * @backend KEY} or {@code @servers KEY} is replaced by lines, <code>{{env NAME}}</code> within a
 * line by a value.
 *
 * @param text has neither control characters nor unknown words
 */
record Template(String text) {
    private static final Pattern DIRECTIVE = Pattern.compile("\\s*@([a-z]+)(?: ([^ ]+))?\\s*");
    private static final Pattern VALUE =
            Pattern.compile("\\{\\{ *env +([A-Za-z_][A-Za-z0-9_]*) *}}");
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_.:/@%+=,-]+");

    /** Writes the lines that stand for a directive. */
    interface Lines {
        String of(String word, @Nullable String key);
    }

    /**
     * @throws InputException with file and line, when a value cannot be put in
     */
    static Template of(String file, String text, Map<String, String> environment) {
        List<String> problems = new ArrayList<>();
        List<String> lines = new ArrayList<>();
        boolean global = false;
        int number = 0;
        for (String line : text.split("\n", -1)) {
            number++;
            String where = file + ":" + number + ": ";
            if (line.chars().anyMatch(c -> c < ' ' && c != '\t' || c == 127)) {
                problems.add(where + "a control character");
                continue;
            }
            Matcher directive = DIRECTIVE.matcher(line);
            if (directive.matches()) {
                String problem = problem(directive.group(1), directive.group(2));
                if (problem != null) {
                    problems.add(where + problem);
                }
                global |= directive.group(1).equals("global");
            }
            try {
                lines.add(
                        VALUE.matcher(line)
                                .replaceAll(found ->
                                        Matcher.quoteReplacement(
                                                value(found.group(1), environment))));
            } catch (InputException e) {
                problems.add(where + e.getMessage());
            }
        }
        if (!global) {
            problems.add(file + ": lacks the line @global, without which HAProxy cannot be driven");
        }
        if (!problems.isEmpty()) {
            throw new InputException(problems);
        }
        return new Template(String.join("\n", lines));
    }

    private static @Nullable String problem(String word, @Nullable String key) {
        return switch (word) {
            case "global", "defaults", "frontends" ->
                    key == null ? null : "@" + word + " takes no key";
            case "backend", "servers" ->
                    key == null ? "@" + word + " needs the key of a service" : null;
            default ->
                    "@"
                            + Printable.of(word)
                            + " is not one of @global, @defaults, @frontends, @backend, @servers";
        };
    }

    private static String value(String name, Map<String, String> environment) {
        String value =
                Optional.ofNullable(environment.get(name))
                        .orElseThrow(() -> new InputException("env " + name + " is not set"));
        return quoted("env " + name, value);
    }

    /**
     * {@code value} as one word of HAProxy's grammar, whatever it holds.
     *
     * @throws InputException when it holds a control character, which no quotes make harmless
     */
    static String quoted(String what, String value) {
        if (value.codePoints()
                .anyMatch(c -> Character.isISOControl(c) || c == 0x2028 || c == 0x2029)) {
            throw new InputException(
                    what + " holds a control character: " + Printable.quoted(value));
        }
        return PLAIN.matcher(value).matches() ? value : "'" + value.replace("'", "'\\''") + "'";
    }

    /** The services it has a place for. */
    List<String> keys() {
        return text.lines()
                .map(DIRECTIVE::matcher)
                .filter(directive -> directive.matches() && directive.group(2) != null)
                .map(directive -> directive.group(2))
                .toList();
    }

    String render(Lines lines) {
        var out = new StringBuilder();
        text.lines()
                .forEach(line -> {
                    Matcher directive = DIRECTIVE.matcher(line);
                    if (directive.matches()) {
                        out.append(lines.of(directive.group(1), directive.group(2)));
                    } else {
                        out.append(line).append('\n');
                    }
                });
        return out.toString();
    }
}
