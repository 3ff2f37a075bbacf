package registry.agent;

import registry.agent.config.ConfigException;
import registry.agent.config.ConfigLoader;
import registry.agent.config.ConfigSources;

/** What a node runs. */
public final class Agent {
    private Agent() {}

    /**
     * Runs an agent until it is stopped.
     *
     * @return the process's exit code
     * @throws ConfigException when it can't start with these sources
     */
    public static int run(ConfigSources sources) throws ConfigException {
        ConfigLoader.load(sources);
        return 0;
    }
}
