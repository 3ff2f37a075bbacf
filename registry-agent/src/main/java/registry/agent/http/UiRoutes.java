package registry.agent.http;

import registry.agent.http.Lookup.Kind;
import registry.agent.http.Lookup.Wanted;
import registry.agent.http.Route.Trait;
import registry.server.rpc.Question;

/** {@code /v1/internal/ui}: what user interfaces show in one go. Source: consul-api 3.12. */
final class UiRoutes {
    private static final Kind KIND = new Kind(false, false, false);

    private final Lookup lookup;

    UiRoutes(Lookup lookup) {
        this.lookup = lookup;
    }

    void addTo(RouteTable.Builder table) {
        table.read(
                "/v1/internal/ui/nodes",
                lookup.handler(KIND, request -> all(request, Question.INTERNAL_NODES)),
                Trait.NAMESPACED);
        table.read(
                "/v1/internal/ui/node/",
                lookup.handler(
                        KIND,
                        request ->
                                new Wanted(
                                        Question.INTERNAL_NODE,
                                        CatalogRoutes.name(request, "Missing node name"),
                                        CatalogRoutes.params(request))),
                Trait.NAMESPACED);
        table.read(
                "/v1/internal/ui/services",
                lookup.handler(KIND, request -> all(request, Question.INTERNAL_SERVICES)),
                Trait.NAMESPACED);
    }

    private static Wanted all(Request request, String method) {
        return new Wanted(method, "", CatalogRoutes.params(request, "filter"));
    }
}
