package registry.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * A service instance as the agent that owns it shows it. {@code contentHash} only in the answer for
 * a single one.
 */
public record AgentService(
        @JsonInclude(JsonInclude.Include.NON_EMPTY) String kind,
        String id,
        String service,
        List<String> tags,
        SortedMap<String, String> meta,
        int port,
        String address,
        @JsonInclude(JsonInclude.Include.NON_EMPTY)
                @Nullable SortedMap<String, ServiceAddress> taggedAddresses,
        Weights weights,
        boolean enableTagOverride,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) @Nullable String contentHash,
        String datacenter) {}
