package registry.agent.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Options under Go's rules: {@code -name value}, {@code -name=value} and the same with two dashes;
 * a boolean takes a value only behind {@code =}; what follows the first argument that is no option
 * is left alone. Source: pkg.go.dev/flag#hdr-Command_line_flag_syntax
 */
final class Flags {
    private static final Set<String> TRUE = Set.of("1", "t", "T", "true", "TRUE", "True");
    private static final Set<String> FALSE = Set.of("0", "f", "F", "false", "FALSE", "False");

    private final Map<String, Flag> known = new LinkedHashMap<>();
    private final Map<String, List<String>> given = new LinkedHashMap<>();
    private final List<Map.Entry<String, String>> sequence = new ArrayList<>();
    private List<String> arguments = List.of();

    private enum Kind {
        TEXT,
        SWITCH,
        NUMBER
    }

    private record Flag(Kind kind, boolean repeats, String meaning) {}

    /** {@code -h} in the place of an option. */
    static final class HelpWanted extends Exception {
        private static final long serialVersionUID = 1L;

        HelpWanted() {
            super(null, null, false, false);
        }
    }

    Flags text(String name, String meaning) {
        return add(name, Kind.TEXT, false, meaning);
    }

    /** May be given several times. */
    Flags texts(String name, String meaning) {
        return add(name, Kind.TEXT, true, meaning);
    }

    Flags number(String name, String meaning) {
        return add(name, Kind.NUMBER, false, meaning);
    }

    Flags onOff(String name, String meaning) {
        return add(name, Kind.SWITCH, false, meaning);
    }

    private Flags add(String name, Kind kind, boolean repeats, String meaning) {
        known.put(name, new Flag(kind, repeats, meaning));
        return this;
    }

    /**
     * Reads the options of a command.
     *
     * @throws Failure with Go's message; the usage is to follow
     */
    void parse(List<String> words) throws Failure, HelpWanted {
        int at = 0;
        while (at < words.size()) {
            String word = words.get(at);
            if (word.length() < 2 || word.charAt(0) != '-') {
                break;
            }
            at++;
            if (word.equals("--")) {
                break;
            }
            String name = word.substring(word.startsWith("--") ? 2 : 1);
            if (name.isEmpty() || name.charAt(0) == '-' || name.charAt(0) == '=') {
                throw Failure.misuse("bad flag syntax: " + word);
            }
            int equals = name.indexOf('=');
            String value = equals < 0 ? null : name.substring(equals + 1);
            name = equals < 0 ? name : name.substring(0, equals);
            Flag flag = known.get(name);
            if (flag == null) {
                if (name.equals("h") || name.equals("help")) {
                    throw new HelpWanted();
                }
                throw Failure.misuse("flag provided but not defined: -" + name);
            }
            if (value == null && flag.kind() == Kind.SWITCH) {
                value = "true";
            } else if (value == null) {
                if (at == words.size()) {
                    throw Failure.misuse("flag needs an argument: -" + name);
                }
                value = words.get(at++);
            }
            accept(name, flag, value);
        }
        arguments = List.copyOf(words.subList(at, words.size()));
    }

    private void accept(String name, Flag flag, String value) throws Failure {
        if (flag.kind() == Kind.SWITCH && !TRUE.contains(value) && !FALSE.contains(value)) {
            throw Failure.misuse(
                    "invalid boolean value \"%s\" for -%s: parse error".formatted(value, name));
        }
        if (flag.kind() == Kind.NUMBER && !isNumber(value)) {
            throw Failure.misuse(
                    "invalid value \"%s\" for flag -%s: parse error".formatted(value, name));
        }
        List<String> values = given.computeIfAbsent(name, unused -> new ArrayList<>());
        if (!flag.repeats()) {
            values.clear();
        }
        values.add(value);
        sequence.add(Map.entry(name, value));
    }

    private static boolean isNumber(String value) {
        try {
            Long.parseUnsignedLong(value.startsWith("-") ? value.substring(1) : value);
            return true;
        } catch (NumberFormatException e) {
            return false;
        }
    }

    boolean isGiven(String name) {
        return given.containsKey(name);
    }

    /** Names of the given options. */
    Set<String> given() {
        return given.keySet();
    }

    String get(String name) {
        return given.getOrDefault(name, List.of("")).getLast();
    }

    String get(String name, String absent) {
        return given.getOrDefault(name, List.of(absent)).getLast();
    }

    List<String> all(String name) {
        return List.copyOf(given.getOrDefault(name, List.of()));
    }

    /** Values of several options in the order given. */
    List<String> inOrder(Set<String> names) {
        return sequence.stream()
                .filter(option -> names.contains(option.getKey()))
                .map(Map.Entry::getValue)
                .toList();
    }

    boolean isOn(String name) {
        return TRUE.contains(get(name));
    }

    /** What follows the options. */
    List<String> arguments() {
        return arguments;
    }

    /** The options as a usage text lists them. */
    String help() {
        var text = new StringBuilder();
        known.forEach((name, flag) -> {
            text.append("\n  -").append(name);
            text.append(
                    switch (flag.kind()) {
                        case TEXT -> "=<value>";
                        case NUMBER -> "=<number>";
                        case SWITCH -> "";
                    });
            text.append("\n     ").append(flag.meaning()).append('\n');
        });
        return text.toString();
    }
}
