package registry.server.query;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A text with places that the name asked for fills in: <code>${name.full}</code>, <code>
 * ${name.prefix}</code>, <code>${name.suffix}</code>, <code>${match(N)}</code>, <code>
 * ${agent.segment}</code>. Two dollars before the brace stand for the text itself. Of Consul's HIL
 * it takes these, and no arithmetic.
 */
record Interpolation(List<Part> parts) {
    private static final Pattern MATCH = Pattern.compile("match\\(\\s*(-?[0-9]{1,9})\\s*\\)");

    /** A piece of the text. */
    sealed interface Part {
        record Literal(String text) implements Part {}

        record Full() implements Part {}

        record Prefix() implements Part {}

        record Suffix() implements Part {}

        /** A group of the template's expression; empty when it has no such group. */
        record Group(int number) implements Part {}

        /** A network segment, of which there is one without a name. */
        record Segment() implements Part {}

        /** Whether it is filled in. */
        default boolean isPlace() {
            return !(this instanceof Literal);
        }
    }

    /** What the places are filled in with; {@code groups} begins with the whole match. */
    record Values(String full, String prefix, String suffix, List<String> groups) {}

    /** Why a text cannot be understood. */
    static final class Fault extends Exception {
        private static final long serialVersionUID = 1L;

        Fault(String message) {
            super(message);
        }

        String text() {
            return String.valueOf(getMessage());
        }
    }

    static Interpolation parse(String text) throws Fault {
        List<Part> parts = new ArrayList<>();
        var literal = new StringBuilder();
        int at = 0;
        while (at < text.length()) {
            if (text.startsWith("$${", at)) {
                literal.append("${");
                at += 3;
            } else if (text.startsWith("${", at)) {
                int end = text.indexOf('}', at);
                if (end < 0) {
                    throw new Fault("\"${\" without its \"}\"");
                }
                if (!literal.isEmpty()) {
                    parts.add(new Part.Literal(literal.toString()));
                    literal.setLength(0);
                }
                parts.add(place(text.substring(at + 2, end).strip()));
                at = end + 1;
            } else {
                literal.append(text.charAt(at++));
            }
        }
        if (!literal.isEmpty()) {
            parts.add(new Part.Literal(literal.toString()));
        }
        return new Interpolation(List.copyOf(parts));
    }

    private static Part place(String word) throws Fault {
        Matcher match = MATCH.matcher(word);
        if (match.matches()) {
            return new Part.Group(Integer.parseInt(match.group(1)));
        }
        return switch (word) {
            case "name.full" -> new Part.Full();
            case "name.prefix" -> new Part.Prefix();
            case "name.suffix" -> new Part.Suffix();
            case "agent.segment" -> new Part.Segment();
            default ->
                    throw new Fault(
                            "\"%s\" is none of name.full, name.prefix, name.suffix, match(N), agent.segment"
                                    .formatted(word));
        };
    }

    /** How many places it has. */
    long places() {
        return parts.stream().filter(Part::isPlace).count();
    }

    String fill(Values values) {
        var out = new StringBuilder();
        for (Part part : parts) {
            out.append(
                    switch (part) {
                        case Part.Literal(String text) -> text;
                        case Part.Full() -> values.full();
                        case Part.Prefix() -> values.prefix();
                        case Part.Suffix() -> values.suffix();
                        case Part.Group(int number) ->
                                number < 0 || number >= values.groups().size()
                                        ? ""
                                        : values.groups().get(number);
                        case Part.Segment() -> "";
                    });
        }
        return out.toString();
    }
}
