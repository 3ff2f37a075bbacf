package registry.agent.cli;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Files that an argument names, with Go's words for their absence. */
final class ReadFile {
    private ReadFile() {}

    static byte[] bytes(String name, String trouble) throws Failure {
        try {
            return Files.readAllBytes(Path.of(name));
        } catch (NoSuchFileException e) {
            throw new Failure("%sopen %s: no such file or directory".formatted(trouble, name));
        } catch (AccessDeniedException e) {
            throw new Failure("%sopen %s: permission denied".formatted(trouble, name));
        } catch (IOException e) {
            throw new Failure("%sread %s: %s".formatted(trouble, name, e.getMessage()));
        }
    }
}
