package registry.agent.config;

import static registry.agent.config.Shape.Effect.HONOURED;
import static registry.agent.config.Shape.Effect.PROTECTION;
import static registry.agent.config.Shape.Effect.SETTLED;
import static registry.agent.config.Shape.Effect.UNAVAILABLE;
import static registry.agent.config.Shape.Effect.WITHOUT_EFFECT;
import static registry.agent.config.Shape.Scalar.ANYTHING;
import static registry.agent.config.Shape.Scalar.BOOL;
import static registry.agent.config.Shape.Scalar.DURATION;
import static registry.agent.config.Shape.Scalar.PORT;
import static registry.agent.config.Shape.Scalar.REAL;
import static registry.agent.config.Shape.Scalar.TEXT;
import static registry.agent.config.Shape.Scalar.TEXT_LIST;
import static registry.agent.config.Shape.Scalar.TEXT_LISTS;
import static registry.agent.config.Shape.Scalar.TEXT_MAP;
import static registry.agent.config.Shape.Scalar.WHOLE;

import java.util.LinkedHashMap;
import java.util.Map;
import registry.agent.config.Shape.Effect;
import registry.agent.config.Shape.Key;
import registry.agent.config.Shape.Section;
import registry.agent.config.Shape.SectionMap;
import registry.agent.config.Shape.Sections;

/**
 * Every key that a file may have, with its shape and what it does: consul-api 7, 8.2 and 14.
 * docs/config.md tells the same.
 */
final class KnownKeys {
    static final Section CHECK =
            keys().add(
                            HONOURED,
                            TEXT,
                            "id name notes service_id token status script shell docker_container_id")
                    .add(HONOURED, TEXT, "http method body tcp grpc alias_node alias_service")
                    .add(HONOURED, TEXT_LIST, "args")
                    .add(HONOURED, TEXT_LISTS, "header")
                    .add(HONOURED, BOOL, "tls_skip_verify grpc_use_tls")
                    .add(
                            HONOURED,
                            DURATION,
                            "interval timeout ttl deregister_critical_service_after")
                    .add(
                            HONOURED,
                            WHOLE,
                            "success_before_passing failures_before_critical output_max_size")
                    .add(UNAVAILABLE, TEXT, "udp h2ping os_service tls_server_name")
                    .add(UNAVAILABLE, BOOL, "disable_redirects tcp_use_tls")
                    .add(UNAVAILABLE, WHOLE, "failures_before_warning")
                    .add(SETTLED, BOOL, "h2ping_use_tls")
                    .alias("serviceid", "service_id")
                    .alias("scriptargs", "args")
                    .alias("dockercontainerid", "docker_container_id")
                    .alias("tlsskipverify", "tls_skip_verify")
                    .alias("deregistercriticalserviceafter", "deregister_critical_service_after")
                    .section();

    static final Section SERVICE =
            keys().add(HONOURED, TEXT, "id name address token kind")
                    .add(HONOURED, TEXT_LIST, "tags")
                    .add(HONOURED, WHOLE, "port")
                    .add(HONOURED, TEXT_MAP, "meta")
                    .add(
                            HONOURED,
                            new SectionMap(
                                    keys().add(HONOURED, TEXT, "address")
                                            .add(HONOURED, WHOLE, "port")
                                            .section()),
                            "tagged_addresses")
                    .add(
                            HONOURED,
                            keys().add(HONOURED, WHOLE, "passing warning").section(),
                            "weights")
                    .add(HONOURED, BOOL, "enable_tag_override")
                    .add(HONOURED, CHECK, "check")
                    .add(HONOURED, new Sections(CHECK), "checks")
                    .add(WITHOUT_EFFECT, ANYTHING, "connect proxy locality")
                    .add(WITHOUT_EFFECT, TEXT, "socket_path")
                    .section();

