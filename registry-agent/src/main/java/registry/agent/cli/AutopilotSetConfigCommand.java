package registry.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import registry.api.json.Json;

/** {@code registry operator autopilot set-config}: changes what is given and keeps the rest. */
final class AutopilotSetConfigCommand implements Command {
    private static final String TROUBLE = "Error setting Autopilot configuration";

    @Override
    public String synopsis() {
        return "[options]";
    }

    @Override
    public String purpose() {
        return "Changes what the servers may do to their own group.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(
                new Flags()
                        .onOff("cleanup-dead-servers", "Voters that are dead for long are removed.")
                        .text(
                                "last-contact-threshold",
                                "Servers that were heard less recently are not healthy.")
                        .number(
                                "max-trailing-logs",
                                "Servers that lag by more entries are not healthy.")
                        .number("min-quorum", "So many voters remain at least.")
                        .text("server-stabilization-time", "Kept and shown; has no effect.")
                        .text("redundancy-zone-tag", "Kept and shown; has no effect.")
                        .onOff("disable-upgrade-migration", "Kept and shown; has no effect.")
                        .text("upgrade-version-tag", "Kept and shown; has no effect."));
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        try (var agent = AgentConnection.open(flags, terminal)) {
            JsonNode read =
                    agent.getJson(
                            "Error querying Autopilot configuration",
                            AutopilotGetConfigCommand.PATH,
                            new Query());
            var config = (ObjectNode) read;
            String seen = config.path("ModifyIndex").asText();
            turn(flags, "cleanup-dead-servers", config, "CleanupDeadServers");
            name(flags, "last-contact-threshold", config, "LastContactThreshold");
            count(flags, "max-trailing-logs", config, "MaxTrailingLogs");
            count(flags, "min-quorum", config, "MinQuorum");
            name(flags, "server-stabilization-time", config, "ServerStabilizationTime");
            name(flags, "redundancy-zone-tag", config, "RedundancyZoneTag");
            turn(flags, "disable-upgrade-migration", config, "DisableUpgradeMigration");
            name(flags, "upgrade-version-tag", config, "UpgradeVersionTag");
            boolean written =
                    Json.tree(
                                    agent.put(
                                                    TROUBLE,
                                                    AutopilotGetConfigCommand.PATH,
                                                    new Query().add("cas", seen),
                                                    Json.write(config))
                                            .body())
                            .asBoolean();
            terminal.say(
                    written
                            ? "Configuration updated!"
                            : "Configuration could not be atomically updated, please try again");
            return written ? 0 : 1;
        }
    }

    private static void turn(Flags flags, String flag, ObjectNode config, String name) {
        if (flags.isGiven(flag)) {
            config.put(name, flags.isOn(flag));
        }
    }

    private static void name(Flags flags, String flag, ObjectNode config, String name) {
        if (flags.isGiven(flag)) {
            config.put(name, flags.get(flag));
        }
    }

    private static void count(Flags flags, String flag, ObjectNode config, String name)
            throws Failure {
        if (flags.isGiven(flag)) {
            try {
                config.put(name, Integer.parseUnsignedInt(flags.get(flag)));
            } catch (NumberFormatException e) {
                throw Failure.misuse(
                        "invalid value \"%s\" for flag -%s".formatted(flags.get(flag), flag));
            }
        }
    }
}
