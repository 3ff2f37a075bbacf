package registry.agent;

/** The versions this program answers with. */
public final class Version {
    /** The Consul whose behaviour it has; clients look at this. */
    public static final String CONSUL = "1.9.8";

    /** Its own. */
    public static final String REGISTRY = "0.1.0";

    private Version() {}
}
