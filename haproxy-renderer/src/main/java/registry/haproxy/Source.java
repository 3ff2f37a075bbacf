package registry.haproxy;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A YAML or JSON document in which every value still knows its line. */
sealed interface Source {
    /** The line the value begins on, from 1. */
    int line();

    /** Keys in the order of the file. */
    record Mapping(int line, Map<String, Source> entries) implements Source {}

    record Sequence(int line, List<Source> items) implements Source {}

    /** {@code value} is a String, Long, Double or Boolean; null for a key without a value. */
    record Scalar(int line, @Nullable Object value) implements Source {}

    /**
     * Reads {@code text}: JSON if the file is called {@code *.json}, else YAML.
     *
     * @throws InputException with the line, when it is neither
     */
    static Source parse(Path file, String text) {
        boolean json = file.toString().endsWith(".json");
        JsonFactory factory = json ? new JsonFactory() : new YAMLFactory();
        try (JsonParser in = factory.createParser(text)) {
            if (in.nextToken() == null) {
                throw new InputException(file + ": the file is empty");
            }
            Source document = value(file, in, "");
            if (in.nextToken() != null) {
                throw new InputException(at(file, in) + ": a second document, expected one");
            }
            return document;
        } catch (JsonProcessingException e) {
            var where = e.getLocation();
            String line = where == null ? "" : ":" + where.getLineNr();
            throw new InputException(file + line + ": " + firstLine(e.getOriginalMessage()));
        } catch (IOException e) {
            throw new InputException(file + ": " + e.getMessage());
        }
    }

    private static Source value(Path file, JsonParser in, String path) throws IOException {
        int line = in.currentTokenLocation().getLineNr();
        if (in instanceof YAMLParser yaml && yaml.isCurrentAlias()) {
            throw new InputException(
                    at(file, in) + ": " + path + ": aliases are not understood here");
        }
        return switch (in.currentToken()) {
            case START_OBJECT -> mapping(file, in, path, line);
            case START_ARRAY -> sequence(file, in, path, line);
            case VALUE_STRING -> new Scalar(line, in.getText());
            case VALUE_NUMBER_INT -> new Scalar(line, integer(in));
            case VALUE_NUMBER_FLOAT -> new Scalar(line, in.getDoubleValue());
            case VALUE_TRUE -> new Scalar(line, true);
            case VALUE_FALSE -> new Scalar(line, false);
            case VALUE_NULL -> new Scalar(line, null);
            default -> throw new InputException(at(file, in) + ": unexpected " + in.currentToken());
        };
    }

    private static Object integer(JsonParser in) throws IOException {
        return in.getNumberType() == JsonParser.NumberType.BIG_INTEGER
                ? in.getText()
                : (Object) in.getLongValue();
    }

    private static Mapping mapping(Path file, JsonParser in, String path, int line)
            throws IOException {
        Map<String, Source> entries = new LinkedHashMap<>();
        while (in.nextToken() == JsonToken.FIELD_NAME) {
            String key = in.currentName();
            String keyPath = path.isEmpty() ? key : path + "." + key;
            if (entries.containsKey(key)) {
                throw new InputException(
                        at(file, in) + ": " + Printable.of(keyPath) + ": given twice");
            }
            in.nextToken();
            entries.put(key, value(file, in, keyPath));
        }
        return new Mapping(line, entries);
    }

    private static Sequence sequence(Path file, JsonParser in, String path, int line)
            throws IOException {
        List<Source> items = new ArrayList<>();
        while (in.nextToken() != JsonToken.END_ARRAY) {
            items.add(value(file, in, path + "[" + items.size() + "]"));
        }
        return new Sequence(line, items);
    }

    private static String at(Path file, JsonParser in) {
        return file + ":" + in.currentTokenLocation().getLineNr();
    }

    private static String firstLine(@Nullable String message) {
        return message == null
                ? "not understood"
                : message.lines().findFirst().orElse("not understood");
    }
}
