package registry.agent;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;
import registry.agent.config.AgentConfig;

/**
 * The data directory: the configured one, or with {@code -dev} a temporary one that goes with the
 * process.
 */
record DataDir(Path path, boolean temporary) implements AutoCloseable {
    /**
     * @throws IOException naming the directory, when it can't be made
     */
    static DataDir open(AgentConfig config) throws IOException {
        Path configured = config.dataDir();
        if (configured == null) {
            return new DataDir(Files.createTempDirectory("registry-dev-"), true);
        }
        try {
            Files.createDirectories(configured);
        } catch (IOException e) {
            throw new IOException(
                    "data_dir \"" + configured + "\" can't be made: " + e.getMessage(), e);
        }
        return new DataDir(configured, false);
    }

    @Override
    public void close() throws IOException {
        if (!temporary) {
            return;
        }
        Files.walkFileTree(
                path,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes a)
                            throws IOException {
                        Files.delete(file);
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult postVisitDirectory(Path dir, @Nullable IOException e)
                            throws IOException {
                        Files.delete(dir);
                        return FileVisitResult.CONTINUE;
                    }
                });
    }
}
