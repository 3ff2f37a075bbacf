package registry.haproxy;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The declarative input, checked.
 *
 * @param agents asked in this order; the next one when one fails
 * @param token sent to the agents, null for none
 * @param waitTime the longest hold of a blocking query
 * @param dataDir keeps the last good answers and the status
 * @param resolveNames whether an instance may be registered with a name in place of an address
 */
record RendererConfig(
        Path file,
        List<URI> agents,
        @Nullable String token,
        Duration waitTime,
        Path dataDir,
        boolean resolveNames,
        HaproxyConfig haproxy,
        List<ServiceConfig> services) {

    /**
     * Where HAProxy is, and what its global and defaults sections hold.
     *
     * @param masterSocket null when HAProxy does not run in master-worker mode: then nobody can
     *     reload it for us
     * @param global raw lines for the global section; {@code defaults} likewise
     */
    record HaproxyConfig(
            Path config,
            Path socket,
            @Nullable Path masterSocket,
            Path stateFile,
            String binary,
            int maxConnections,
            Duration connectTimeout,
            Duration clientTimeout,
            Duration serverTimeout,
            List<String> global,
            List<String> defaults) {}

    /**
     * One service and how it is served.
     *
     * @param key names the frontend and the backend
     * @param consulName its name in the registry
     * @param minSlots the least number of servers prepared in HAProxy; 0 chooses by the number of
     *     instances
     * @param includeWarning whether instances with a warning check take traffic
     * @param drain how long connections to an instance that is gone may last before its slot is
     *     needed back
     */
    record ServiceConfig(
            String key,
            String consulName,
            List<String> tags,
            Mode mode,
            List<String> bind,
            String balance,
            int minSlots,
            CheckConfig check,
            String serverOptions,
            boolean includeWarning,
            boolean useWeights,
            OnEmpty onEmpty,
            Duration drain,
            List<String> frontend,
            List<String> backend) {}

    enum Mode {
        HTTP,
        TCP
    }

    enum CheckType {
        HTTP,
        TCP,
        NONE
    }

    /**
     * How HAProxy itself finds a dead instance, long before the registry does.
     *
     * @param expect status codes that pass, as in {@code 200-399}
     * @param host the Host header; null takes the service's key
     */
    record CheckConfig(
            CheckType type,
            String method,
            String path,
            @Nullable String host,
            String expect,
            Duration interval,
            Duration fastInterval,
            Duration timeout,
            int fall,
            int rise) {}

    /** What to do when all instances of a service are gone. */
    sealed interface OnEmpty {
        /**
         * Goes on with the last ones known: HAProxy's own checks know better which of them live.
         */
        record Keep() implements OnEmpty {}

        record Drop() implements OnEmpty {}

        record After(Duration delay) implements OnEmpty {}
    }
}
