package registry.server.catalog;

import registry.server.state.Keys;

/**
 * What of the catalogue has an index or is watched on its own. Scopes with a name take it in any
 * case and end it, so that {@code web} is no prefix of {@code web-2}.
 */
public final class Scopes {
    public static final String NODES = "nodes";
    public static final String SERVICES = "services";
    public static final String CHECKS = "checks";

    /**
     * Index of the last time any service name lost its last instance: what absent services report.
     */
    public static final String EXTINCTION = "extinction";

    private Scopes() {}

    /** Index of a service: its instances, their nodes, and the checks of both. */
    public static String service(String name) {
        return "service/" + Keys.fold(name) + Keys.END;
    }

    /** Watched only: the instances of a service and their nodes, without checks. */
    public static String instances(String name) {
        return "instances/" + Keys.fold(name) + Keys.END;
    }

    /** Watched only: a node and its instances. */
    public static String node(String name) {
        return "node/" + Keys.fold(name) + Keys.END;
    }

    /** Watched only: the checks of a node and of its instances. */
    public static String nodeChecks(String name) {
        return "node-checks/" + Keys.fold(name) + Keys.END;
    }

    /** Watched only: the checks bound to a service's instances. */
    public static String serviceChecks(String name) {
        return "service-checks/" + Keys.fold(name) + Keys.END;
    }
}
