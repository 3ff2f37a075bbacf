package registry.agent.http;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import registry.agent.http.Lookup.Kind;
import registry.agent.http.Lookup.Wanted;
import registry.agent.http.Route.Trait;
import registry.server.rpc.Question;

/**
 * {@code /v1/health}: checks, and the instances of a service with theirs. Source: consul-api 3.2.
 */
final class HealthRoutes {
    private static final Kind CHECKS = new Kind(true, false, true);
    private static final Kind SERVICE = new Kind(true, true, false);

    private final Lookup lookup;

    HealthRoutes(Lookup lookup) {
        this.lookup = lookup;
    }

    void addTo(RouteTable.Builder table) {
        table.read(
                "/v1/health/node/",
                lookup.handler(
                        CHECKS, CatalogRoutes.named(Question.HEALTH_NODE, "Missing node name")),
                Trait.NAMESPACED);
        table.read(
                "/v1/health/checks/",
                lookup.handler(CHECKS, checks(Question.HEALTH_CHECKS, "Missing service name")),
                Trait.NAMESPACED);
        table.read(
                "/v1/health/state/",
                lookup.handler(CHECKS, checks(Question.HEALTH_STATE, "Missing check state")),
                Trait.NAMESPACED);
        table.read(
                "/v1/health/service/",
                lookup.handler(SERVICE, HealthRoutes::service),
                Trait.NAMESPACED);
        for (String mesh : List.of("/v1/health/connect/", "/v1/health/ingress/")) {
            table.read(mesh, lookup.handler(SERVICE, HealthRoutes::noService), Trait.NAMESPACED);
        }
    }

    private static Function<Request, Wanted> checks(String method, String missing) {
        return request ->
                new Wanted(
                        method,
                        CatalogRoutes.name(request, missing),
                        CatalogRoutes.params(request, "node-meta", "filter", "near"));
    }

    private static Wanted service(Request request) {
        String name = CatalogRoutes.name(request, "Missing service name");
        Map<String, List<String>> params =
                CatalogRoutes.params(request, "tag", "node-meta", "filter", "near");
        if (!request.query().has("passing")) {
            return new Wanted(Question.HEALTH_SERVICE, name, params);
        }
        String word = request.query().first("passing");
        Boolean passing = word.isEmpty() ? Boolean.TRUE : Definitions.bool(word);
        if (passing == null) {
            // Consul judges the word after the query ran: the refusal carries the index.
            return new Wanted(
                    Question.HEALTH_SERVICE,
                    name,
                    params,
                    answer -> Answer.text(400, "Invalid value for ?passing"));
        }
        if (passing) {
            params = new TreeMap<>(params);
            params.put("passing", List.of(""));
        }
        return new Wanted(Question.HEALTH_SERVICE, name, params);
    }

    private static Wanted noService(Request request) {
        CatalogRoutes.name(request, "Missing service name");
        return new Wanted(
                Question.HEALTH_SERVICE,
                CatalogRoutes.NO_SERVICE,
                CatalogRoutes.params(request, "filter"));
    }
}
