package registry.server.rpc;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * A read, and how long to hold it until its answer has changed.
 *
 * @param method one of the constants here
 * @param name the node, service, key, prefix or state word asked about; empty where the method
 *     takes none
 * @param params only those parameters that the method reads, by their name in the URL ({@code tag},
 *     {@code node-meta}, {@code near}, {@code passing}, {@code pretty}, {@code recurse}, {@code
 *     keys}, {@code separator}, {@code raw}); a flag has the value ""
 * @param minIndex hold the question until its index is above this one; 0 answers at once
 * @param maxWait the longest hold, jitter included already; ignored when {@code minIndex} is 0
 */
public record Question(
        String method,
        String name,
        Map<String, List<String>> params,
        Consistency consistency,
        long minIndex,
        Duration maxWait) {
    public static final String CATALOG_NODES = "Catalog.ListNodes";
    public static final String CATALOG_SERVICES = "Catalog.ListServices";
    public static final String CATALOG_SERVICE_NODES = "Catalog.ServiceNodes";
    public static final String CATALOG_NODE = "Catalog.NodeServices";
    public static final String CATALOG_NODE_SERVICES = "Catalog.NodeServiceList";
    public static final String HEALTH_NODE = "Health.NodeChecks";
    public static final String HEALTH_CHECKS = "Health.ServiceChecks";
    public static final String HEALTH_STATE = "Health.ChecksInState";
    public static final String HEALTH_SERVICE = "Health.ServiceNodes";

    public static final String INTERNAL_NODES = "Internal.NodeDump";
    public static final String INTERNAL_NODE = "Internal.NodeInfo";
    public static final String INTERNAL_SERVICES = "Internal.ServiceDump";

    /** How many rows there are, for the figures of a server. */
    public static final String INTERNAL_COUNTS = "Internal.Counts";

    /**
     * A key, with {@code recurse} all pairs below a prefix, with {@code keys} their names; {@code
     * raw} is the bare value.
     */
    public static final String KV_GET = "KV.Get";

    public static final String QUERY_LIST = "PreparedQuery.List";
    public static final String QUERY_GET = "PreparedQuery.Get";

    /**
     * Runs a query: at most {@code limit} instances, those first that are nearest to {@code near};
     * {@code agent} and {@code ip} tell the node and the address that are asked from.
     */
    public static final String QUERY_EXECUTE = "PreparedQuery.Execute";

    public static final String QUERY_EXPLAIN = "PreparedQuery.Explain";

    public static final String COORDINATE_NODES = "Coordinate.ListNodes";
    public static final String COORDINATE_NODE = "Coordinate.Node";
    public static final String COORDINATE_DATACENTERS = "Coordinate.ListDatacenters";
    public static final String SESSION_INFO = "Session.Get";
    public static final String SESSION_NODE = "Session.NodeSessions";
    public static final String SESSION_LIST = "Session.List";

    /** A transaction that only reads; the name is the {@link registry.api.Txn} as JSON. */
    public static final String TXN_READ = "Txn.Read";

    /** A question that is answered at once. */
    public static Question now(String method, String name, Map<String, List<String>> params) {
        return new Question(method, name, params, Consistency.DEFAULT, 0, Duration.ZERO);
    }

    public boolean has(String param) {
        return params.containsKey(param);
    }

    /** The values of a repeatable parameter; empty when it is absent. */
    public List<String> all(String param) {
        return params.getOrDefault(param, List.of());
    }

    /** The first value of a parameter; empty text when it is absent. */
    public String first(String param) {
        List<String> values = all(param);
        return values.isEmpty() ? "" : values.getFirst();
    }
}
