package registry.agent.http;

import java.util.ArrayList;
import java.util.List;
import registry.agent.gossip.Membership;
import registry.agent.http.Route.Trait;
import registry.api.Member;
import registry.server.rpc.Servers;

/**
 * {@code /v1/status} and what of {@code /v1/operator} tells who the servers are. Answers without a
 * leader, too.
 */
final class StatusRoutes {
    /** A row of {@code /v1/operator/raft/configuration}. */
    record RaftServer(
            String id,
            String node,
            String address,
            boolean leader,
            String protocolVersion,
            boolean voter) {}

    /** The voters; {@code index} is always 0, as Consul's is. */
    record RaftConfiguration(List<RaftServer> servers, long index) {}

    private static final String PROTOCOL = "3";

    private final Servers servers;
    private final Membership membership;

    StatusRoutes(Servers servers, Membership membership) {
        this.servers = servers;
        this.membership = membership;
    }

    void addTo(RouteTable.Builder table) {
        table.read(
                "/v1/status/leader",
                Handler.plain(request -> Answer.json(request, servers.leader())),
                Trait.DATACENTER);
        table.read(
                "/v1/status/peers",
                Handler.plain(request -> Answer.json(request, servers.peers())),
                Trait.DATACENTER);
        table.plain(
                "GET",
                "/v1/operator/raft/configuration",
                Handler.plain(request -> Answer.json(request, raftConfiguration())),
                Trait.DATACENTER);
    }

    private RaftConfiguration raftConfiguration() {
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
        return new RaftConfiguration(rows, 0);
    }

    private static String rpcAddress(Member member) {
        return member.addr() + ":" + member.tags().getOrDefault("port", "");
    }
}
