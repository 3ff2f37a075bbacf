package registry.agent.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/**
 * {@code registry version}: which Consul we are compatible with, in Consul's own form; scripts
 * parse it.
 */
final class VersionCommand implements Command {
    private static final String FIRST_WORDS = "Consul v";

    @Override
    public String synopsis() {
        return "[options]";
    }

    @Override
    public String purpose() {
        return "Shows the version.";
    }

    @Override
    public Flags flags() {
        return new Flags().text("format", "pretty or json.");
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, IOException {
        String text = text();
        switch (flags.get("format", "pretty")) {
            case "pretty" -> {
                terminal.out().print(text);
                terminal.out().flush();
            }
            case "json" -> {
                String version = text.substring(FIRST_WORDS.length(), text.indexOf('\n'));
                terminal.say(
                        """
                        {
                            "Version": "%s",
                            "Revision": "",
                            "Prerelease": "",
                            "RPC": {
                                "Default": 2,
                                "Min": 2,
                                "Max": 3
                            }
                        }\
                        """
                                .formatted(version));
            }
            default -> throw new Failure("Invalid format, valid formats are: [pretty json]");
        }
        return 0;
    }

    /** What the launcher answers by itself. */
    private static String text() throws IOException {
        try (InputStream in =
                Objects.requireNonNull(VersionCommand.class.getResourceAsStream("version.txt"))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
