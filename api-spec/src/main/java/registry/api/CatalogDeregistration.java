package registry.api;

/**
 * The body of {@code PUT /v1/catalog/deregister}; empty ids mean the whole node, and a service id
 * wins over a check id.
 */
public record CatalogDeregistration(
        String datacenter, String node, String serviceId, String checkId) {}
