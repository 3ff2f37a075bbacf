package registry.agent.http;

import registry.agent.http.Route.Trait;
import registry.server.rpc.Servers;

/** {@code /v1/status}: who the servers are. Answers without a leader, too. */
final class StatusRoutes {
    private final Servers servers;

    StatusRoutes(Servers servers) {
        this.servers = servers;
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
    }
}
