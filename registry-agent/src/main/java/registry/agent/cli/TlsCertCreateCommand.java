package registry.agent.cli;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** {@code registry tls cert create}: a certificate of one agent, for port 8300. */
final class TlsCertCreateCommand implements Command {
    private static final String DAYS = "365";
    private static final int MOST = 10_000;

    private final Path directory;

    /**
     * @param directory where the files are and go
     */
    TlsCertCreateCommand(Path directory) {
        this.directory = directory;
    }

    /** Whose certificate it is; a server answers for its datacenter's name. */
    private enum Kind {
        SERVER("server", EnumSet.of(Authority.Use.SERVER, Authority.Use.CLIENT)),
        CLIENT("client", EnumSet.of(Authority.Use.CLIENT, Authority.Use.SERVER)),
        CLI("cli", EnumSet.of(Authority.Use.CLIENT));

        private final String word;
        private final Set<Authority.Use> uses;

        Kind(String word, Set<Authority.Use> uses) {
            this.word = word;
            this.uses = uses;
        }
    }

    @Override
    public String synopsis() {
        return "[options]";
    }

    @Override
    public String purpose() {
        return "Makes a certificate of an agent, signed by what \"tls ca create\" made."
                + " Its two files are written here.";
    }

    @Override
    public Flags flags() {
        return new Flags()
                .onOff("server", "For a server: whoever has it may vote, so keep it on servers.")
                .onOff("client", "For an agent that is no server.")
                .onOff("cli", "For the command line.")
                .text("dc", "The datacenter. Default is dc1.")
                .text("domain", "The domain. Default is consul.")
                .text("node", "A server's own name, which it is known by besides its datacenter's.")
                .text("ca", "The authority's certificate. Default is DOMAIN-agent-ca.pem.")
                .text("key", "The authority's key. Default is DOMAIN-agent-ca-key.pem.")
                .texts("additional-dnsname", "One more name. May be repeated.")
                .texts("additional-ipaddress", "One more address. May be repeated.")
                .number("days", "How long it is good for. Default is " + DAYS + ".");
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, IOException {
        if (!flags.arguments().isEmpty()) {
            throw Failure.misuse("Unexpected argument: " + flags.arguments().getFirst());
        }
        Kind kind = kind(flags);
        if (flags.isGiven("node") && kind != Kind.SERVER) {
            throw new Failure("-node requires -server");
        }
        Duration days = TlsCaCreateCommand.days(flags, DAYS);
        String domain = flags.get("domain", "consul");
        Path certificate = directory.resolve(flags.get("ca", domain + "-agent-ca.pem"));
        Path key = directory.resolve(flags.get("key", domain + "-agent-ca-key.pem"));
        for (Path file : List.of(certificate, key)) {
            if (!Files.isReadable(file)) {
                throw new Failure("Error reading CA: %s can't be read".formatted(file));
            }
        }
        Authority authority = Authority.read(certificate, key);
        terminal.say("==> Using " + certificate + " and " + key);
        String prefix =
                freePrefix("%s-%s-%s-".formatted(flags.get("dc", "dc1"), kind.word, domain));
        try {
            NewFiles.write(
                    directory.resolve(prefix + ".pem"),
                    directory.resolve(prefix + "-key.pem"),
                    authority.issue(names(kind, flags, domain), addresses(flags), kind.uses, days),
                    terminal);
        } catch (GeneralSecurityException e) {
            throw new Failure("Error making the certificate: " + e.getMessage());
        }
        return 0;
    }

    private static Kind kind(Flags flags) throws Failure {
        List<Kind> asked = new ArrayList<>();
        for (Kind kind : Kind.values()) {
            if (flags.isOn(kind.word)) {
                asked.add(kind);
            }
        }
        if (asked.size() != 1) {
            throw Failure.misuse("Please provide either -server, -client, or -cli");
        }
        return asked.getFirst();
    }

    private static List<String> names(Kind kind, Flags flags, String domain) {
        List<String> names = new ArrayList<>();
        String own = "%s.%s.%s".formatted(kind.word, flags.get("dc", "dc1"), domain);
        names.add(own);
        if (flags.isGiven("node")) {
            names.add(flags.get("node") + "." + own);
        }
        names.addAll(flags.all("additional-dnsname"));
        names.add("localhost");
        return names;
    }

    private static List<InetAddress> addresses(Flags flags) throws Failure {
        List<InetAddress> addresses = new ArrayList<>();
        for (String word : flags.all("additional-ipaddress")) {
            try {
                addresses.add(InetAddress.ofLiteral(word));
            } catch (IllegalArgumentException e) {
                throw new Failure("-additional-ipaddress: \"%s\" is no address".formatted(word));
            }
        }
        addresses.add(InetAddress.ofLiteral("127.0.0.1"));
        return addresses;
    }

    /** The next number that no file has yet. */
    private String freePrefix(String begin) throws Failure {
        for (int i = 0; i < MOST; i++) {
            if (!Files.exists(directory.resolve(begin + i + ".pem"))
                    && !Files.exists(directory.resolve(begin + i + "-key.pem"))) {
                return begin + i;
            }
        }
        throw new Failure("There are too many files of the name " + begin + "N.pem here.");
    }
}
