package registry.agent.config;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import registry.agent.config.AgentConfig.Autopilot;
import registry.agent.config.AgentConfig.Definitions;
import registry.agent.config.AgentConfig.GossipSecurity;
import registry.agent.config.AgentConfig.HttpConfig;
import registry.agent.config.AgentConfig.Limits;
import registry.agent.config.AgentConfig.Ports;
import registry.agent.config.AgentConfig.RpcTls;
import registry.agent.config.AgentConfig.Telemetry;
import registry.api.AutopilotConfig;
import registry.api.json.GoDuration;
import registry.server.session.SessionTtl;

/**
 * Binds the merged tree to the record: defaults, and the rules that concern several keys. Source:
 * consul-api 8.2, 8.3.
 */
final class ConfigBinder {
    private static final Pattern DATACENTER = Pattern.compile("[a-z0-9_-]+");
    private static final Pattern UUID =
            Pattern.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");
    private static final Pattern CIDR = Pattern.compile("[0-9a-fA-F.:]+/[0-9]{1,3}");
    private static final List<String> LOG_LEVELS = List.of("TRACE", "DEBUG", "INFO", "WARN", "ERR");
    private static final Duration MIN_RECONNECT_TIMEOUT = Duration.ofHours(8);
    private static final Duration MIN_SESSION_TTL = Duration.ofSeconds(1);
    private static final int KV_MAX_VALUE_SIZE = 512 * 1024;

    private final Settings settings;
    private final boolean devMode;
    private final Machine machine;
    private final Consumer<String> warnings;

    ConfigBinder(Settings settings, boolean devMode, Machine machine, Consumer<String> warnings) {
        this.settings = settings;
        this.devMode = devMode;
        this.machine = machine;
        this.warnings = warnings;
    }

    AgentConfig bind(Definitions definitions) throws ConfigException {
        boolean server = settings.flag("server", false);
        String datacenter = datacenter();
        Path dataDir = dataDir();
        String nodeName = nodeName();
        int bootstrapExpect = bootstrapExpect(server);
        var addresses = new AddressBinder(settings, machine);
        String bindAddr = addresses.bind();
        String advertiseAddr = addresses.advertise(bindAddr);
        String advertiseAddrWan = addresses.advertiseWan(advertiseAddr);
        Settings performance = settings.section("performance");
        return new AgentConfig(
                devMode,
                server,
                bootstrapExpect,
                dataDir,
                datacenter,
                nodeName,
                nodeId(),
                nodeMeta(),
                bindAddr,
                advertiseAddr,
                advertiseAddrWan,
                addresses.clients(),
                addresses.tagged(advertiseAddr, advertiseAddrWan),
                ports(),
                settings.texts("start_join"),
                settings.texts("retry_join"),
                span("retry_interval", Duration.ofSeconds(30)),
                atLeast("retry_max", settings.whole("retry_max", 0), 0),
                settings.flag("rejoin_after_leave", false),
                reconnectTimeout(),
                gossipSecurity(),
                settings.flag("leave_on_terminate", !server),
                settings.flag("skip_leave_on_interrupt", server),
                raftMultiplier(performance),
                notNegative(
                        "performance.leave_drain_time",
                        performance.duration("leave_drain_time", Duration.ofSeconds(5))),
                logLevel(),
                settings.flag("log_json", false),
                path("log_file"),
                path("pid_file"),
                settings.flag("enable_script_checks", false),
                settings.flag("enable_local_script_checks", true),
                span("check_update_interval", Duration.ofMinutes(5)),
                checkOutputMaxSize(),
                settings.flag("discard_check_output", false),
                settings.flag("disable_http_unprintable_char_filter", false),
                settings.flag("disable_coordinates", false),
                settings.flag("enable_debug", false),
                positive("default_query_time", Duration.ofSeconds(300)),
                positive("max_query_time", Duration.ofSeconds(600)),
                span("discovery_max_stale", Duration.ZERO),
                positive("tombstone_ttl", Duration.ofMinutes(15)),
                sessionTtl(),
                Math.max(1, settings.size("raft_snapshot_bytes", 64L << 20)),
                autopilot(),
                httpConfig(),
                new DnsBinder(settings).bind(),
                telemetry(),
                rpcTls(),
                limits(),
                definitions);
    }

