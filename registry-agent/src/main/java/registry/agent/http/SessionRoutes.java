package registry.agent.http;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import registry.agent.http.Lookup.Kind;
import registry.agent.http.Lookup.Wanted;
import registry.agent.http.Route.Trait;
import registry.api.HealthCheck;
import registry.api.Session;
import registry.server.rpc.Method;
import registry.server.rpc.Question;
import registry.server.rpc.Servers;

/** {@code /v1/session}: who may hold locks. Source: consul-api 3.8. */
final class SessionRoutes {
    private static final Kind KIND = new Kind(false, false, true);
    private static final String MISSING = "Missing session";
    private static final long DEFAULT_LOCK_DELAY = Duration.ofSeconds(15).toNanos();

    /** A lock-delay below so many nanoseconds is meant in seconds. */
    private static final long SECONDS_BELOW = 1_000;

    private final Servers servers;
    private final Lookup lookup;
    private final String nodeName;

    /**
     * @param nodeName whose sessions are those that name no node
     */
    SessionRoutes(Servers servers, Lookup lookup, String nodeName) {
        this.servers = servers;
        this.lookup = lookup;
        this.nodeName = nodeName;
    }

    void addTo(RouteTable.Builder table) {
        write(table, "/v1/session/create", Handler.plain(this::create));
        write(table, "/v1/session/destroy/", Handler.plain(this::destroy));
        write(table, "/v1/session/renew/", Handler.plain(this::renew));
        table.read(
                "/v1/session/info/",
                lookup.handler(KIND, CatalogRoutes.named(Question.SESSION_INFO, MISSING)),
                Trait.NAMESPACED);
        table.read(
                "/v1/session/node/",
                lookup.handler(
                        KIND, CatalogRoutes.named(Question.SESSION_NODE, "Missing node name")),
                Trait.NAMESPACED);
        table.read(
                "/v1/session/list",
                lookup.handler(KIND, request -> new Wanted(Question.SESSION_LIST, "", Map.of())),
                Trait.NAMESPACED);
    }

    private static void write(RouteTable.Builder table, String path, Handler handler) {
        table.write("PUT", path, handler, Trait.NAMESPACED, Trait.DATACENTER);
    }

    private Answer create(Request request) {
        byte[] body = request.body().length == 0 ? new byte[] {'{', '}'} : request.body();
        Session wanted = GoBody.read(body, this::session);
        return Answer.json(request, Map.of("ID", servers.call(Method.SESSION_CREATE, wanted)));
    }

    private Session session(GoBody body) {
        boolean anyChecks = body.has("NodeChecks") || body.has("Checks");
        List<String> nodeChecks = body.texts("NodeChecks");
        List<String> oldChecks = body.texts("Checks");
        boolean anyDelay = body.has("LockDelay");
        String node = body.text("Node");
        var session =
                new Session(
                        "",
                        body.text("Name"),
                        node.isEmpty() ? nodeName : node,
                        lockDelay(anyDelay, body.duration("LockDelay")),
                        body.text("Behavior"),
                        body.text("TTL"),
                        anyChecks
                                ? nodeChecks.isEmpty() ? oldChecks : nodeChecks
                                : List.of(HealthCheck.SERF_HEALTH),
                        serviceChecks(body),
                        0,
                        0);
        body.ignore("ID", "CreateIndex", "ModifyIndex");
        return session;
    }

    private static long lockDelay(boolean given, @Nullable Duration delay) {
        if (!given) {
            return DEFAULT_LOCK_DELAY;
        }
        long nanos = delay == null ? 0 : delay.toNanos();
        return nanos > 0 && nanos < SECONDS_BELOW ? Duration.ofSeconds(nanos).toNanos() : nanos;
    }

    private static @Nullable List<Session.ServiceCheck> serviceChecks(GoBody body) {
        List<Session.ServiceCheck> checks =
                body.objects(
                        check ->
                                new Session.ServiceCheck(check.text("ID"), check.text("Namespace")),
                        "ServiceChecks");
        return checks.isEmpty() ? null : checks;
    }

    private Answer destroy(Request request) {
        String id = CatalogRoutes.name(request, MISSING);
        return Answer.json(request, servers.call(Method.SESSION_DESTROY, id));
    }

    private Answer renew(Request request) {
        String id = CatalogRoutes.name(request, MISSING);
        return Answer.json(request, List.of(servers.call(Method.SESSION_RENEW, id)));
    }
}
