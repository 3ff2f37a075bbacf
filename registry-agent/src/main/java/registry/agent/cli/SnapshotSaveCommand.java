package registry.agent.cli;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import registry.server.snapshot.SnapshotArchive;

/** {@code registry snapshot save}: the whole state into a file. */
final class SnapshotSaveCommand implements Command {
    private static final String TROUBLE = "Error saving snapshot";

    @Override
    public String synopsis() {
        return "[options] FILE";
    }

    @Override
    public String purpose() {
        return "Saves the whole state of the servers to a file. The file is verified before it takes its name.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(new Flags());
    }

    @Override
    public int run(Flags flags, Terminal terminal)
            throws Failure, IOException, InterruptedException {
        Path file = Path.of(file(flags));
        Path partial = Path.of(file + ".unverified");
        long index;
        try (var agent = AgentConnection.open(flags, terminal)) {
            try (OutputStream out =
                    new BufferedOutputStream(
                            Files.newOutputStream(
                                    partial,
                                    StandardOpenOption.CREATE,
                                    StandardOpenOption.WRITE,
                                    StandardOpenOption.TRUNCATE_EXISTING))) {
                agent.download(TROUBLE, "/v1/snapshot", out);
            } catch (Failure e) {
                Files.deleteIfExists(partial);
                throw e;
            }
            index = verified(partial);
            Files.move(partial, file, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            Files.deleteIfExists(partial);
            throw new Failure("Error writing snapshot file: " + e.getMessage());
        }
        terminal.say("Saved and verified snapshot to index " + index);
        return 0;
    }

    /** The one argument of the commands on files. */
    static String file(Flags flags) throws Failure {
        if (flags.arguments().isEmpty()) {
            throw new Failure("Missing FILE argument");
        }
        if (flags.arguments().size() > 1) {
            throw new Failure(
                    "Too many arguments (expected 1, got %d)".formatted(flags.arguments().size()));
        }
        return flags.arguments().getFirst();
    }

    private static long verified(Path file) throws Failure, IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return SnapshotArchive.inspect(in).info().index();
        } catch (IOException e) {
            Files.deleteIfExists(file);
            throw new Failure("Error verifying snapshot file: " + e.getMessage());
        }
    }
}
