package registry.agent;

import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import registry.agent.config.AgentConfig;
import registry.agent.gossip.Membership;
import registry.agent.local.LocalState;
import registry.api.HealthCheck;
import registry.api.Member;
import registry.server.Server;
import registry.server.leader.Members;

/** The figures of {@code registry info}, in Consul's sections. */
final class AgentStats {
    private AgentStats() {}

    static SortedMap<String, SortedMap<String, String>> of(
            AgentConfig config,
            @Nullable Server server,
            LocalState local,
            Membership membership,
            boolean encrypted) {
        SortedMap<String, SortedMap<String, String>> sections = new TreeMap<>();
        sections.put("agent", agent(local));
        sections.put(
                "build",
                new TreeMap<>(Map.of("prerelease", "", "revision", "", "version", Version.CONSUL)));
        if (server == null) {
            sections.put("consul", client(membership));
        } else {
            sections.put("consul", consul(config, server));
            sections.put("raft", raft(server));
        }
        sections.put("runtime", runtime());
        sections.put("serf_lan", serf(membership, encrypted));
        return sections;
    }

    private static SortedMap<String, String> agent(LocalState local) {
        SortedMap<String, HealthCheck> checks = local.checks();
        long ttls = checks.values().stream().filter(check -> check.type().equals("ttl")).count();
        return new TreeMap<>(
                Map.of(
                        "check_monitors",
                        String.valueOf(
                                checks.values().stream()
                                        .filter(check -> check.type().equals("script"))
                                        .count()),
                        "check_ttls",
                        String.valueOf(ttls),
                        "checks",
                        String.valueOf(checks.size()),
                        "services",
                        String.valueOf(local.services().size())));
    }

    private static SortedMap<String, String> client(Membership membership) {
        long servers =
                membership.all().stream()
                        .filter(peer -> peer.server() && peer.state() == Members.State.ALIVE)
                        .count();
        return new TreeMap<>(
                Map.of(
                        "acl",
                        "disabled",
                        "known_servers",
                        String.valueOf(servers),
                        "server",
                        "false"));
    }

    private static SortedMap<String, String> consul(AgentConfig config, Server server) {
        return new TreeMap<>(
                Map.of(
                        "acl",
                        "disabled",
                        "bootstrap",
                        String.valueOf(config.bootstrapExpect() == 1),
                        "known_datacenters",
                        "1",
                        "leader",
                        String.valueOf(server.isReadyLeader()),
                        "leader_addr",
                        server.leader(),
                        "server",
                        String.valueOf(config.server())));
    }

    private static SortedMap<String, String> raft(Server server) {
        SortedMap<String, String> raft = server.stats();
        String term = raft.getOrDefault("term", "0");
        raft.putIfAbsent("last_log_term", term);
        raft.putIfAbsent(
                "last_snapshot_term",
                raft.getOrDefault("last_snapshot_index", "0").equals("0") ? "0" : term);
        raft.put(
                "latest_configuration",
                server.voters().stream()
                        .map(peer ->
                                "{Suffrage:%s ID:%s Address:%s}"
                                        .formatted(
                                                peer.voter() ? "Voter" : "Nonvoter",
                                                peer.id(),
                                                peer.address()))
                        .collect(Collectors.joining(" ", "[", "]")));
        raft.put("latest_configuration_index", "0");
        raft.put("protocol_version", "3");
        raft.put("protocol_version_max", "3");
        raft.put("protocol_version_min", "0");
        raft.put("snapshot_version_max", "1");
        raft.put("snapshot_version_min", "0");
        return raft;
    }

    private static SortedMap<String, String> runtime() {
        var runtime = Runtime.getRuntime();
        return new TreeMap<>(
                Map.of(
                        "arch",
                        System.getProperty("os.arch", ""),
                        "cpu_count",
                        String.valueOf(runtime.availableProcessors()),
                        "max_procs",
                        String.valueOf(runtime.availableProcessors()),
                        "goroutines",
                        String.valueOf(Thread.activeCount()),
                        "os",
                        System.getProperty("os.name", "").toLowerCase(Locale.ROOT),
                        "version",
                        "java" + System.getProperty("java.version", "")));
    }

    private static SortedMap<String, String> serf(Membership membership, boolean encrypted) {
        var members = membership.members();
        return new TreeMap<>(
                Map.of(
                        "encrypted",
                        String.valueOf(encrypted),
                        "failed",
                        String.valueOf(
                                members.stream().filter(m -> m.status() == Member.FAILED).count()),
                        "left",
                        String.valueOf(
                                members.stream().filter(m -> m.status() == Member.LEFT).count()),
                        "members",
                        String.valueOf(members.size())));
    }
}
