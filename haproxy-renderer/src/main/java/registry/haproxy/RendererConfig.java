package registry.haproxy;

import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The declarative input, checked.
 *
 * @param agents asked in this order; the next one when one fails
 * @param token sent to the agents, null for none
 * @param waitTime the longest hold of a blocking query
 * @param dataDir keeps the last good answers and the status
 * @param resolveNames whether an instance may be registered with a name in place of an address
 * @param listen where {@code /health} and {@code /metrics} are served, null for nowhere
 * @param frontends entrances that services share by their routes
 */
record RendererConfig(
        Path file,
        List<URI> agents,
        @Nullable String token,
        Duration waitTime,
        Path dataDir,
        boolean resolveNames,
        @Nullable InetSocketAddress listen,
        HaproxyConfig haproxy,
        List<FrontendConfig> frontends,
        List<ServiceConfig> services) {

    /** The same, with all that is written for HAProxy in {@code folder}: to be tried there. */
    RendererConfig inFolder(Path folder) {
        return new RendererConfig(
                file,
                agents,
                token,
                waitTime,
                folder,
                resolveNames,
                listen,
                haproxy.withConfig(folder.resolve("haproxy.cfg")),
                frontends,
                services);
    }

    /** Where the routes of the frontend {@code key} stand, for HAProxy to read at its start. */
    Path mapFile(String key) {
        return dataDir.resolve("routes-" + key + ".map");
    }

    /**
     * Where HAProxy is, and what its global and defaults sections hold.
     *
     * @param masterSocket null when HAProxy does not run in master-worker mode: then nobody can
     *     reload it for us
     * @param template null for the file as it is made here
     * @param global raw lines for the global section; {@code defaults} likewise
     */
    record HaproxyConfig(
            Path config,
            Path socket,
            @Nullable Path masterSocket,
            Path stateFile,
            String binary,
            @Nullable Template template,
            int maxConnections,
            Duration connectTimeout,
            Duration clientTimeout,
            Duration serverTimeout,
            List<String> global,
            List<String> defaults) {

        HaproxyConfig withConfig(Path other) {
            return new HaproxyConfig(
                    other,
                    socket,
                    masterSocket,
                    stateFile,
                    binary,
                    template,
                    maxConnections,
                    connectTimeout,
                    clientTimeout,
                    serverTimeout,
                    global,
                    defaults);
        }
    }

    /**
     * An HTTP entrance for several services.
     *
     * @param defaultService the key of the service that takes what no route matches; null answers
     *     404
     */
    record FrontendConfig(
            String key,
            List<String> bind,
            @Nullable BindTls tls,
            @Nullable String defaultService,
            List<String> lines) {}

    /**
     * Which requests of a shared frontend a service takes: any of the hosts with any of the paths.
     *
     * @param hosts {@code www.example.org}, {@code *.example.org} for any one label, {@code *} for
     *     all
     * @param paths prefixes in whole segments: {@code /a} takes {@code /a} and {@code /a/b} but not
     *     {@code /ab}
     */
    record Route(String frontend, List<String> hosts, List<String> paths) {}

    /**
     * TLS towards the clients.
     *
     * @param certificate a PEM file with the key, or a folder of such files
     * @param clientCa null asks clients for no certificate
     */
    record BindTls(String certificate, @Nullable String clientCa, String alpn, String options) {}

    /**
     * TLS towards the instances.
     *
     * @param name sent as SNI and expected in the certificate; null for neither
     * @param certificate our own, null for none
     */
    record ServerTls(
            boolean verify, String ca, @Nullable String name, @Nullable String certificate) {}

    /**
     * Which instances are asked for.
     *
     * @param meta what the instance itself must have been registered with
     * @param datacenter null for the agent's own
     */
    record Selection(
            String service,
            List<String> tags,
            Map<String, String> nodeMeta,
            Map<String, String> meta,
            @Nullable String datacenter) {}

    /**
     * One service and how it is served.
     *
     * @param key names the frontend and the backend
     * @param bind empty for a service that is reached by its route only
     * @param dynamic whether servers are added and deleted in the running process, in place of
     *     slots that are prepared
     * @param minSlots the least number of servers prepared in HAProxy; 0 chooses by the number of
     *     instances
     * @param includeWarning whether instances with a warning check take traffic
     * @param drain how long connections to an instance that is gone may last before its slot is
     *     needed back
     */
    record ServiceConfig(
            String key,
            Selection selection,
            Mode mode,
            List<String> bind,
            @Nullable BindTls bindTls,
            @Nullable Route route,
            String balance,
            boolean dynamic,
            int minSlots,
            CheckConfig check,
            @Nullable ServerTls serverTls,
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
