package registry.agent.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.List;
import registry.agent.config.ConfigException;
import registry.agent.config.ConfigLoader;
import registry.agent.config.ConfigSources;
import registry.agent.config.LoadedConfig;

/** {@code registry validate}: would an agent start with these files? */
final class ValidateCommand implements Command {
    @Override
    public String synopsis() {
        return "[options] FILE_OR_DIRECTORY...";
    }

    @Override
    public String purpose() {
        return "Reads files as an agent would and says what is wrong with them. The files together must make a whole"
                + " configuration, so data_dir is needed.";
    }

    @Override
    public Flags flags() {
        return new Flags()
                .text("config-format", "hcl or json: what the files are, whatever their suffix.")
                .onOff("quiet", "Says nothing when all is well.");
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure {
        if (flags.arguments().isEmpty()) {
            throw new Failure("Must specify at least one config file or directory");
        }
        var nothing = JsonNodeFactory.instance.objectNode();
        var sources =
                new ConfigSources(
                        false, flags.arguments(), flags.get("config-format"), List.of(), nothing);
        LoadedConfig loaded;
        try {
            loaded = ConfigLoader.load(sources);
        } catch (ConfigException e) {
            throw new Failure("Config validation failed: " + e.getMessage());
        }
        if (!flags.isOn("quiet")) {
            loaded.warnings().forEach(terminal::complain);
            terminal.say("Configuration is valid!");
        }
        return 0;
    }
}
