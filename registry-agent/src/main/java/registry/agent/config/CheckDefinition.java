package registry.agent.config;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A check as a file, a flag or the API defines it, valid by itself (its type and times agree,
 * consul-api 6.1). Missing text is empty, a missing duration null. The 0.3 form {@code script}
 * arrives as {@code args} {@code ["/bin/sh","-c",SCRIPT]}.
 *
 * @param id empty: derived by {@code LocalState}
 * @param status initial status, empty: critical
 * @param outputMaxSize bytes of output kept, 0: the agent's default
 */
public record CheckDefinition(
        String id,
        String name,
        String notes,
        String serviceId,
        String status,
        String token,
        List<String> args,
        String shell,
        String dockerContainerId,
        String http,
        String method,
        Map<String, List<String>> header,
        String body,
        boolean tlsSkipVerify,
        String tcp,
        String grpc,
        boolean grpcUseTls,
        String aliasNode,
        String aliasService,
        @Nullable Duration interval,
        @Nullable Duration timeout,
        @Nullable Duration ttl,
        int successBeforePassing,
        int failuresBeforeCritical,
        @Nullable Duration deregisterCriticalServiceAfter,
        int outputMaxSize) {

    /**
     * The word that the API shows: grpc, http, ttl, tcp, alias, docker, script, in this order of
     * precedence, or "".
     */
    public String type() {
        if (!grpc.isEmpty()) {
            return "grpc";
        }
        if (!http.isEmpty()) {
            return "http";
        }
        if (ttl != null) {
            return "ttl";
        }
        if (!tcp.isEmpty()) {
            return "tcp";
        }
        if (isAlias()) {
            return "alias";
        }
        if (!dockerContainerId.isEmpty()) {
            return "docker";
        }
        return args.isEmpty() ? "" : "script";
    }

    public boolean isAlias() {
        return !aliasNode.isEmpty() || !aliasService.isEmpty();
    }

    /** True when it runs a program of the node: governed by {@code enable_script_checks}. */
    public boolean isScript() {
        return !args.isEmpty();
    }
}
