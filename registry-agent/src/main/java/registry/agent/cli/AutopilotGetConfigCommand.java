package registry.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** {@code registry operator autopilot get-config}: what the servers may do by themselves. */
final class AutopilotGetConfigCommand implements Command {
    static final String PATH = "/v1/operator/autopilot/configuration";

    @Override
    public String synopsis() {
        return "[options]";
    }

    @Override
    public String purpose() {
        return "Shows what the servers may do to their own group.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(new Flags());
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        JsonNode config;
        try (var agent = AgentConnection.open(flags, terminal)) {
            config = agent.getJson("Error querying Autopilot configuration", PATH, new Query());
        }
        for (String name :
                List.of(
                        "CleanupDeadServers",
                        "LastContactThreshold",
                        "MaxTrailingLogs",
                        "MinQuorum",
                        "ServerStabilizationTime")) {
            terminal.say(name + " = " + config.path(name).asText());
        }
        terminal.say("RedundancyZoneTag = " + config.path("RedundancyZoneTag"));
        terminal.say("DisableUpgradeMigration = " + config.path("DisableUpgradeMigration"));
        terminal.say("UpgradeVersionTag = " + config.path("UpgradeVersionTag"));
        return 0;
    }
}
