package registry.haproxy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import registry.api.json.Json;

/**
 * The instances that an operator has drained: a file, so that they stay drained over a restart.
 *
 * @param marks as in {@code SERVICE/INSTANCE}, the key of the service first
 */
record Drains(Set<String> marks) {
    static final Drains NONE = new Drains(Set.of());

    /** None, when there is no file. */
    static Drains read(Path file) throws IOException {
        if (!Files.exists(file)) {
            return NONE;
        }
        JsonNode list = Json.mapper().readTree(Files.readAllBytes(file));
        Set<String> marks = new TreeSet<>();
        list.forEach(mark -> marks.add(mark.asText()));
        return new Drains(marks);
    }

    void write(Path file) throws IOException {
        AtomicFile.write(file, Json.writePretty(new TreeSet<>(marks)));
    }

    Drains with(String mark) {
        Set<String> more = new TreeSet<>(marks);
        more.add(mark);
        return new Drains(more);
    }

    Drains without(String mark) {
        Set<String> fewer = new TreeSet<>(marks);
        fewer.remove(mark);
        return new Drains(fewer);
    }

    /** Without any that names the member. */
    Drains without(String serviceKey, Member member) {
        Set<String> fewer = new TreeSet<>(marks);
        fewer.removeIf(mark -> isMarked(mark, serviceKey, member));
        return new Drains(fewer);
    }

    boolean contains(String serviceKey, Member member) {
        return marks.stream().anyMatch(mark -> isMarked(mark, serviceKey, member));
    }

    private static boolean isMarked(String mark, String serviceKey, Member member) {
        return mark.startsWith(serviceKey + "/")
                && isNamed(member, mark.substring(serviceKey.length() + 1));
    }

    /** An instance goes by its id, by {@code node/id}, or by its address and port. */
    static boolean isNamed(Member member, String name) {
        return member.name().equals(name)
                || member.name().substring(member.name().indexOf('/') + 1).equals(name)
                || member.endpoint().toString().equals(name);
    }
}
