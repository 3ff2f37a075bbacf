package registry.agent.http;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import registry.agent.http.Lookup.Kind;
import registry.agent.http.Lookup.Wanted;
import registry.agent.http.Route.Trait;
import registry.api.ApiException;
import registry.api.CatalogDeregistration;
import registry.api.CatalogRegistration;
import registry.server.rpc.Method;
import registry.server.rpc.Question;
import registry.server.rpc.Servers;

/** {@code /v1/catalog}: what the cluster knows of nodes and services. Source: consul-api 3.1. */
final class CatalogRoutes {
    private static final Kind KIND = new Kind(true, false, true);
    private static final Kind CACHEABLE = new Kind(true, true, true);

    /**
     * The name of no service: asking for its instances answers what a registry without a mesh has
     * to say.
     */
    static final String NO_SERVICE = "\0";

    private final Servers servers;
    private final Lookup lookup;
    private final String datacenter;

    CatalogRoutes(Servers servers, Lookup lookup, String datacenter) {
        this.servers = servers;
        this.lookup = lookup;
        this.datacenter = datacenter;
    }

    void addTo(RouteTable.Builder table) {
        table.write("PUT", "/v1/catalog/register", Handler.plain(this::register));
        table.write("PUT", "/v1/catalog/deregister", Handler.plain(this::deregister));
        table.read(
                "/v1/catalog/datacenters",
                Handler.plain(request -> Answer.json(request, List.of(datacenter))));
        table.read("/v1/catalog/nodes", lookup.handler(KIND, CatalogRoutes::nodes));
        table.read(
                "/v1/catalog/services",
                lookup.handler(
                        CACHEABLE,
                        request ->
                                new Wanted(
                                        Question.CATALOG_SERVICES,
                                        "",
                                        params(request, "node-meta"))),
                Trait.NAMESPACED);
        table.read(
                "/v1/catalog/service/",
                lookup.handler(CACHEABLE, CatalogRoutes::service),
                Trait.NAMESPACED);
        table.read(
                "/v1/catalog/connect/",
                lookup.handler(CACHEABLE, CatalogRoutes::noService),
                Trait.NAMESPACED);
        table.read(
                "/v1/catalog/node/",
                lookup.handler(KIND, named(Question.CATALOG_NODE, "Missing node name")),
                Trait.NAMESPACED);
        table.read(
                "/v1/catalog/node-services/",
                lookup.handler(KIND, named(Question.CATALOG_NODE_SERVICES, "Missing node name")),
                Trait.NAMESPACED);
    }

    private static Wanted nodes(Request request) {
        return new Wanted(
                Question.CATALOG_NODES, "", params(request, "node-meta", "filter", "near"));
    }

    private static Wanted service(Request request) {
        return new Wanted(
                Question.CATALOG_SERVICE_NODES,
                name(request, "Missing service name"),
                params(request, "tag", "node-meta", "filter", "near"));
    }

    private static Wanted noService(Request request) {
        name(request, "Missing service name");
        return new Wanted(Question.CATALOG_SERVICE_NODES, NO_SERVICE, params(request, "filter"));
    }

    private Answer register(Request request) {
        CatalogRegistration registration = Definitions.registration(request.body());
        checkDatacenter(registration.datacenter());
        return Answer.json(request, servers.call(Method.CATALOG_REGISTER, registration));
    }

    private Answer deregister(Request request) {
        CatalogDeregistration deregistration = Definitions.deregistration(request.body());
        checkDatacenter(deregistration.datacenter());
        return Answer.json(request, servers.call(Method.CATALOG_DEREGISTER, deregistration));
    }

    private void checkDatacenter(String wanted) {
        if (!lookup.isOurs(wanted)) {
            throw ApiException.refused("No path to datacenter");
        }
    }

    /** A question about what the path names. */
    static Function<Request, Wanted> named(String method, String missing) {
        return request -> new Wanted(method, name(request, missing), params(request, "filter"));
    }

    /** What stands behind the route's path. */
    static String name(Request request, String missing) {
        if (request.rest().isEmpty()) {
            throw ApiException.badRequest(missing);
        }
        return request.rest();
    }

    /** Those parameters of a request that a method reads. */
    static Map<String, List<String>> params(Request request, String... names) {
        Map<String, List<String>> params = Map.of();
        for (String name : names) {
            List<String> values = request.query().all(name);
            if (!values.isEmpty()) {
                params = params.isEmpty() ? new TreeMap<>() : params;
                params.put(name, values);
            }
        }
        return params;
    }
}
