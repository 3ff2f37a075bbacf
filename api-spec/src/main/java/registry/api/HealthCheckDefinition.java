package registry.api;

import com.fasterxml.jackson.annotation.JsonAlias;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How an external monitor is to run a catalogue check; servers only store it. Only members that are
 * set are written, durations as Go text. Source: developer.hashicorp.com/consul/api-docs/catalog
 */
@JsonInclude(JsonInclude.Include.NON_DEFAULT)
public record HealthCheckDefinition(
        @JsonAlias("IntervalDuration") @Nullable Duration interval,
        @JsonAlias("TimeoutDuration") @Nullable Duration timeout,
        @JsonAlias("DeregisterCriticalServiceAfterDuration")
                @Nullable Duration deregisterCriticalServiceAfter,
        @Nullable String http,
        @Nullable Map<String, List<String>> header,
        @Nullable String method,
        @Nullable String body,
        boolean tlsSkipVerify,
        @Nullable String tcp,
        int outputMaxSize,
        @Nullable List<String> scriptArgs,
        @JsonProperty("DockerContainerID") @Nullable String dockerContainerId,
        @Nullable String shell,
        @JsonProperty("GRPC") @Nullable String grpc,
        @JsonProperty("GRPCUseTLS") boolean grpcUseTls,
        @Nullable String aliasNode,
        @Nullable String aliasService,
        @Nullable Duration ttl) {
    public static final HealthCheckDefinition NONE =
            new HealthCheckDefinition(
                    null, null, null, null, null, null, null, false, null, 0, null, null, null,
                    null, false, null, null, null);
}
