package registry.agent.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * The entry point of {@code registry}: finds the command and hands it its words. Source: consul-api
 * 12.
 */
public final class Main {
    private static final int NO_SUCH_COMMAND = 127;
    private static final Set<String> HELP = Set.of("-h", "-help", "--help");
    private static final Set<String> VERSION = Set.of("-v", "-version", "--version");

    private final Map<String, Supplier<Command>> commands = new LinkedHashMap<>();
    private final Map<String, String> groups = new LinkedHashMap<>();
    private final Terminal terminal;
    private final String program;

    /**
     * @param program what the usage calls it: consul when called so
     */
    Main(Terminal terminal, String program) {
        this.terminal = terminal;
        this.program = program;
        groups.put("catalog", "Ask the catalog for datacenters, nodes and services.");
        groups.put("checks", "Look at the checks of the agent.");
        groups.put("kv", "Read and write the key-value store.");
        groups.put("operator", "Look after the servers' own group.");
        groups.put("operator autopilot", "See and change what the servers do by themselves.");
        groups.put("operator raft", "See and change which servers keep the catalog.");
        groups.put("snapshot", "Save the state of the servers, and restore it.");
        groups.put("services", "Register services with the agent, and take them away.");
        groups.put("acl", "Access control, which is off.");
        groups.put("config", "Configuration entries of a mesh, of which there are none.");
        groups.put(
                "connect",
                "Commands of a service mesh, which is not there: no proxies, no certificates for"
                        + " services, no intentions. This is a registry only.");
        groups.put("tls", "Make certificates for the servers' port.");
        groups.put("tls ca", "Make a certificate authority.");
        groups.put("tls cert", "Make certificates of agents.");
        groups.put("intention", "Intentions of a mesh, which is not there.");
        commands.put("acl bootstrap", Main::aclBootstrap);
        commands.put("acl token", Main::aclTokens);
        commands.put("agent", AgentCommand::new);
        commands.put("catalog datacenters", CatalogDatacentersCommand::new);
        commands.put("catalog nodes", CatalogNodesCommand::new);
        commands.put("catalog services", CatalogServicesCommand::new);
        commands.put("checks history", ChecksHistoryCommand::new);
        commands.put("config list", Main::configEntries);
        commands.put("debug", DebugCommand::new);
        commands.put("event", EventCommand::new);
        commands.put("exec", ExecCommand::new);
        commands.put("force-leave", ForceLeaveCommand::new);
        commands.put("info", InfoCommand::new);
        commands.put("intention list", Main::intentions);
        commands.put("join", JoinCommand::new);
        commands.put("keygen", KeygenCommand::new);
        commands.put("keyring", KeyringCommand::new);
        commands.put("kv delete", KvDeleteCommand::new);
        commands.put("kv export", KvExportCommand::new);
        commands.put("kv get", KvGetCommand::new);
        commands.put("kv import", KvImportCommand::new);
        commands.put("kv put", KvPutCommand::new);
        commands.put("leave", LeaveCommand::new);
        commands.put("lock", LockCommand::new);
        commands.put("login", Main::login);
        commands.put("logout", Main::logout);
        commands.put("maint", MaintCommand::new);
        commands.put("members", MembersCommand::new);
        commands.put("monitor", MonitorCommand::new);
        commands.put("operator autopilot get-config", AutopilotGetConfigCommand::new);
        commands.put("operator autopilot set-config", AutopilotSetConfigCommand::new);
        commands.put("operator autopilot state", AutopilotStateCommand::new);
        commands.put("operator raft list-peers", RaftListPeersCommand::new);
        commands.put("operator raft remove-peer", RaftRemovePeerCommand::new);
        commands.put("operator raft transfer-leader", RaftTransferLeaderCommand::new);
        commands.put("reload", ReloadCommand::new);
        commands.put("rtt", RttCommand::new);
        commands.put("services deregister", ServicesDeregisterCommand::new);
        commands.put("services register", ServicesRegisterCommand::new);
        commands.put("snapshot inspect", SnapshotInspectCommand::new);
        commands.put("snapshot restore", SnapshotRestoreCommand::new);
        commands.put("snapshot save", SnapshotSaveCommand::new);
        commands.put("tls ca create", () -> new TlsCaCreateCommand(Path.of("")));
        commands.put("tls cert create", () -> new TlsCertCreateCommand(Path.of("")));
        commands.put("validate", ValidateCommand::new);
        commands.put("version", VersionCommand::new);
        commands.put("watch", WatchCommand::new);
    }

    private static Command aclBootstrap() {
        return new AskCommand(
                "Makes the first token.",
                "PUT",
                "/v1/acl/bootstrap",
                "Failed ACL bootstrapping",
                "");
    }

    private static Command aclTokens() {
        return new AskCommand(
                "Lists tokens.", "GET", "/v1/acl/tokens", "Failed to retrieve the token list", "");
    }

    private static Command configEntries() {
        return new AskCommand(
                "Lists configuration entries of a kind.",
                "GET",
                "/v1/config/",
                "Error listing config entries",
                "kind");
    }

    private static Command intentions() {
        return new AskCommand(
                "Lists intentions.",
                "GET",
                "/v1/connect/intentions",
                "Failed to retrieve the intentions list",
                "");
    }

    private static Command login() {
        return new AskCommand(
                "Changes another system's token for one of ours.",
                "POST",
                "/v1/acl/login",
                "Error logging in",
                "method");
    }

