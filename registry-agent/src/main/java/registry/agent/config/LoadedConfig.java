package registry.agent.config;

import java.util.List;

/**
 * A configuration and what its author should know about it.
 *
 * @param warnings lines for the log, without a level
 */
public record LoadedConfig(AgentConfig config, List<String> warnings) {}
