package registry.api;

import java.util.List;

/**
 * One row of {@code /v1/health/service/NAME}: an instance, its node, and the checks of both (node
 * checks first).
 */
public record ServiceEntry(Node node, NodeService service, List<HealthCheck> checks) {}