    static final Section CONFIG =
            keys().add(HONOURED, CHECK, "check")
                    .add(HONOURED, new Sections(CHECK), "checks")
                    .add(HONOURED, SERVICE, "service")
                    .add(HONOURED, new Sections(SERVICE), "services")
                    .add(HONOURED, ANYTHING, "watches")
                    .add(
                            HONOURED,
                            BOOL,
                            "server bootstrap rejoin_after_leave leave_on_terminate skip_leave_on_interrupt")
                    .add(
                            HONOURED,
                            BOOL,
                            "log_json enable_script_checks enable_local_script_checks discard_check_output")
                    .add(HONOURED, BOOL, "disable_http_unprintable_char_filter enable_debug")
                    .add(HONOURED, BOOL, "disable_coordinates")
                    .add(
                            HONOURED,
                            WHOLE,
                            "bootstrap_expect retry_max check_output_max_size raft_snapshot_bytes session_ttl_factor")
                    .add(
                            HONOURED,
                            TEXT,
                            "data_dir datacenter node_name node_id bind_addr client_addr advertise_addr")
                    .add(HONOURED, TEXT, "advertise_addr_wan log_level log_file pid_file")
                    .add(HONOURED, TEXT_MAP, "node_meta tagged_addresses")
                    .add(HONOURED, TEXT_LIST, "start_join retry_join recursors")
                    .add(HONOURED, TEXT, "domain alt_domain recursor")
                    .add(HONOURED, dnsConfig(), "dns_config")
                    .add(
                            HONOURED,
                            DURATION,
                            "retry_interval reconnect_timeout check_update_interval default_query_time")
                    .add(
                            HONOURED,
                            DURATION,
                            "max_query_time discovery_max_stale tombstone_ttl session_ttl_min")
                    .add(HONOURED, addresses(), "addresses")
                    .add(HONOURED, ports(), "ports")
                    .add(HONOURED, performance(), "performance")
                    .add(HONOURED, autopilot(), "autopilot")
                    .add(HONOURED, httpConfig(), "http_config")
                    .add(HONOURED, telemetry(), "telemetry")
                    .add(HONOURED, TEXT_MAP, "http_api_response_headers")
                    .add(HONOURED, limits(), "limits")
                    .add(HONOURED, acl(), "acl")
                    // The mesh, network segments and the like: not a registry's.
                    .add(
                            SETTLED,
                            ANYTHING,
                            "connect config_entries segments segment cache gossip_lan gossip_wan")
                    .add(
                            SETTLED,
                            ANYTHING,
                            "non_voting_server read_replica license_path use_streaming_backend rpc")
                    .add(
                            SETTLED,
                            ANYTHING,
                            "protocol raft_protocol primary_gateways primary_gateways_interval peering")
                    .add(SETTLED, TEXT, "primary_datacenter")
                    // This program never phones home, derives its node ID from no machine ID and
                    // runs nothing for remote callers.
                    .add(
                            SETTLED,
                            BOOL,
                            "disable_update_check disable_anonymous_signature disable_host_node_id")
                    .add(SETTLED, BOOL, "enable_acl_replication acl_enforce_version_8")
                    .add(SETTLED, BOOL, "enable_central_service_config disable_remote_exec")
                    // Known to Consul, but a file can't change them there either.
                    .add(
                            SETTLED,
                            ANYTHING,
                            "ae_interval check_reap_interval check_deregister_interval_min acl_disabled_ttl")
                    .add(
                            SETTLED,
                            ANYTHING,
                            "sync_coordinate_interval_min sync_coordinate_rate_target version revision")
                    .add(SETTLED, ANYTHING, "version_prerelease version_metadata build_date")
                    .add(
                            WITHOUT_EFFECT,
                            TEXT,
                            "serf_lan serf_wan log_rotate_duration syslog_facility")
                    .add(
                            WITHOUT_EFFECT,
                            TEXT,
                            "server_name tls_min_version tls_cipher_suites ui_dir ui_content_path")
                    .add(WITHOUT_EFFECT, TEXT, "statsd_addr statsite_addr statsite_prefix")
                    .add(
                            WITHOUT_EFFECT,
                            TEXT,
                            "dogstatsd_addr reconnect_timeout_wan retry_interval_wan raft_snapshot_interval")
                    .add(WITHOUT_EFFECT, BOOL, "enable_syslog translate_wan_addrs ui")
                    .add(WITHOUT_EFFECT, BOOL, "tls_prefer_server_cipher_suites")
                    .add(WITHOUT_EFFECT, TEXT_LIST, "start_join_wan retry_join_wan dogstatsd_tags")
                    .add(WITHOUT_EFFECT, TEXT_LIST, "serf_allowed_cidrs_lan serf_allowed_cidrs_wan")
                    .add(
                            WITHOUT_EFFECT,
                            WHOLE,
                            "log_rotate_bytes log_rotate_max_files retry_max_wan")
                    .add(WITHOUT_EFFECT, WHOLE, "raft_snapshot_threshold raft_trailing_logs")
                    .add(WITHOUT_EFFECT, ANYTHING, "ui_config unix_sockets raft_logstore reporting")
                    .add(HONOURED, TEXT, "encrypt ca_file cert_file key_file")
                    .add(
                            HONOURED,
                            BOOL,
                            "encrypt_verify_incoming encrypt_verify_outgoing disable_keyring_file")
                    .add(PROTECTION, TEXT, "ca_path")
                    .add(PROTECTION, BOOL, "verify_incoming_https")
                    .add(
                            HONOURED,
                            BOOL,
                            "verify_incoming verify_incoming_rpc verify_outgoing verify_server_hostname")
                    .add(PROTECTION, ANYTHING, "tls auto_encrypt auto_config audit")
                    .add(PROTECTION, TEXT, "acl_datacenter acl_master_token")
                    .add(
                            SETTLED,
                            TEXT,
                            "acl_default_policy acl_down_policy acl_ttl acl_token acl_agent_token")
                    .add(SETTLED, TEXT, "acl_agent_master_token acl_replication_token")
                    .section();

    private KnownKeys() {}

    private static Section addresses() {
        return keys().add(HONOURED, TEXT, "http")
                .add(SETTLED, TEXT, "dns https grpc grpc_tls rpc")
                .section();
    }

