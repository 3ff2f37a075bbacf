package registry.agent.config;

/** A source that can't be used; the message names file, path and value, and what was expected. */
public final class ConfigException extends Exception {
    private static final long serialVersionUID = 1L;

    public ConfigException(String message) {
        super(message);
    }
}
