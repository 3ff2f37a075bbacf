package registry.agent.http;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import registry.agent.gossip.KeyringOp;
import registry.agent.gossip.KeyringReport;
import registry.agent.gossip.Membership;
import registry.api.ApiException;
import registry.api.Member;

/**
 * {@code /v1/operator/keyring}: the keys that gossip is encrypted with. The members of the WAN pool
 * are the servers of the LAN pool, and so are its keys. Source: consul-api 3.12.
 */
final class KeyringRoutes {
    private static final String PATH = "/v1/operator/keyring";
    private static final int MAX_RELAY_FACTOR = 5;

    private final Membership membership;
    private final String datacenter;

    KeyringRoutes(Membership membership, String datacenter) {
        this.membership = membership;
        this.datacenter = datacenter;
    }

    /** The keys of a pool, each with the number of nodes that have it. */
    record Pool(
            @JsonProperty("WAN") boolean wan,
            String datacenter,
            String segment,
            SortedMap<String, Integer> keys,
            SortedMap<String, Integer> primaryKeys,
            int numNodes) {}

    void addTo(RouteTable.Builder table) {
        table.plain("GET", PATH, Handler.plain(this::list));
        table.plain("POST", PATH, Handler.plain(request -> change(request, KeyringOp.INSTALL)));
        table.plain("PUT", PATH, Handler.plain(request -> change(request, KeyringOp.USE)));
        table.plain("DELETE", PATH, Handler.plain(request -> change(request, KeyringOp.REMOVE)));
    }

    private Answer list(Request request) {
        checkRelayFactor(request);
        KeyringReport report = run(KeyringOp.LIST, "", isLocalOnly(request));
        int servers = servers().size();
        return Answer.json(
                request,
                List.of(
                        new Pool(
                                true,
                                datacenter,
                                "",
                                atMost(servers, report.keys()),
                                atMost(servers, report.primaryKeys()),
                                Math.min(servers, report.nodes())),
                        new Pool(
                                false,
                                datacenter,
                                "",
                                report.keys(),
                                report.primaryKeys(),
                                report.nodes())));
    }

    private Answer change(Request request, KeyringOp op) {
        checkRelayFactor(request);
        String key = GoBody.read(request.body(), body -> body.text("Key"));
        run(op, key, false);
        return Answer.empty(200);
    }

    private static void checkRelayFactor(Request request) {
        String text = request.query().first("relay-factor");
        if (text.isEmpty()) {
            return;
        }
        int factor;
        try {
            factor = Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw ApiException.badRequest(
                    "Bad request: Error parsing relay factor: strconv.Atoi: parsing \"%s\": invalid syntax"
                            .formatted(text));
        }
        if (factor < 0 || factor > MAX_RELAY_FACTOR) {
            throw ApiException.badRequest(
                    "Bad request: Invalid relay-factor: Relay factor must be in range: [0, 5]");
        }
    }

    private static boolean isLocalOnly(Request request) {
        String text = request.query().first("local-only");
        if (text.isEmpty()) {
            return false;
        }
        @Nullable Boolean localOnly = Definitions.bool(text);
        if (localOnly == null) {
            throw ApiException.badRequest(
                    "Bad request: Error parsing local-only: strconv.ParseBool: parsing \"%s\": invalid syntax"
                            .formatted(text));
        }
        return localOnly;
    }

    /** All or, when one node fails, an error that names it: then the change holds on some only. */
    private KeyringReport run(KeyringOp op, String key, boolean localOnly) {
        KeyringReport report = membership.keyring(op, key, localOnly);
        if (report.errors().isEmpty()) {
            return report;
        }
        var lines = new ArrayList<String>();
        List<String> servers = servers();
        SortedMap<String, String> ofServers = new TreeMap<>(report.errors());
        ofServers.keySet().retainAll(servers);
        if (!ofServers.isEmpty()) {
            lines.add(head("WAN", ofServers, Math.min(servers.size(), report.nodes())));
            ofServers.forEach((node, error) -> lines.add(node + "." + datacenter + ": " + error));
        }
        lines.add(head(datacenter + " (LAN)", report.errors(), report.nodes()));
        report.errors().forEach((node, error) -> lines.add(node + ": " + error));
        throw ApiException.refused(
                "%d errors occurred:\n\t* %s\n\n"
                        .formatted(lines.size(), String.join("\n\t* ", lines)));
    }

    private static String head(String pool, Map<String, String> errors, int nodes) {
        return "%s error: %d/%d nodes reported failure".formatted(pool, errors.size(), nodes);
    }

    private List<String> servers() {
        return membership.members().stream()
                .filter(member -> member.status() == Member.ALIVE)
                .filter(member -> "consul".equals(member.tags().get("role")))
                .map(Member::name)
                .toList();
    }

    private static SortedMap<String, Integer> atMost(int nodes, SortedMap<String, Integer> keys) {
        var fewer = new TreeMap<>(keys);
        fewer.replaceAll((key, count) -> Math.min(nodes, count));
        return fewer;
    }
}