    private String datacenter() throws ConfigException {
        String datacenter = settings.text("datacenter", "dc1").toLowerCase(Locale.ROOT);
        if (datacenter.isEmpty()) {
            throw new ConfigException("datacenter cannot be empty");
        }
        if (!DATACENTER.matcher(datacenter).matches()) {
            throw new ConfigException(
                    "datacenter can only contain lowercase alphanumeric, - or _ characters. received: \"%s\""
                            .formatted(datacenter));
        }
        return datacenter;
    }

    private @Nullable Path dataDir() throws ConfigException {
        Path dataDir = path("data_dir");
        if (dataDir == null) {
            if (devMode) {
                return null;
            }
            throw new ConfigException("data_dir cannot be empty");
        }
        if (Files.exists(dataDir) && !Files.isDirectory(dataDir)) {
            throw new ConfigException("data_dir \"%s\" is not a directory".formatted(dataDir));
        }
        return dataDir;
    }

    private @Nullable Path path(String key) throws ConfigException {
        String path = settings.text(key);
        try {
            return path.isEmpty() ? null : Path.of(path);
        } catch (InvalidPathException e) {
            throw new ConfigException("%s: not a path: %s".formatted(key, e.getReason()));
        }
    }

    private String nodeName() throws ConfigException {
        String name = settings.text("node_name", machine.hostName()).strip();
        if (name.isEmpty()) {
            throw new ConfigException("node_name cannot be empty");
        }
        if (!DefinitionRules.isDnsName(name)) {
            warnings.accept(
                    "Node name \"%s\" will not be discoverable via DNS due to invalid characters. Valid characters include all alpha-numerics and dashes."
                            .formatted(name));
        }
        return name;
    }

    private String nodeId() throws ConfigException {
        String id = settings.text("node_id");
        if (!id.isEmpty() && !UUID.matcher(id).matches()) {
            throw new ConfigException("node_id: \"%s\" is not a UUID".formatted(id));
        }
        return id.toLowerCase(Locale.ROOT);
    }

    private SortedMap<String, String> nodeMeta() throws ConfigException {
        SortedMap<String, String> meta = settings.textMap("node_meta");
        Optional<String> fault = DefinitionRules.metaFault(meta);
        if (fault.isPresent()) {
            throw new ConfigException("node_meta invalid: " + fault.get());
        }
        return meta;
    }

    private int bootstrapExpect(boolean server) throws ConfigException {
        boolean bootstrap = settings.flag("bootstrap", false);
        int expect = settings.whole("bootstrap_expect", 0);
        if (bootstrap && !server) {
            throw new ConfigException("'bootstrap = true' requires 'server = true'");
        }
        if (expect < 0) {
            throw new ConfigException(
                    "bootstrap_expect cannot be %d. Must be greater than or equal to zero"
                            .formatted(expect));
        }
        if (expect > 0 && !server) {
            throw new ConfigException("'bootstrap_expect > 0' requires 'server = true'");
        }
        if (expect > 0 && devMode) {
            throw new ConfigException("'bootstrap_expect > 0' not allowed in dev mode");
        }
        if (expect > 0 && bootstrap) {
            throw new ConfigException(
                    "'bootstrap_expect > 0' and 'bootstrap = true' are mutually exclusive");
        }
        if (expect > 1 && expect % 2 == 0) {
            warnings.accept(
                    "bootstrap_expect is set to %d: an even number of servers tolerates no more failures than one less"
                            .formatted(expect));
        }
        return bootstrap || (devMode && server) ? 1 : expect;
    }

    private Ports ports() throws ConfigException {
        Settings ports = settings.section("ports");
        var bound =
                new Ports(
                        port(ports, "dns", 8600),
                        port(ports, "http", 8500),
                        port(ports, "https", -1),
                        port(ports, "serf_lan", 8301),
                        port(ports, "serf_wan", 8302),
                        port(ports, "server", 8300));
        refuseEqual("ports.dns", bound.dns(), "ports.http", bound.http());
        refuseEqual("ports.server", bound.server(), "ports.serf_lan", bound.serfLan());
        refuseEqual("ports.server", bound.server(), "ports.serf_wan", bound.serfWan());
        refuseEqual("ports.serf_lan", bound.serfLan(), "ports.serf_wan", bound.serfWan());
        return bound;
    }

    private static int port(Settings ports, String key, int absent) {
        int port = ports.whole(key, 0);
        return port == 0 ? absent : port;
    }

