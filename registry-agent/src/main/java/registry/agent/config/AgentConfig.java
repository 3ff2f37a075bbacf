package registry.agent.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;
import registry.api.AutopilotConfig;
import registry.server.session.SessionTtl;

/**
 * What an agent was told by defaults, files and flags, merged and checked. Names are Consul's
 * (consul-api 8.2); a port of -1 is off.
 *
 * @param dataDir null only with {@code devMode}: then a temporary directory is used and removed
 * @param nodeId empty: random at the first start, kept in the data directory
 * @param bindAddr address that cluster ports listen on; {@code advertiseAddr} is what others are
 *     told
 * @param clientAddrs addresses of the HTTP listener
 * @param definitions services, checks and watches of all sources
 */
public record AgentConfig(
        boolean devMode,
        boolean server,
        int bootstrapExpect,
        @Nullable Path dataDir,
        String datacenter,
        String nodeName,
        String nodeId,
        SortedMap<String, String> nodeMeta,
        String bindAddr,
        String advertiseAddr,
        String advertiseAddrWan,
        List<String> clientAddrs,
        Map<String, String> taggedAddresses,
        Ports ports,
        List<String> startJoin,
        List<String> retryJoin,
        Duration retryInterval,
        int retryMax,
        boolean rejoinAfterLeave,
        Duration reconnectTimeout,
        GossipSecurity gossipSecurity,
        boolean leaveOnTerminate,
        boolean skipLeaveOnInterrupt,
        int raftMultiplier,
        Duration leaveDrainTime,
        String logLevel,
        boolean logJson,
        @Nullable Path logFile,
        @Nullable Path pidFile,
        boolean enableScriptChecks,
        boolean enableLocalScriptChecks,
        Duration checkUpdateInterval,
        int checkOutputMaxSize,
        boolean discardCheckOutput,
        boolean disableHttpUnprintableCharFilter,
        boolean disableCoordinates,
        boolean enableDebug,
        Duration defaultQueryTime,
        Duration maxQueryTime,
        Duration discoveryMaxStale,
        Duration tombstoneTtl,
        SessionTtl sessionTtl,
        long raftSnapshotBytes,
        Autopilot autopilot,
        HttpConfig http,
        Dns dns,
        Telemetry telemetry,
        RpcTls rpcTls,
        Limits limits,
        Definitions definitions) {

    /**
     * What gossip is encrypted with.
     *
     * @param encrypt base64 of the first key; empty for none
     * @param verifyIncoming plain peers are refused
     * @param verifyOutgoing nothing is sent in plain
     * @param keyringFile the keyring is kept in the data directory
     */
    public record GossipSecurity(
            String encrypt, boolean verifyIncoming, boolean verifyOutgoing, boolean keyringFile) {}

    /** Listening ports; -1 is off. */
    public record Ports(int dns, int http, int https, int serfLan, int serfWan, int server) {}

    /**
     * {@code autopilot}.
     *
     * @param initial the configuration while none was set through the API
     * @param deadServerDelay how long a voter has to be dead before it is removed
     */
    public record Autopilot(AutopilotConfig initial, Duration deadServerDelay) {}

    /** {@code http_config}. */
    public record HttpConfig(
            List<String> blockEndpoints,
            List<String> allowWriteHttpFrom,
            SortedMap<String, String> responseHeaders,
            boolean useCache,
            int maxHeaderBytes,
            List<String> allowedHosts) {}

    /**
     * {@code dns_config} and its neighbours. Source: consul-api 10.
     *
     * @param domain without the last dot, lower case
     * @param altDomain a second one; empty for none
     * @param recursors as {@code ip:port}, asked in this order
     * @param serviceTtl by service, by {@code prefix*}, or for all by {@code *}
     * @param udpAnswerLimit of answers over UDP without EDNS
     * @param addressLimit of A and AAAA over any transport; 0 for none
     */
    public record Dns(
            String domain,
            String altDomain,
            List<String> recursors,
            Duration recursorTimeout,
            boolean allowStale,
            Duration maxStale,
            Duration nodeTtl,
            SortedMap<String, Duration> serviceTtl,
            boolean onlyPassing,
            boolean enableTruncate,
            boolean disableCompression,
            boolean nodeMetaTxt,
            int udpAnswerLimit,
            int addressLimit,
            Soa soa) {}

    /** {@code dns_config.soa}, in seconds. */
    public record Soa(int refresh, int retry, int expire, int minTtl) {}

    /**
     * {@code telemetry}.
     *
     * @param prometheusRetention how long a series is shown after its last value; zero: Prometheus'
     *     format is off
     * @param disableHostname the host's name does not stand in the names of gauges
     * @param prefix of all names, without a dot
     * @param oldNames measures requests also under the names that Consul had before 1.9
     */
    public record Telemetry(
            Duration prometheusRetention,
            boolean disableHostname,
            String prefix,
            boolean oldNames) {}

    /** TLS of the server port. */
    public record RpcTls(
            @Nullable Path caFile,
            @Nullable Path certFile,
            @Nullable Path keyFile,
            boolean verifyIncoming,
            boolean verifyOutgoing,
            boolean verifyServerHostname) {
        /** Whether any of it is asked for. */
        public boolean isUsed() {
            return caFile != null || certFile != null || verifyIncoming || verifyOutgoing;
        }
    }

    /** {@code limits}; sizes in bytes. */
    public record Limits(
            int httpMaxConnsPerClient,
            int kvMaxValueSize,
            int txnMaxReqLen,
            int txnMaxOps,
            int maxJsonBody) {}

    /** What files define beside settings. */
    public record Definitions(
            List<ServiceDefinition> services,
            List<CheckDefinition> checks,
            List<WatchDefinition> watches) {}
}
