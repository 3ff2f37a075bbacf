package registry.haproxy;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import registry.api.json.GoDuration;
import registry.haproxy.Source.Mapping;
import registry.haproxy.Source.Scalar;
import registry.haproxy.Source.Sequence;

/**
 * One mapping of the input, asked key by key. A wrong value is noted and its default goes on in its
 * place, so that one run names all mistakes; what nobody asked for is unknown.
 */
final class Section {
    private final Path file;
    private final String path;
    private final Mapping mapping;
    private final List<String> problems;
    private final Set<String> asked = new HashSet<>();

    Section(Path file, String path, Mapping mapping, List<String> problems) {
        this.file = file;
        this.path = path;
        this.mapping = mapping;
        this.problems = problems;
    }

    boolean has(String key) {
        return find(key) != null;
    }

    String text(String key, String defaultValue, Pattern form, String expected) {
        Source value = find(key);
        if (value == null) {
            return defaultValue;
        }
        String text = textOf(value, pathOf(key));
        if (text == null) {
            return defaultValue;
        }
        if (!form.matcher(text).matches()) {
            problem(value, pathOf(key), Printable.quoted(text) + " is not " + expected);
            return defaultValue;
        }
        return text;
    }

    @Nullable String optionalText(String key, Pattern form, String expected) {
        String text = text(key, "", form, expected);
        return text.isEmpty() ? null : text;
    }

    /** A list of texts; a single text counts as a list of one. */
    List<String> texts(String key, Pattern form, String expected) {
        Source value = find(key);
        if (value == null) {
            return List.of();
        }
        List<Source> items = value instanceof Sequence list ? list.items() : List.of(value);
        List<String> texts = new ArrayList<>();
        for (int at = 0; at < items.size(); at++) {
            String itemPath =
                    value instanceof Sequence ? pathOf(key) + "[" + at + "]" : pathOf(key);
            String text = textOf(items.get(at), itemPath);
            if (text != null && !form.matcher(text).matches()) {
                problem(items.get(at), itemPath, Printable.quoted(text) + " is not " + expected);
            } else if (text != null) {
                texts.add(text);
            }
        }
        return List.copyOf(texts);
    }

    /** A mapping of words to texts. */
    Map<String, String> textMap(String key, Pattern form, String expected) {
        Section inner = section(key);
        Map<String, String> texts = new LinkedHashMap<>();
        for (String word : inner.mapping.entries().keySet()) {
            if (form.matcher(word).matches()) {
                texts.put(word, inner.text(word, "", form, expected));
            } else {
                inner.asked.add(word);
                inner.problem(word, Printable.quoted(word) + " is not " + expected);
            }
        }
        return Collections.unmodifiableMap(texts);
    }

    List<URI> uris(String key, List<URI> defaultValue) {
        Source value = find(key);
        List<String> texts =
                texts(
                        key,
                        Pattern.compile("https?://[^/?#@\\s]+/?"),
                        "an address like \"http://127.0.0.1:8500\"");
        List<URI> uris = new ArrayList<>();
        for (String text : texts) {
            try {
                uris.add(new URI(text.endsWith("/") ? text.substring(0, text.length() - 1) : text));
            } catch (URISyntaxException e) {
                problem(mapping, pathOf(key), Printable.quoted(text) + ": " + e.getReason());
            }
        }
        if (value instanceof Sequence list && list.items().isEmpty()) {
            problem(value, pathOf(key), "expected at least one");
        }
        return uris.isEmpty() ? defaultValue : List.copyOf(uris);
    }

    int number(String key, int defaultValue, int least, int most) {
        Source value = find(key);
        if (value == null) {
            return defaultValue;
        }
        if (value instanceof Scalar scalar && scalar.value() instanceof Long number) {
            if (number >= least && number <= most) {
                return number.intValue();
            }
            problem(value, pathOf(key), number + " is not between " + least + " and " + most);
            return defaultValue;
        }
        problem(value, pathOf(key), "expected a number, found " + found(value));
        return defaultValue;
    }

    boolean flag(String key, boolean defaultValue) {
        Source value = find(key);
        if (value == null) {
            return defaultValue;
        }
        if (value instanceof Scalar scalar && scalar.value() instanceof Boolean flag) {
            return flag;
        }
        problem(value, pathOf(key), "expected true or false, found " + found(value));
        return defaultValue;
    }