    private static Command logout() {
        return new AskCommand(
                "Ends a token that login made.",
                "POST",
                "/v1/acl/logout",
                "Error destroying token",
                "");
    }

    public static void main(String[] words) {
        var out =
                new PrintStream(
                        new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
        var err =
                new PrintStream(
                        new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
        var terminal = new Terminal(System.in, out, err, System.getenv());
        int code =
                new Main(terminal, System.getProperty("registry.command", "registry"))
                        .run(List.of(words));
        out.flush();
        System.exit(code);
    }

    /** Runs what {@code words} ask for and returns the exit code. */
    int run(List<String> words) {
        String first = words.isEmpty() ? "" : words.getFirst();
        if (HELP.contains(first)) {
            terminal.say(usage());
            return 0;
        }
        if (VERSION.contains(first)) {
            return run("version", List.of());
        }
        if (first.startsWith("-")) {
            terminal.complain(
                    "Invalid flags before the subcommand. If these flags are for\nthe subcommand, please put them after the subcommand.\n\n"
                            + usage());
            return 1;
        }
        if (groups.containsKey(first)) {
            return runOf(first, words.subList(1, words.size()));
        }
        if (commands.containsKey(first)) {
            return run(first, words.subList(1, words.size()));
        }
        terminal.complain(usage());
        return NO_SUCH_COMMAND;
    }

    /** The command of a group, or of a group in it. */
    private int runOf(String group, List<String> words) {
        String longer = words.isEmpty() ? "" : group + " " + words.getFirst();
        if (groups.containsKey(longer)) {
            return runOf(longer, words.subList(1, words.size()));
        }
        return commands.containsKey(longer)
                ? run(longer, words.subList(1, words.size()))
                : runGroup(group, words);
    }

    private int runGroup(String group, List<String> words) {
        if (!words.isEmpty() && HELP.contains(words.getFirst())) {
            terminal.say(usageOfGroup(group));
            return 0;
        }
        terminal.complain(usageOfGroup(group));
        return 1;
    }

    private int run(String name, List<String> words) {
        Command command = Objects.requireNonNull(commands.get(name)).get();
        Flags flags = command.flags();
        try {
            flags.parse(words);
        } catch (Flags.HelpWanted e) {
            terminal.say(usage(name, command, flags));
            return 0;
        } catch (Failure e) {
            terminal.complain(e.text() + "\nUsage:\n" + flags.help());
            return e.code();
        }
        try {
            return command.run(flags, terminal);
        } catch (Failure e) {
            if (!e.text().isEmpty()) {
                terminal.complain(e.text());
            }
            switch (e.usage()) {
                case NOT_SHOWN -> {}
                case WITH_MESSAGE ->
                        terminal.complain(
                                (e.text().isEmpty() ? "" : "\n") + usage(name, command, flags));
                case ON_STANDARD_OUTPUT -> terminal.say(usage(name, command, flags));
            }
            return e.code();
        } catch (IOException e) {
            terminal.complain("Error: " + e.getMessage());
            return 1;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return 1;
        }
    }

    private String usage(String name, Command command, Flags flags) {
        String options = flags.help();
        return usage(
                name,
                command.synopsis(),
                command.purpose(),
                options.isEmpty() ? "" : "\nOptions\n" + options);
    }

    private String usage(String name, String synopsis, String purpose, String more) {
        String call = "%s %s %s".formatted(program, name, synopsis).stripTrailing();
        return "Usage: %s\n\n  %s\n%s".formatted(call, purpose, more);
    }

    private String usage() {
        String names =
                commands.keySet().stream()
                        .map(name ->
                                name.contains(" ") ? name.substring(0, name.indexOf(' ')) : name)
                        .distinct()
                        .sorted()
                        .map(this::summary)
                        .collect(Collectors.joining("\n"));
        return "Usage: %s [--version] [--help] <command> [<args>]\n\nAvailable commands are:\n%s"
                .formatted(program, names);
    }

    private String usageOfGroup(String group) {
        String names =
                commands.keySet().stream()
                        .filter(name -> name.startsWith(group + " "))
                        .map(name -> firstOf(group, name))
                        .distinct()
                        .map(this::summary)
                        .collect(Collectors.joining("\n"));
        return usage(
                group,
                synopsisOfGroup(group),
                groups.getOrDefault(group, ""),
                names.isEmpty() ? "" : "\nSubcommands are:\n" + names);
    }

    private static String synopsisOfGroup(String group) {
        return switch (group) {
            case "operator" -> "<subcommand> [options]";
            case "tls" -> "<subcommand> <subcommand> [options]";
            default -> "<subcommand> [options] [args]";
        };
    }

    /** A group's command, or the group in it that the command belongs to. */
    private static String firstOf(String group, String name) {
        int blank = name.indexOf(' ', group.length() + 1);
        return blank < 0 ? name : name.substring(0, blank);
    }

    private String summary(String name) {
        Supplier<Command> command = commands.get(name);
        String purpose = command == null ? groups.getOrDefault(name, "") : command.get().purpose();
        int sentence = purpose.indexOf(". ");
        return "    %-16s  %s"
                .formatted(
                        name.substring(name.lastIndexOf(' ') + 1),
                        sentence < 0 ? purpose : purpose.substring(0, sentence + 1));
    }
}
