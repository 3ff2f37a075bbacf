package registry.agent.config;

import java.util.List;
import java.util.SortedMap;
import registry.api.ServiceAddress;
import registry.api.Weights;

/**
 * A service instance as a file, a flag or the API defines it, valid by itself (consul-api 3.3,
 * 5.3). {@code id} is never empty: it defaults to the name. Missing text is empty.
 */
public record ServiceDefinition(
        String id,
        String name,
        List<String> tags,
        String address,
        int port,
        SortedMap<String, String> meta,
        SortedMap<String, ServiceAddress> taggedAddresses,
        Weights weights,
        boolean enableTagOverride,
        String kind,
        String token,
        List<CheckDefinition> checks) {}
