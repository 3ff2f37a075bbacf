package registry.api;

import java.util.List;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * The body of {@code PUT /v1/catalog/register}: a node and, in the same atomic step, one instance
 * and any checks. Missing text is the empty string; the indexes inside are ignored.
 */
public record CatalogRegistration(
        String datacenter,
        String id,
        String node,
        String address,
        @Nullable SortedMap<String, String> taggedAddresses,
        @Nullable SortedMap<String, String> nodeMeta,
        @Nullable NodeService service,
        List<HealthCheck> checks,
        boolean skipNodeUpdate) {}
