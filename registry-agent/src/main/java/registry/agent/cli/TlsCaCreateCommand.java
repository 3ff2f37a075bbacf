package registry.agent.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;

/** {@code registry tls ca create}: a certificate authority of one's own, for port 8300. */
final class TlsCaCreateCommand implements Command {
    private static final String DAYS = "1825";

    private final Path directory;

    /**
     * @param directory where the files go
     */
    TlsCaCreateCommand(Path directory) {
        this.directory = directory;
    }

    @Override
    public String synopsis() {
        return "[options]";
    }

    @Override
    public String purpose() {
        return "Makes a certificate authority. Its two files are written here; keep the key apart.";
    }

    @Override
    public Flags flags() {
        return new Flags()
                .number("days", "How long it is good for. Default is " + DAYS + ".")
                .text("domain", "The domain it is named after. Default is consul.");
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, IOException {
        if (!flags.arguments().isEmpty()) {
            throw Failure.misuse("Unexpected argument: " + flags.arguments().getFirst());
        }
        String prefix = flags.get("domain", "consul") + "-agent-ca";
        try {
            NewFiles.write(
                    directory.resolve(prefix + ".pem"),
                    directory.resolve(prefix + "-key.pem"),
                    Authority.create(days(flags, DAYS)).asFiles(),
                    terminal);
        } catch (GeneralSecurityException e) {
            throw new Failure("Error making the authority: " + e.getMessage());
        }
        return 0;
    }

    static Duration days(Flags flags, String absent) throws Failure {
        long days = Long.parseLong(flags.get("days", absent));
        if (days < 1 || days > 36_500) {
            throw new Failure("-days: from 1 to 36500");
        }
        return Duration.ofDays(days);
    }
}
