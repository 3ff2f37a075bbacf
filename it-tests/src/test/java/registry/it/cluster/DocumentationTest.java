package registry.it.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What the pages show and name is there. */
final class DocumentationTest {
    private static final Pattern TEST_NAMED = Pattern.compile("`(\\w+(?:Test|IT))\\.(\\w+)`");

    @Test
    void theExampleOfThePageIsTheOneThatRuns() throws Exception {
        String example =
                Files.readString(Path.of("src/test/java/registry/it/cluster/ExampleIT.java"));
        assertThat(Files.readString(Path.of("../docs/testing.md")))
                .contains("```java\n" + example.substring(example.indexOf("import")) + "```\n");
    }

    @Test
    void eachTrapHasItsTest() throws Exception {
        Map<String, String> sources = testSources();
        String page = Files.readString(Path.of("../docs/consensus.md"));
        List<String> missing = new ArrayList<>();
        int named = 0;
        for (Matcher test = TEST_NAMED.matcher(page); test.find(); named++) {
            String source = sources.getOrDefault(test.group(1), "");
            if (!Pattern.compile("\\b" + test.group(2) + "\\b").matcher(source).find()) {
                missing.add(test.group());
            }
        }
        assertThat(missing).isEmpty();
        assertThat(named).isGreaterThan(50);
    }

    private static Map<String, String> testSources() throws IOException {
        Map<String, String> sources = new HashMap<>();
        for (String module : List.of("registry-server", "registry-agent", "it-tests")) {
            try (var files = Files.walk(Path.of("..", module, "src/test/java"))) {
                for (Path file : files.filter(Files::isRegularFile).toList()) {
                    String name = file.getFileName().toString();
                    sources.merge(
                            name.substring(0, name.lastIndexOf('.')),
                            Files.readString(file),
                            String::concat);
                }
            }
        }
        return sources;
    }
}
