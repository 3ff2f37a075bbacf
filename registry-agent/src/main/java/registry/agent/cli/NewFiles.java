package registry.agent.cli;

import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/** Writes a certificate and its key where nothing is yet; the key only its owner may read. */
final class NewFiles {
    private static final FileAttribute<?> FOR_ALL =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-r--r--"));
    private static final FileAttribute<?> OWNERS =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

    private NewFiles() {}

    static void write(Path certificate, Path key, Authority.Issued issued, Terminal terminal)
            throws IOException, Failure {
        for (Path file : new Path[] {certificate, key}) {
            if (Files.exists(file)) {
                throw new Failure(file + " already exists.");
            }
        }
        write(certificate, issued.certificate(), FOR_ALL);
        terminal.say("==> Saved " + certificate);
        write(key, issued.key(), OWNERS);
        terminal.say("==> Saved " + key);
    }

    private static void write(Path file, String text, FileAttribute<?> rights)
            throws IOException, Failure {
        try (var out =
                Channels.newOutputStream(
                        Files.newByteChannel(
                                file,
                                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                                rights))) {
            out.write(text.getBytes(StandardCharsets.US_ASCII));
        } catch (FileAlreadyExistsException e) {
            throw new Failure(file + " already exists.");
        }
    }
}