    Duration duration(String key, Duration defaultValue, Duration least) {
        Source value = find(key);
        if (value == null) {
            return defaultValue;
        }
        if (!(value instanceof Scalar scalar && scalar.value() instanceof String text)) {
            problem(value, pathOf(key), "expected a duration like \"10s\", found " + found(value));
            return defaultValue;
        }
        try {
            Duration duration = GoDuration.parse(text);
            // HAProxy counts milliseconds in 31 bits.
            if (duration.compareTo(least) < 0 || duration.compareTo(Duration.ofDays(24)) > 0) {
                problem(
                        value,
                        pathOf(key),
                        Printable.quoted(text)
                                + " is not between "
                                + GoDuration.format(least)
                                + " and 576h");
                return defaultValue;
            }
            return duration;
        } catch (IllegalArgumentException e) {
            problem(value, pathOf(key), Printable.of(String.valueOf(e.getMessage())));
            return defaultValue;
        }
    }

    /** One of the words, each standing for a value. */
    <T> T choice(String key, Map<String, T> words, T defaultValue) {
        Source value = find(key);
        if (value == null) {
            return defaultValue;
        }
        String text = textOf(value, pathOf(key));
        if (text == null) {
            return defaultValue;
        }
        T chosen = words.get(text);
        if (chosen == null) {
            problem(
                    value,
                    pathOf(key),
                    Printable.quoted(text)
                            + " is not one of "
                            + String.join(", ", new TreeSet<>(words.keySet())));
            return defaultValue;
        }
        return chosen;
    }

    /** The mapping under {@code key}; an empty one if it is absent. */
    Section section(String key) {
        Source value = find(key);
        if (value instanceof Mapping found) {
            return new Section(file, pathOf(key), found, problems);
        }
        if (value != null) {
            problem(value, pathOf(key), "expected a mapping, found " + found(value));
        }
        return new Section(file, pathOf(key), new Mapping(mapping.line(), Map.of()), problems);
    }

    Optional<Section> mappingAt(String key) {
        return find(key) instanceof Mapping ? Optional.of(section(key)) : Optional.empty();
    }

    /** All entries, each a mapping of its own, made into a list. */
    <T> List<T> each(
            Pattern keyForm, String expectedKey, Function<String, Function<Section, T>> read) {
        Map<String, T> made = new LinkedHashMap<>();
        mapping.entries()
                .forEach((key, value) -> {
                    if (!keyForm.matcher(key).matches()) {
                        asked.add(key);
                        problem(value, pathOf(Printable.of(key)), "the name is not " + expectedKey);
                    } else {
                        Section inner = section(key);
                        made.put(key, read.apply(key).apply(inner));
                        inner.end();
                    }
                });
        return List.copyOf(made.values());
    }

    /** To be called when all keys have been asked for. */
    void end() {
        mapping.entries()
                .forEach((key, value) -> {
                    if (!asked.contains(key)) {
                        problem(
                                value,
                                pathOf(Printable.of(key)),
                                "unknown key, known are "
                                        + String.join(", ", new TreeSet<>(asked)));
                    }
                });
    }

    void problem(String key, String what) {
        Source value = mapping.entries().get(key);
        problem(value == null ? mapping : value, pathOf(key), what);
    }

    private void problem(Source where, String valuePath, String what) {
        String shown = valuePath.isEmpty() ? "" : valuePath + ": ";
        problems.add(file + ":" + where.line() + ": " + shown + what);
    }

    private @Nullable Source find(String key) {
        asked.add(key);
        return mapping.entries().get(key);
    }

    private @Nullable String textOf(Source value, String valuePath) {
        if (value instanceof Scalar scalar && scalar.value() instanceof String text) {
            return text;
        }
        problem(value, valuePath, "expected a text, found " + found(value));
        return null;
    }

    private static String found(Source value) {
        return switch (value) {
            case Mapping m -> "a mapping";
            case Sequence s -> "a list";
            case Scalar s when s.value() == null -> "nothing";
            case Scalar s when s.value() instanceof String text -> Printable.quoted(text);
            case Scalar s -> String.valueOf(s.value());
        };
    }

    private String pathOf(String key) {
        return path.isEmpty() ? key : path + "." + key;
    }
}
