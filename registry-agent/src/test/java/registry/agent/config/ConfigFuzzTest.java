package registry.agent.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import registry.agent.config.Shape.Section;
import registry.agent.config.Shape.SectionMap;
import registry.agent.config.Shape.Sections;

/**
 * Whatever a file holds is either taken or refused with a message: nothing else comes out of the
 * loader.
 */
class ConfigFuzzTest {
    private static final int FILES = 800;
    private static final List<String> TEXTS =
            List.of(
                    "",
                    "x",
                    "10s",
                    "0",
                    "-1s",
                    "127.0.0.1",
                    "::",
                    "http://x",
                    "a\u0000b",
                    "service",
                    "passing",
                    "{{x}}",
                    "é\n",
                    "1e9h");

    @TempDir private Path directory;

    @Test
    void onlyMessagesComeOutOfBadFiles() {
        long seed = System.nanoTime();
        var random = new Random(seed);
        int taken = 0;
        for (int n = 0; n < FILES; n++) {
            String text = value(random, KnownKeys.CONFIG, 0).toString();
            if (random.nextInt(10) == 0) {
                text = text.substring(0, random.nextInt(text.length() + 1));
            }
            try {
                new Sources(directory).file("f.json", text).config();
                taken++;
            } catch (ConfigException e) {
                assertThat(e.getMessage()).as("seed %d: %s", seed, text).isNotBlank();
            } catch (RuntimeException e) {
                fail("seed " + seed + ": " + text, e);
            }
        }
        assertThat(taken).as("seed %d: some are fine", seed).isPositive();
    }

    @Test
    void onlyMessagesComeOutOfBytes() {
        long seed = System.nanoTime();
        var random = new Random(seed);
        for (int n = 0; n < 1000; n++) {
            var bytes = new byte[random.nextInt(40)];
            random.nextBytes(bytes);
            try {
                SourceReader.parse("f.json", bytes);
            } catch (ConfigException e) {
                assertThat(e.getMessage())
                        .as("seed %d", seed)
                        .startsWith("failed to parse f.json: ");
            } catch (RuntimeException e) {
                fail("seed " + seed + ": " + new String(bytes, StandardCharsets.ISO_8859_1), e);
            }
        }
    }

    private static JsonNode value(Random random, Shape shape, int depth) {
        if (depth > 0 && random.nextInt(12) == 0 || depth > 4) {
            return odd(random, depth);
        }
        JsonNodeFactory json = JsonNodeFactory.instance;
        return switch (shape) {
            case Section section -> section(random, section, depth);
            case Sections sections -> list(random, sections.of(), depth);
            case SectionMap map ->
                    json.objectNode().set("lan_ipv4", value(random, map.of(), depth + 1));
            case Shape.Scalar scalar ->
                    switch (scalar) {
                        case TEXT -> text(random);
                        case BOOL -> json.booleanNode(random.nextInt(4) == 0);
                        case WHOLE, PORT, REAL -> json.numberNode(random.nextInt(100) - 1);
                        case DURATION -> json.textNode(random.nextInt(100) + "h");
                        case TEXT_LIST -> json.arrayNode().add(text(random));
                        case TEXT_MAP -> json.objectNode().set("k", text(random));
                        case TEXT_LISTS ->
                                json.objectNode().set("k", json.arrayNode().add(text(random)));
                        case ANYTHING -> odd(random, depth);
                    };
        };
    }

    private static ObjectNode section(Random random, Section section, int depth) {
        ObjectNode object = JsonNodeFactory.instance.objectNode();
        List<String> names = List.copyOf(section.keys().keySet());
        for (int n = random.nextInt(5); n > 0; n--) {
            String name = names.get(random.nextInt(names.size()));
            object.set(name, value(random, section.keys().get(name).shape(), depth + 1));
        }
        return object;
    }

    private static ArrayNode list(Random random, Section of, int depth) {
        ArrayNode list = JsonNodeFactory.instance.arrayNode();
        for (int n = random.nextInt(3); n > 0; n--) {
            list.add(value(random, of, depth + 1));
        }
        return list;
    }

    private static JsonNode text(Random random) {
        return JsonNodeFactory.instance.textNode(TEXTS.get(random.nextInt(TEXTS.size())));
    }

    private static JsonNode odd(Random random, int depth) {
        JsonNodeFactory json = JsonNodeFactory.instance;
        return switch (random.nextInt(depth > 6 ? 5 : 8)) {
            case 0 -> json.nullNode();
            case 1 -> json.numberNode(random.nextDouble() * 1e19);
            case 2 -> json.booleanNode(true);
            case 3 -> json.numberNode(-70000);
            case 4 -> text(random);
            case 5 -> json.arrayNode().add(odd(random, depth + 1)).add(odd(random, depth + 1));
            case 6 -> {
                ObjectNode watch = json.objectNode();
                watch.set(
                        List.of("type", "key", "args", "handler_type", "tag")
                                .get(random.nextInt(5)),
                        odd(random, depth + 1));
                yield json.arrayNode().add(watch.put("type", "services"));
            }
            default -> json.objectNode().set("Odd", odd(random, depth + 1));
        };
    }
}
