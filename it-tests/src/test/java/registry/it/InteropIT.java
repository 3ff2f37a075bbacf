package registry.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.MINUTES;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The clients that Maven can fetch, as their authors published them, against an agent; the rest of
 * them is {@code make interop}.
 */
final class InteropIT {
    private static final List<String> CLIENTS = List.of("kiwiproject", "ecwid", "vertx");

    @TempDir private Path folder;

    @Test
    void clientsOfOthersWorkUnmodified() throws Exception {
        var command = new ArrayList<>(List.of("dev/interop.sh"));
        command.addAll(CLIENTS);
        Path output = folder.resolve("interop.log");
        Process run =
                new ProcessBuilder(command)
                        .directory(Path.of("..").toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start();
        try {
            assertThat(run.waitFor(5, MINUTES)).as("ends").isTrue();
        } finally {
            // The script ends its agent.
            run.destroy();
        }
        String said = Files.readString(output, UTF_8);
        assertThat(run.exitValue()).as(said).isZero();
        for (String client : CLIENTS) {
            assertThat(said).containsPattern("(?m)^" + client + " +passed");
        }
    }
}
