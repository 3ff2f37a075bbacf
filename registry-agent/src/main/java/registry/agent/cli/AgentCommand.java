package registry.agent.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigInteger;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import registry.agent.Agent;
import registry.agent.config.ConfigException;
import registry.agent.config.ConfigSources;

/**
 * {@code registry agent}: turns its flags into a source of configuration and runs an agent until it
 * is stopped.
 */
final class AgentCommand implements Command {
    private static final Map<String, Setting> SETTINGS = settings();

    private enum Form {
        TEXT,
        BOOL,
        NUMBER,
        TEXTS
    }

    /** A flag that sets one key, given as its path. */
    private record Setting(Form form, String key, String meaning) {}

    private static Map<String, Setting> settings() {
        var all = new LinkedHashMap<String, Setting>();
        all.put(
                "server",
                bool("server", "Embeds a server: keeps the catalog, takes part in consensus."));
        all.put("bootstrap", bool("bootstrap", "The single server elects itself."));
        all.put(
                "bootstrap-expect",
                number(
                        "bootstrap_expect",
                        "Number of servers to wait for before the first election."));
        all.put("data-dir", text("data_dir", "Where the agent keeps what it must not lose."));
        all.put("datacenter", text("datacenter", "Name of the datacenter, dc1 by default."));
        all.put("node", text("node_name", "Name of this node, the host's name by default."));
        all.put(
                "node-id",
                text(
                        "node_id",
                        "UUID of this node, random and kept in the data directory by default."));
        all.put(
                "disable-host-node-id",
                bool(
                        "disable_host_node_id",
                        "Accepted: a node ID is never derived from the host."));
        all.put(
                "bind",
                text("bind_addr", "Address for other nodes' connections, 0.0.0.0 by default."));
        all.put(
                "client",
                text(
                        "client_addr",
                        "Addresses for clients, separated by blanks, 127.0.0.1 by default."));
        all.put("advertise", text("advertise_addr", "Address that other nodes are told."));
        all.put(
                "advertise-wan",
                text("advertise_addr_wan", "Address that nodes of other datacenters are told."));
        all.put(
                "http-port",
                number("ports.http", "Port of the HTTP API, 8500 by default, -1 for none."));
        all.put("https-port", number("ports.https", "Not available in this version."));
        all.put("dns-port", number("ports.dns", "Port of DNS, 8600 by default, -1 for none."));
        all.put("grpc-port", number("ports.grpc", "Accepted without effect."));
        all.put(
                "server-port",
                number("ports.server", "Port of the servers' RPC, 8300 by default."));
        all.put("serf-lan-port", number("ports.serf_lan", "Port of gossip, 8301 by default."));
        all.put(
                "serf-wan-port",
                number("ports.serf_wan", "Port of gossip between datacenters, 8302 by default."));
        all.put("serf-lan-bind", text("serf_lan", "Accepted without effect."));
        all.put("serf-wan-bind", text("serf_wan", "Accepted without effect."));
        all.put(
                "join",
                texts("start_join", "Address of a node to join at start. May be repeated."));
        all.put(
                "retry-join",
                texts("retry_join", "Like -join, repeated until it succeeds. May be repeated."));
        all.put(
                "retry-interval",
                text("retry_interval", "Time between attempts to join, 30s by default."));
        all.put(
                "retry-max",
                number("retry_max", "Attempts to join before giving up; 0 never gives up."));
        all.put("join-wan", texts("start_join_wan", "Accepted without effect."));
        all.put("retry-join-wan", texts("retry_join_wan", "Accepted without effect."));
        all.put("retry-interval-wan", text("retry_interval_wan", "Accepted without effect."));
        all.put("retry-max-wan", number("retry_max_wan", "Accepted without effect."));
        all.put(
                "rejoin",
                bool("rejoin_after_leave", "Joins the former cluster again after a leave."));
        all.put("log-level", text("log_level", "trace, debug, info, warn or err."));
        all.put("log-json", bool("log_json", "Logs in JSON."));
        all.put("log-file", text("log_file", "Logs into this file too."));
        all.put("log-rotate-bytes", number("log_rotate_bytes", "Accepted without effect."));
        all.put("log-rotate-duration", text("log_rotate_duration", "Accepted without effect."));
        all.put("log-rotate-max-files", number("log_rotate_max_files", "Accepted without effect."));
        all.put("syslog", bool("enable_syslog", "Accepted without effect."));
        all.put("pid-file", text("pid_file", "Where to write the process's ID."));
        all.put("encrypt", text("encrypt", "Key to encrypt gossip with, as keygen prints it."));
        all.put(
                "enable-script-checks",
                bool("enable_script_checks", "Allows script checks of files and of the API."));
        all.put(
                "enable-local-script-checks",
                bool(
                        "enable_local_script_checks",
                        "Allows script checks of files; on by default."));
        all.put("domain", text("domain", "Domain of DNS answers, consul by default."));
        all.put("alt-domain", text("alt_domain", "A second domain of DNS answers."));
        all.put(
                "recursor",
                texts("recursors", "Where to ask names outside of the domain. May be repeated."));
        all.put("ui", bool("ui", "Serves the user interface."));
        all.put("ui-dir", text("ui_dir", "Accepted without effect."));
        all.put("ui-content-path", text("ui_content_path", "Accepted without effect."));
        all.put("protocol", number("protocol", "Accepted without effect."));
        all.put("raft-protocol", number("raft_protocol", "Accepted without effect."));
        all.put("disable-keyring-file", bool("disable_keyring_file", "Accepted without effect."));
        all.put("primary-gateway", texts("primary_gateways", "Accepted without effect."));
        all.put("segment", text("segment", "Accepted without effect."));
        all.put("non-voting-server", bool("non_voting_server", "Accepted without effect."));
        all.put("read-replica", bool("read_replica", "Accepted without effect."));
        all.put(
                "default-query-time",
                text("default_query_time", "How long a blocking query waits by default, 5m."));
        all.put(
                "max-query-time",
                text("max_query_time", "How long a blocking query may wait, 10m."));
        all.put(
                "check_output_max_size",
                number(
                        "check_output_max_size",
                        "Bytes of a check's output that are kept, 4096 by default."));
        all.put(
                "serf-lan-allowed-cidrs",
                texts("serf_allowed_cidrs_lan", "Accepted without effect."));
        all.put(
                "serf-wan-allowed-cidrs",
                texts("serf_allowed_cidrs_wan", "Accepted without effect."));
        return all;
    }