    private static void refuseEqual(String one, int port, String other, int otherPort)
            throws ConfigException {
        if (port > 0 && port == otherPort) {
            throw new ConfigException("%s and %s are both %d".formatted(one, other, port));
        }
    }

    private Duration reconnectTimeout() throws ConfigException {
        Duration timeout = settings.duration("reconnect_timeout", Duration.ofHours(72));
        if (timeout.compareTo(MIN_RECONNECT_TIMEOUT) < 0) {
            throw new ConfigException(
                    "reconnect_timeout must be >= 8h0m0s, is %s"
                            .formatted(GoDuration.format(timeout)));
        }
        return timeout;
    }

    private GossipSecurity gossipSecurity() throws ConfigException {
        String encrypt = settings.text("encrypt");
        String fault = encrypt.isEmpty() ? "" : keyFault(encrypt);
        if (!fault.isEmpty()) {
            throw new ConfigException("encrypt has invalid key: " + fault);
        }
        return new GossipSecurity(
                encrypt,
                settings.flag("encrypt_verify_incoming", true),
                settings.flag("encrypt_verify_outgoing", true),
                !settings.flag("disable_keyring_file", false));
    }

    private static String keyFault(String key) {
        try {
            int size = Base64.getDecoder().decode(key.strip()).length;
            return size == 16 || size == 24 || size == 32
                    ? ""
                    : "key size must be 16, 24 or 32 bytes";
        } catch (IllegalArgumentException e) {
            return "illegal base64 data";
        }
    }

    private SessionTtl sessionTtl() throws ConfigException {
        Duration min = settings.duration("session_ttl_min", SessionTtl.CONSULS.min());
        if (min.compareTo(MIN_SESSION_TTL) < 0) {
            throw new ConfigException(
                    "session_ttl_min must be >= 1s, is %s".formatted(GoDuration.format(min)));
        }
        int factor = settings.whole("session_ttl_factor", SessionTtl.CONSULS.factor());
        if (factor < 1 || factor > 10) {
            throw new ConfigException(
                    "session_ttl_factor cannot be %d. Must be between 1 and 10".formatted(factor));
        }
        return new SessionTtl(min, factor);
    }

    private static int raftMultiplier(Settings performance) throws ConfigException {
        int multiplier = performance.whole("raft_multiplier", 5);
        if (multiplier < 1 || multiplier > 10) {
            throw new ConfigException(
                    "performance.raft_multiplier cannot be %d. Must be between 1 and 10"
                            .formatted(multiplier));
        }
        return multiplier;
    }

    private String logLevel() throws ConfigException {
        String level = settings.text("log_level", "INFO").toUpperCase(Locale.ROOT);
        level = level.equals("ERROR") ? "ERR" : level.equals("WARNING") ? "WARN" : level;
        if (!LOG_LEVELS.contains(level)) {
            throw new ConfigException(
                    "Invalid log level: %s. Valid log levels are: %s"
                            .formatted(settings.text("log_level"), String.join(", ", LOG_LEVELS)));
        }
        return level;
    }

    private int checkOutputMaxSize() throws ConfigException {
        int size = settings.whole("check_output_max_size", 4096);
        if (size < 1) {
            throw new ConfigException(
                    "check_output_max_size must be positive, to discard check output use the discard_check_output flag");
        }
        return size;
    }

    private HttpConfig httpConfig() throws ConfigException {
        Settings http = settings.section("http_config");
        var headers = new TreeMap<>(settings.textMap("http_api_response_headers"));
        headers.putAll(http.textMap("response_headers"));
        for (String network : http.texts("allow_write_http_from")) {
            if (!CIDR.matcher(network).matches()
                    || !IpText.isIp(network.substring(0, network.indexOf('/')))) {
                throw new ConfigException(
                        "http_config.allow_write_http_from: invalid CIDR address: " + network);
            }
        }
        return new HttpConfig(
                http.texts("block_endpoints"),
                http.texts("allow_write_http_from"),
                headers,
                http.flag("use_cache", true),
                atLeast(
                        "http_config.max_header_bytes",
                        http.whole("max_header_bytes", 16 * 1024),
                        1024),
                http.texts("allowed_hosts"));
    }

