package registry.agent.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.io.JsonEOFException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import registry.api.json.Hcl;
import registry.api.json.Json;

/** Finds the files of a configuration and reads their JSON or HCL. */
final class SourceReader {
    private static final ObjectReader READER =
            Json.mapper().reader().with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private final String format;
    private final Consumer<String> warnings;

    /**
     * What one source says.
     *
     * @param name what messages call it
     * @param file null for what comes from the command line
     */
    record Source(String name, @Nullable Path file, JsonNode tree) {}

    /**
     * @param format as {@link ConfigSources#format}
     */
    SourceReader(String format, Consumer<String> warnings) throws ConfigException {
        if (!format.isEmpty() && !format.equals("json") && !format.equals("hcl")) {
            throw new ConfigException("-config-format must be either 'hcl' or 'json'");
        }
        this.format = format;
        this.warnings = warnings;
    }

    /**
     * Sources behind {@code path}: the file itself, or the files of the directory in byte order,
     * not those below.
     */
    List<Source> read(String path) throws ConfigException {
        Path file = Path.of(path);
        if (!Files.isDirectory(file)) {
            return readFile(file, path);
        }
        var sources = new ArrayList<Source>();
        for (Path entry : entries(file, path)) {
            if (!Files.isDirectory(entry)) {
                sources.addAll(readFile(entry, entry.normalize().toString()));
            }
        }
        return sources;
    }

    private static List<Path> entries(Path directory, String name) throws ConfigException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.sorted((a, b) ->
                            Arrays.compareUnsigned(
                                    bytes(a.getFileName().toString()),
                                    bytes(b.getFileName().toString())))
                    .toList();
        } catch (IOException e) {
            throw new ConfigException(
                    "config: Readdir failed on %s. open %s: %s".formatted(name, name, reason(e)));
        }
    }

    private static byte[] bytes(String name) {
        return name.getBytes(StandardCharsets.UTF_8);
    }

    private List<Source> readFile(Path file, String name) throws ConfigException {
        boolean hcl = format.isEmpty() ? name.endsWith(".hcl") : format.equals("hcl");
        if (format.isEmpty() && !hcl && !name.endsWith(".json")) {
            if (!Files.exists(file)) {
                throw openFailed(name, new NoSuchFileException(name));
            }
            warnings.accept(
                    "skipping file %s, extension must be .hcl or .json, or config format must be set"
                            .formatted(name));
            return List.of();
        }
        byte[] text;
        try {
            text = Files.readAllBytes(file);
        } catch (IOException e) {
            throw openFailed(name, e);
        }
        return List.of(new Source(name, file, hcl ? parseHcl(name, text) : parse(name, text)));
    }

    /**
     * The tree of an HCL text, which may be JSON as well.
     *
     * @param name what the message calls it
     * @throws ConfigException with line and column
     */
    static JsonNode parseHcl(String name, byte[] text) throws ConfigException {
        String decoded = new String(text, StandardCharsets.UTF_8);
        if (decoded.stripLeading().startsWith("{")) {
            return parse(name, text);
        }
        try {
            return Hcl.parse(decoded);
        } catch (Hcl.SyntaxException e) {
            throw new ConfigException(
                    "failed to parse %s:%d:%d: %s"
                            .formatted(name, e.line(), e.column(), e.getMessage()));
        }
    }

    private static ConfigException openFailed(String name, IOException cause) {
        return new ConfigException(
                "config: Open failed on %s. open %s: %s".formatted(name, name, reason(cause)));
    }

    private static String reason(IOException cause) {
        return switch (cause) {
            case NoSuchFileException e -> "no such file or directory";
            case AccessDeniedException e -> "permission denied";
            case FileSystemException e when e.getReason() != null -> e.getReason();
            default -> String.valueOf(cause.getMessage());
        };
    }

    /**
     * The tree of a JSON text.
     *
     * @param name what the message calls it
     * @throws ConfigException with the line, unless there is but one
     */
    static JsonNode parse(String name, byte[] text) throws ConfigException {
        try {
            JsonNode tree = READER.readTree(text);
            if (tree.isMissingNode()) {
                throw new ConfigException(
                        "failed to parse %s: unexpected end of JSON input".formatted(name));
            }
            return tree;
        } catch (JsonProcessingException e) {
            String what = e instanceof JsonEOFException ? "unexpected end of JSON input" : fault(e);
            throw new ConfigException(
                    "failed to parse %s: %s%s".formatted(name, what, place(e, text)));
        } catch (IOException e) {
            throw new ConfigException("failed to parse %s: %s".formatted(name, e.getMessage()));
        }
    }

    private static String fault(JsonProcessingException e) {
        String message = String.valueOf(e.getOriginalMessage());
        int details = message.indexOf(" (for ");
        message = details < 0 ? message : message.substring(0, details);
        return Character.toLowerCase(message.charAt(0)) + message.substring(1);
    }

    private static String place(JsonProcessingException e, byte[] text) {
        boolean several = new String(text, StandardCharsets.UTF_8).strip().indexOf('\n') >= 0;
        var location = e.getLocation();
        return several && location != null
                ? " (line %d, column %d)".formatted(location.getLineNr(), location.getColumnNr())
                : "";
    }
}
