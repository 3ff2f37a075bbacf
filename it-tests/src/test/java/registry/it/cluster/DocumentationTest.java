package registry.it.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** What the page on testing shows is what is run here. */
final class DocumentationTest {
    @Test
    void theExampleOfThePageIsTheOneThatRuns() throws Exception {
        String example =
                Files.readString(Path.of("src/test/java/registry/it/cluster/ExampleIT.java"));
        assertThat(Files.readString(Path.of("../docs/testing.md")))
                .contains("```java\n" + example.substring(example.indexOf("import")) + "```\n");
    }
}