    private Telemetry telemetry() throws ConfigException {
        Settings telemetry = settings.section("telemetry");
        return new Telemetry(
                notNegative(
                        "telemetry.prometheus_retention_time",
                        telemetry.duration("prometheus_retention_time", Duration.ZERO)),
                telemetry.flag("disable_hostname", false),
                telemetry.text("metrics_prefix", "consul"),
                !telemetry.flag("disable_compat_1.9", false));
    }

    private Autopilot autopilot() throws ConfigException {
        Settings autopilot = settings.section("autopilot");
        AutopilotConfig absent = AutopilotConfig.DEFAULT;
        var initial =
                new AutopilotConfig(
                        autopilot.flag("cleanup_dead_servers", absent.cleanupDeadServers()),
                        notNegative(
                                "autopilot.last_contact_threshold",
                                autopilot.duration(
                                        "last_contact_threshold", absent.lastContactThreshold())),
                        atLeast(
                                "autopilot.max_trailing_logs",
                                autopilot.whole(
                                        "max_trailing_logs", (int) absent.maxTrailingLogs()),
                                0),
                        atLeast("autopilot.min_quorum", autopilot.whole("min_quorum", 0), 0),
                        notNegative(
                                "autopilot.server_stabilization_time",
                                autopilot.duration(
                                        "server_stabilization_time",
                                        absent.serverStabilizationTime())),
                        "",
                        false,
                        "",
                        0,
                        0);
        Duration delay =
                notNegative(
                        "autopilot.dead_server_delay",
                        autopilot.duration("dead_server_delay", Duration.ofHours(72)));
        return new Autopilot(initial, delay);
    }

    private RpcTls rpcTls() throws ConfigException {
        boolean hostname = settings.flag("verify_server_hostname", false);
        var tls =
                new RpcTls(
                        path("ca_file"),
                        path("cert_file"),
                        path("key_file"),
                        settings.flag("verify_incoming", false)
                                || settings.flag("verify_incoming_rpc", false),
                        settings.flag("verify_outgoing", false) || hostname,
                        hostname);
        if ((tls.certFile() == null) != (tls.keyFile() == null)) {
            throw new ConfigException("cert_file and key_file: each needs the other");
        }
        if (tls.verifyIncoming() && (tls.caFile() == null || tls.certFile() == null)) {
            throw new ConfigException(
                    "verify_incoming set, and no CA certificate (ca_file) or no cert/key pair (cert_file, key_file) provided!");
        }
        if (tls.verifyOutgoing() && tls.caFile() == null) {
            throw new ConfigException(
                    "verify_outgoing set, and no CA certificate (ca_file) provided!");
        }
        return tls;
    }

    private Limits limits() throws ConfigException {
        Settings limits = settings.section("limits");
        int kvMaxValueSize =
                atLeast(
                        "limits.kv_max_value_size",
                        limits.whole("kv_max_value_size", KV_MAX_VALUE_SIZE),
                        1);
        return new Limits(
                atLeast(
                        "limits.http_max_conns_per_client",
                        limits.whole("http_max_conns_per_client", 2000),
                        0),
                kvMaxValueSize,
                atLeast(
                        "limits.txn_max_req_len",
                        limits.whole("txn_max_req_len", KV_MAX_VALUE_SIZE),
                        1),
                txnMaxOps(limits.whole("txn_max_ops", 64)),
                atLeast(
                        "limits.json_max_body_size",
                        limits.whole("json_max_body_size", 2 << 20),
                        1024));
    }

    private static int txnMaxOps(int ops) throws ConfigException {
        if (ops < 1 || ops > 128) {
            throw new ConfigException(
                    "limits.txn_max_ops cannot be %d. Must be between 1 and 128".formatted(ops));
        }
        return ops;
    }

    private static int atLeast(String key, int value, int least) throws ConfigException {
        if (value < least) {
            throw new ConfigException("%s: %d, expected at least %d".formatted(key, value, least));
        }
        return value;
    }

    private Duration span(String key, Duration absent) throws ConfigException {
        return notNegative(key, settings.duration(key, absent));
    }

    /** As Consul has it, zero and less are the default. */
    private Duration positive(String key, Duration absent) {
        Duration value = settings.duration(key, absent);
        return value.isPositive() ? value : absent;
    }

    private static Duration notNegative(String key, Duration value) throws ConfigException {
        if (value.isNegative()) {
            throw new ConfigException(
                    "%s: %s, expected no negative time".formatted(key, GoDuration.format(value)));
        }
        return value;
    }
}
