package registry.api;

import java.util.List;

/**
 * A check and its present result, bound to a node and, when {@code serviceId} is not empty, to one
 * of its instances. Source: developer.hashicorp.com/consul/api-docs/health
 */
public record HealthCheck(
        String node,
        String checkId,
        String name,
        String status,
        String notes,
        String output,
        String serviceId,
        String serviceName,
        List<String> serviceTags,
        String type,
        HealthCheckDefinition definition,
        long createIndex,
        long modifyIndex) {
    public static final String PASSING = "passing";
    public static final String WARNING = "warning";
    public static final String CRITICAL = "critical";

    /** The node's own liveness, kept by the leader for each gossip member. */
    public static final String SERF_HEALTH = "serfHealth";

    public static final String NODE_MAINTENANCE = "_node_maintenance";
    public static final String SERVICE_MAINTENANCE_PREFIX = "_service_maintenance:";
}