    private static Section ports() {
        return keys().add(HONOURED, PORT, "dns http serf_lan serf_wan server")
                .add(PROTECTION, PORT, "https")
                .add(
                        SETTLED,
                        PORT,
                        "grpc grpc_tls rpc sidecar_min_port sidecar_max_port expose_min_port expose_max_port")
                .section();
    }

    private static Section performance() {
        return keys().add(HONOURED, WHOLE, "raft_multiplier")
                .add(HONOURED, DURATION, "leave_drain_time")
                .add(
                        WITHOUT_EFFECT,
                        DURATION,
                        "rpc_hold_timeout grpc_keepalive_interval grpc_keepalive_timeout")
                .section();
    }

    private static Section autopilot() {
        return keys().add(HONOURED, BOOL, "cleanup_dead_servers")
                .add(
                        HONOURED,
                        DURATION,
                        "last_contact_threshold server_stabilization_time dead_server_delay")
                .add(HONOURED, WHOLE, "max_trailing_logs min_quorum")
                .add(
                        WITHOUT_EFFECT,
                        ANYTHING,
                        "redundancy_zone_tag disable_upgrade_migration upgrade_version_tag")
                .section();
    }

    private static Section httpConfig() {
        return keys().add(
                        HONOURED, TEXT_LIST, "block_endpoints allow_write_http_from allowed_hosts")
                .add(HONOURED, TEXT_MAP, "response_headers")
                .add(HONOURED, BOOL, "use_cache")
                .add(HONOURED, WHOLE, "max_header_bytes")
                .section();
    }

    private static Section telemetry() {
        return keys().add(HONOURED, DURATION, "prometheus_retention_time")
                .add(HONOURED, BOOL, "disable_hostname disable_compat_1.9")
                .add(HONOURED, TEXT, "metrics_prefix")
                .add(
                        WITHOUT_EFFECT,
                        ANYTHING,
                        "statsd_address statsite_address dogstatsd_addr dogstatsd_tags filter_default")
                .add(
                        WITHOUT_EFFECT,
                        ANYTHING,
                        "prefix_filter retry_failed_connection enable_host_metrics disable_per_tenancy_usage_metrics")
                .add(
                        WITHOUT_EFFECT,
                        ANYTHING,
                        "circonus_api_app circonus_api_token circonus_api_url circonus_broker_id")
                .add(
                        WITHOUT_EFFECT,
                        ANYTHING,
                        "circonus_broker_select_tag circonus_check_display_name circonus_check_force_metric_activation")
                .add(
                        WITHOUT_EFFECT,
                        ANYTHING,
                        "circonus_check_id circonus_check_instance_id circonus_check_search_tag circonus_check_tags")
                .add(
                        WITHOUT_EFFECT,
                        ANYTHING,
                        "circonus_submission_interval circonus_submission_url")
                .section();
    }

    private static Section dnsConfig() {
        return keys().add(
                        HONOURED,
                        BOOL,
                        "allow_stale only_passing enable_truncate disable_compression enable_additional_node_meta_txt")
                .add(HONOURED, DURATION, "max_stale node_ttl recursor_timeout")
                .add(HONOURED, WHOLE, "udp_answer_limit a_record_limit")
                .add(HONOURED, TEXT_MAP, "service_ttl")
                .add(
                        HONOURED,
                        keys().add(HONOURED, WHOLE, "refresh retry expire min_ttl").section(),
                        "soa")
                .add(SETTLED, ANYTHING, "use_cache cache_max_age prefer_namespace")
                .section();
    }

    private static Section limits() {
        return keys().add(
                        HONOURED,
                        WHOLE,
                        "http_max_conns_per_client kv_max_value_size txn_max_req_len txn_max_ops json_max_body_size")
                .add(WITHOUT_EFFECT, DURATION, "https_handshake_timeout rpc_handshake_timeout")
                .add(WITHOUT_EFFECT, DURATION, "rpc_client_timeout")
                .add(WITHOUT_EFFECT, REAL, "rpc_rate")
                .add(WITHOUT_EFFECT, WHOLE, "rpc_max_burst rpc_max_conns_per_client")
                .add(WITHOUT_EFFECT, ANYTHING, "request_limits")
                .section();
    }

    private static Section acl() {
        return keys().add(PROTECTION, BOOL, "enabled")
                .add(SETTLED, TEXT, "default_policy down_policy token_ttl policy_ttl role_ttl")
                .add(
                        SETTLED,
                        BOOL,
                        "enable_key_list_policy enable_token_persistence enable_token_replication")
                .add(SETTLED, ANYTHING, "tokens disabled_ttl msp_disable_bootstrap")
                .section();
    }

    private static Keys keys() {
        return new Keys();
    }

    /** Collects a section. */
    private static final class Keys {
        private final Map<String, Key> keys = new LinkedHashMap<>();
        private final Map<String, String> aliases = new LinkedHashMap<>();

        /** Names are separated by blanks. */
        Keys add(Effect effect, Shape shape, String names) {
            for (String name : names.split(" ", -1)) {
                keys.put(name, new Key(shape, effect));
            }
            return this;
        }

        Keys alias(String spelling, String name) {
            aliases.put(spelling, name);
            return this;
        }

        Section section() {
            return new Section(keys, aliases);
        }
    }
}
