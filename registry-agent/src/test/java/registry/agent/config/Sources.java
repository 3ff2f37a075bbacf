package registry.agent.config;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import registry.api.json.Json;

/**
 * Files of a test and what a loader makes of them; paths in messages are relative to their
 * directory.
 */
final class Sources {
    private final Path directory;
    private final List<String> paths = new ArrayList<>();
    private final ObjectNode flags = JsonNodeFactory.instance.objectNode();
    private List<String> privateV4 = List.of("10.0.0.7");
    private boolean dev;
    private String format = "";

    Sources(Path directory) {
        this.directory = directory;
        flags.put("data_dir", directory.resolve("data").toString());
    }

    /** Writes a file, mode 0600, and adds it to the sources. */
    Sources file(String name, String text) {
        write(name, text);
        return path(name);
    }

    Sources write(String name, String text) {
        try {
            Path file = directory.resolve(name);
            Files.createDirectories(file.getParent());
            Files.writeString(file, text);
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Sources mode(String name, String mode) throws IOException {
        Files.setPosixFilePermissions(
                directory.resolve(name), PosixFilePermissions.fromString(mode));
        return this;
    }

    Sources path(String name) {
        paths.add(directory.resolve(name).toString());
        return this;
    }

    /** Adds to the flags, in the form of a file. */
    Sources flags(String json) {
        Settings.merge(flags, (ObjectNode) Json.tree(json.getBytes(StandardCharsets.UTF_8)));
        return this;
    }

    Sources dev() {
        dev = true;
        flags.remove("data_dir");
        return this;
    }

    Sources noDataDir() {
        flags.remove("data_dir");
        return this;
    }

    Sources format(String name) {
        format = name;
        return this;
    }

    Sources privateV4(String... addresses) {
        privateV4 = List.of(addresses);
        return this;
    }

    LoadedConfig load() throws ConfigException {
        var machine =
                new Machine() {
                    @Override
                    public String hostName() {
                        return "here";
                    }

                    @Override
                    public List<String> privateV4() {
                        return privateV4;
                    }
                };
        return ConfigLoader.load(new ConfigSources(dev, paths, format, List.of(), flags), machine);
    }

    AgentConfig config() throws ConfigException {
        return load().config();
    }

    /** Warnings with paths relative to the directory. */
    List<String> warnings() throws ConfigException {
        return load().warnings().stream().map(this::relative).toList();
    }

    /** Why loading fails, likewise. */
    String fault() {
        try {
            load();
        } catch (ConfigException e) {
            return relative(String.valueOf(e.getMessage()));
        }
        throw new AssertionError("loads");
    }

    private String relative(String text) {
        return text.replace(directory + "/", "");
    }
}
