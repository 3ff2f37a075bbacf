package registry.agent.http;

import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import registry.agent.http.Lookup.Kind;
import registry.agent.http.Lookup.Wanted;
import registry.agent.http.Route.Trait;
import registry.api.ApiException;
import registry.api.Coordinate;
import registry.api.NodeCoordinate;
import registry.server.rpc.Method;
import registry.server.rpc.Question;
import registry.server.rpc.Reply;
import registry.server.rpc.Servers;

/**
 * {@code /v1/coordinate}: where nodes are, by the round trips between them. Source: consul-api
 * 3.10.
 */
final class CoordinateRoutes {
    private static final Kind KIND = new Kind(false, false, true);
    private static final Answer DISABLED = Answer.text(401, "Coordinate support disabled");

    private final Servers servers;
    private final Lookup lookup;
    private final boolean disabled;

    /**
     * @param disabled all of it is refused
     */
    CoordinateRoutes(Servers servers, Lookup lookup, boolean disabled) {
        this.servers = servers;
        this.lookup = lookup;
        this.disabled = disabled;
    }

    void addTo(RouteTable.Builder table) {
        table.read("/v1/coordinate/datacenters", guarded(this::datacenters));
        table.read(
                "/v1/coordinate/nodes",
                guarded(lookup.handler(KIND, wanted(Question.COORDINATE_NODES))));
        table.read(
                "/v1/coordinate/node/",
                guarded(lookup.handler(KIND, wanted(Question.COORDINATE_NODE))));
        table.write(
                "PUT",
                "/v1/coordinate/update",
                guarded(Handler.plain(this::update)),
                Trait.DATACENTER);
    }

    private Handler guarded(Handler handler) {
        if (!disabled) {
            return handler;
        }
        return (request, then) -> {
            then.accept(DISABLED);
            return null;
        };
    }

    private static Function<Request, Wanted> wanted(String method) {
        return request ->
                new Wanted(method, request.rest(), CatalogRoutes.params(request, "segment"));
    }

    /** Without the lines of a read: it is one in Consul's words only. */
    private Servers.@Nullable Held datacenters(Request request, Consumer<Answer> then) {
        return servers.ask(
                Question.now(
                        Question.COORDINATE_DATACENTERS,
                        "",
                        request.pretty() ? Map.of("pretty", List.of("")) : Map.of()),
                new Servers.Listener() {
                    @Override
                    public void answered(Reply reply) {
                        then.accept(Answer.json(reply.body()));
                    }

                    @Override
                    public void failed(ApiException error) {
                        then.accept(Answer.of(error));
                    }
                });
    }

    private Answer update(Request request) {
        servers.call(
                Method.COORDINATE_UPDATE, GoBody.read(request.body(), CoordinateRoutes::update));
        return Answer.empty(200);
    }

    private static NodeCoordinate update(GoBody body) {
        Coordinate coordinate = body.object(CoordinateRoutes::coordinate, "Coord");
        if (coordinate == null) {
            throw ApiException.badRequest("Missing coordinate");
        }
        var update = new NodeCoordinate(body.text("Node"), body.text("Segment"), coordinate);
        body.ignore("Datacenter");
        return update;
    }

    private static Coordinate coordinate(GoBody body) {
        return new Coordinate(
                body.decimals("Vec"),
                body.decimal("Error"),
                body.decimal("Adjustment"),
                body.decimal("Height"));
    }
}