    private static Setting text(String key, String meaning) {
        return new Setting(Form.TEXT, key, meaning);
    }

    private static Setting bool(String key, String meaning) {
        return new Setting(Form.BOOL, key, meaning);
    }

    private static Setting number(String key, String meaning) {
        return new Setting(Form.NUMBER, key, meaning);
    }

    private static Setting texts(String key, String meaning) {
        return new Setting(Form.TEXTS, key, meaning);
    }

    @Override
    public String synopsis() {
        return "[options]";
    }

    @Override
    public String purpose() {
        return "Runs an agent until it is stopped. It needs -data-dir, or -dev for a try-out that forgets everything.";
    }

    @Override
    public Flags flags() {
        var flags =
                new Flags()
                        .onOff(
                                "dev",
                                "A server for trying things out: keeps nothing, listens on loopback only.")
                        .texts(
                                "config-file",
                                "A file of settings and definitions. May be repeated.")
                        .texts("config-dir", "A directory of such files. May be repeated.")
                        .text(
                                "config-format",
                                "hcl or json: what the files are, whatever their suffix.")
                        .texts("hcl", "A piece of configuration in HCL or JSON. May be repeated.")
                        .texts("node-meta", "A pair key:value about this node. May be repeated.");
        SETTINGS.forEach((name, setting) -> {
            switch (setting.form()) {
                case TEXT -> flags.text(name, setting.meaning());
                case BOOL -> flags.onOff(name, setting.meaning());
                case NUMBER -> flags.number(name, setting.meaning());
                case TEXTS -> flags.texts(name, setting.meaning());
            }
        });
        return flags;
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure {
        if (!flags.arguments().isEmpty()) {
            throw new Failure(
                    "==> Unexpected extra arguments: [%s]"
                            .formatted(String.join(" ", flags.arguments())));
        }
        try {
            return Agent.run(sources(flags));
        } catch (ConfigException e) {
            throw new Failure("==> " + e.getMessage());
        }
    }

    /** What the flags say, with keys as files have them. */
    static ConfigSources sources(Flags flags) {
        ObjectNode tree = JsonNodeFactory.instance.objectNode();
        for (String name : flags.given()) {
            Setting setting = SETTINGS.get(name);
            if (setting != null) {
                set(tree, setting, flags, name);
            }
        }
        for (String pair : flags.all("node-meta")) {
            int colon = pair.indexOf(':');
            tree.withObjectProperty("node_meta")
                    .put(
                            colon < 0 ? pair : pair.substring(0, colon),
                            colon < 0 ? "" : pair.substring(colon + 1));
        }
        return new ConfigSources(
                flags.isOn("dev"),
                flags.inOrder(Set.of("config-file", "config-dir")),
                flags.get("config-format"),
                flags.all("hcl"),
                tree);
    }

    private static void set(ObjectNode tree, Setting setting, Flags flags, String name) {
        String key = setting.key();
        int dot = key.indexOf('.');
        ObjectNode at = dot < 0 ? tree : tree.withObjectProperty(key.substring(0, dot));
        String last = key.substring(dot + 1);
        switch (setting.form()) {
            case TEXT -> at.put(last, flags.get(name));
            case BOOL -> at.put(last, flags.isOn(name));
            case NUMBER -> at.put(last, new BigInteger(flags.get(name)));
            case TEXTS -> flags.all(name).forEach(at.withArrayProperty(last)::add);
        }
    }
}
