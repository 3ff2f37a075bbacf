package registry.agent.http;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import registry.agent.gossip.Membership;
import registry.agent.http.Route.Trait;
import registry.api.ApiException;
import registry.api.AutopilotConfig;
import registry.api.Member;
import registry.server.operator.OperatorCalls;
import registry.server.operator.OperatorCalls.RaftServer;
import registry.server.operator.OperatorCalls.RaftServers;
import registry.server.operator.OperatorCalls.ServerHealth;
import registry.server.operator.OperatorCalls.ServersHealth;
import registry.server.rpc.Servers;

/**
 * {@code /v1/operator/raft} and {@code /v1/operator/autopilot}: the servers' own group. Source:
 * consul-api 3.11
 */
final class OperatorRoutes {
    private static final String AUTOPILOT = "/v1/operator/autopilot/";
    private static final String RAFT = "/v1/operator/raft/";
    private static final String PROTOCOL = "3";
    private static final int UNHEALTHY = 429;
    private static final OperatorCalls.Ask ASK = new OperatorCalls.Ask();

    /** {@code /v1/operator/autopilot/health}. */
    record Health(boolean healthy, int failureTolerance, List<HealthRow> servers) {}

    /** A row of it; {@code stableSince} has whole seconds. */
    record HealthRow(
            String id,
            String name,
            String address,
            String serfStatus,
            String version,
            boolean leader,
            Duration lastContact,
            long lastTerm,
            long lastIndex,
            boolean healthy,
            boolean voter,
            String stableSince) {}

    /** {@code /v1/operator/autopilot/state}. */
    record State(
            boolean healthy,
            int failureTolerance,
            int optimisticFailureTolerance,
            SortedMap<String, StateRow> servers,
            String leader,
            List<String> voters) {}

    /** A row of it. */
    record StateRow(
            String id,
            String name,
            String address,
            String nodeStatus,
            String version,
            Duration lastContact,
            long lastTerm,
            long lastIndex,
            boolean healthy,
            String stableSince,
            boolean readReplica,
            String status,
            SortedMap<String, String> meta,
            String nodeType) {}

    /** What {@code transfer-leader} answers. */
    record Transferred(boolean success) {}

    private final Servers servers;
    private final Membership membership;

    OperatorRoutes(Servers servers, Membership membership) {
        this.servers = servers;
        this.membership = membership;
    }

    void addTo(RouteTable.Builder table) {
        table.plain(
                "GET",
                RAFT + "configuration",
                Handler.plain(this::raftConfiguration),
                Trait.DATACENTER);
        table.plain("DELETE", RAFT + "peer", Handler.plain(this::removePeer), Trait.DATACENTER);
        table.plain(
                "POST", RAFT + "transfer-leader", Handler.plain(this::transfer), Trait.DATACENTER);
        table.plain(
                "GET",
                AUTOPILOT + "configuration",
                Handler.plain(request ->
                        Answer.json(request, servers.call(OperatorCalls.AUTOPILOT, ASK))),
                Trait.DATACENTER);
        table.plain("PUT", AUTOPILOT + "configuration", Handler.plain(this::set), Trait.DATACENTER);
        table.plain("GET", AUTOPILOT + "health", Handler.plain(this::health), Trait.DATACENTER);
        table.plain("GET", AUTOPILOT + "state", Handler.plain(this::state), Trait.DATACENTER);
    }

    private Answer raftConfiguration(Request request) {
        return Answer.json(
                request,
                request.query().has("stale")
                        ? asSeenHere()
                        : servers.call(OperatorCalls.SERVERS, ASK));
    }

    /** The voters as this agent knows them, with or without a leader. */
    private RaftServers asSeenHere() {
        String leader = servers.leader();
        var rows = new ArrayList<RaftServer>();
        for (String address : servers.peers()) {
            String id = "";
            String node = "(unknown)";
            for (Member member : membership.members()) {
                if (address.equals(rpcAddress(member))) {
                    id = member.tags().getOrDefault("id", "");
                    node = member.name();
                }
            }
            rows.add(new RaftServer(id, node, address, address.equals(leader), PROTOCOL, true));
        }
        return new RaftServers(rows, 0);
    }

    private static String rpcAddress(Member member) {
        return member.addr() + ":" + member.tags().getOrDefault("port", "");
    }

