package registry.haproxy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import registry.haproxy.RendererConfig.FrontendConfig;
import registry.haproxy.RendererConfig.Route;
import registry.haproxy.RendererConfig.ServiceConfig;

/**
 * Which backend a request of a shared frontend goes to: one map file per frontend, from host and
 * path to backend. HAProxy reads the file when it starts; in a running one the entries are changed
 * through its socket, so a route is never a reload.
 *
 * @param files entries by map file. Shape of a key: the host and the path with a slash at its end,
 *     so that the longest prefix found is one of whole segments
 */
record RouteMaps(Map<Path, Map<String, String>> files) {
    private static final Pattern NOTHING = Pattern.compile("");

    static RouteMaps of(RendererConfig config) {
        Map<Path, Map<String, String>> files = new LinkedHashMap<>();
        for (FrontendConfig frontend : config.frontends()) {
            files.put(config.mapFile(frontend.key()), new TreeMap<>());
        }
        for (ServiceConfig service : config.services()) {
            Route route = service.route();
            Map<String, String> entries =
                    route == null ? null : files.get(config.mapFile(route.frontend()));
            if (route == null || entries == null) {
                continue;
            }
            for (String key : keys(route)) {
                entries.put(key, service.key());
            }
        }
        return new RouteMaps(files);
    }

    static List<String> keys(Route route) {
        List<String> keys = new ArrayList<>();
        for (String host : route.hosts()) {
            for (String path : route.paths()) {
                keys.add(host + (path.endsWith("/") ? path : path + "/"));
            }
        }
        return keys;
    }

    /** Puts the files in place, where they are not what they should be. */
    void save() throws IOException {
        for (var file : files.entrySet()) {
            var text = new StringBuilder();
            file.getValue()
                    .forEach((key, backend) -> text.append(key + " " + backend).append('\n'));
            byte[] content = text.toString().getBytes(StandardCharsets.US_ASCII);
            if (!Files.exists(file.getKey())
                    || !Arrays.equals(Files.readAllBytes(file.getKey()), content)) {
                AtomicFile.write(file.getKey(), content);
            }
        }
    }

    /**
     * What brings the running process from its entries to these. An entry for a backend that it
     * does not have yet waits for the reload that brings it.
     */
    List<Change> changes(RuntimeApi.Session session, Set<String> backends) throws IOException {
        List<Change> changes = new ArrayList<>();
        for (var file : files.entrySet()) {
            String reply = session.send("show map " + file.getKey());
            if (reply.startsWith("Unknown map")) {
                continue;
            }
            Map<String, String> actual = entries(reply);
            file.getValue()
                    .forEach((key, backend) -> {
                        String now = actual.remove(key);
                        if (!backend.equals(now) && backends.contains(backend)) {
                            String verb = now == null ? "add" : "set";
                            changes.add(change(verb, file.getKey(), key + " " + backend));
                        }
                    });
            actual.keySet().forEach(key -> changes.add(change("del", file.getKey(), key)));
        }
        return changes;
    }

    /** Shape of a line: an address in memory, the key, the value. */
    private static Map<String, String> entries(String reply) {
        Map<String, String> entries = new TreeMap<>();
        for (String line : reply.split("\n")) {
            String[] fields = line.split(" ");
            if (fields.length == 3) {
                entries.put(fields[1], fields[2]);
            }
        }
        return entries;
    }

    private static Change change(String verb, Path file, String entry) {
        return new Change(
                "route " + verb + " " + entry,
                List.of(new Change.Command(verb + " map " + file + " " + entry, NOTHING)));
    }
}