    private Answer removePeer(Request request) {
        String id = request.query().first("id");
        String address = request.query().first("address");
        if (id.isEmpty() && address.isEmpty()) {
            throw ApiException.badRequest(
                    "Bad request: Must specify either ?id with the server's ID or ?address with"
                            + " IP:port of peer to remove");
        }
        if (!id.isEmpty() && !address.isEmpty()) {
            throw ApiException.badRequest("Bad request: Must specify only one of ?id or ?address");
        }
        servers.call(OperatorCalls.REMOVE_PEER, new OperatorCalls.RemovePeer(id, address));
        return Answer.empty(200);
    }

    private Answer transfer(Request request) {
        String id = request.query().first("id");
        return Answer.json(
                request,
                new Transferred(
                        servers.call(OperatorCalls.TRANSFER, new OperatorCalls.Transfer(id))));
    }

    private Answer set(Request request) {
        AutopilotConfig config = GoBody.read(request.body(), OperatorRoutes::config);
        boolean conditional = request.query().has("cas");
        return Answer.json(
                request,
                servers.call(
                        OperatorCalls.SET_AUTOPILOT,
                        new OperatorCalls.SetAutopilot(
                                config, conditional, conditional ? cas(request) : 0)));
    }

    private static long cas(Request request) {
        String text = request.query().first("cas");
        try {
            return Long.parseUnsignedLong(text);
        } catch (NumberFormatException e) {
            throw ApiException.badRequest("Bad request: Error parsing cas value: " + text);
        }
    }

    private static AutopilotConfig config(GoBody body) {
        var config =
                new AutopilotConfig(
                        body.flag("CleanupDeadServers"),
                        span(body.duration("LastContactThreshold")),
                        body.number("MaxTrailingLogs"),
                        body.number("MinQuorum"),
                        span(body.duration("ServerStabilizationTime")),
                        body.text("RedundancyZoneTag"),
                        body.flag("DisableUpgradeMigration"),
                        body.text("UpgradeVersionTag"),
                        0,
                        0);
        body.ignore("CreateIndex", "ModifyIndex");
        if (config.maxTrailingLogs() < 0
                || config.minQuorum() < 0
                || config.lastContactThreshold().isNegative()
                || config.serverStabilizationTime().isNegative()) {
            throw ApiException.badRequest("Bad request: a negative number or time");
        }
        return config;
    }

    private static Duration span(@Nullable Duration read) {
        return read == null ? Duration.ZERO : read;
    }

    private Answer health(Request request) {
        ServersHealth health = servers.call(OperatorCalls.HEALTH, ASK);
        List<HealthRow> rows = health.servers().stream().map(OperatorRoutes::healthRow).toList();
        return Answer.json(request, new Health(health.healthy(), health.failureTolerance(), rows))
                .withStatus(health.healthy() ? 200 : UNHEALTHY);
    }

    private static HealthRow healthRow(ServerHealth server) {
        return new HealthRow(
                server.id(),
                server.name(),
                server.address(),
                server.status(),
                server.version(),
                server.leader(),
                server.lastContact(),
                server.lastTerm(),
                server.lastIndex(),
                server.healthy(),
                server.voter(),
                Instant.parse(server.stableSince()).truncatedTo(ChronoUnit.SECONDS).toString());
    }

    private Answer state(Request request) {
        ServersHealth health = servers.call(OperatorCalls.HEALTH, ASK);
        SortedMap<String, StateRow> rows = new TreeMap<>();
        String leader = "";
        List<String> voters = new ArrayList<>();
        for (ServerHealth server : health.servers()) {
            rows.put(server.id(), stateRow(server));
            leader = server.leader() ? server.id() : leader;
            if (server.voter()) {
                voters.add(server.id());
            }
        }
        return Answer.json(
                request,
                new State(
                        health.healthy(),
                        health.failureTolerance(),
                        health.failureTolerance(),
                        rows,
                        leader,
                        voters));
    }

    private static StateRow stateRow(ServerHealth server) {
        return new StateRow(
                server.id(),
                server.name(),
                server.address(),
                server.status(),
                server.version(),
                server.lastContact(),
                server.lastTerm(),
                server.lastIndex(),
                server.healthy(),
                server.stableSince(),
                false,
                server.leader() ? "leader" : server.voter() ? "voter" : "non-voter",
                server.meta(),
                "voter");
    }
}
