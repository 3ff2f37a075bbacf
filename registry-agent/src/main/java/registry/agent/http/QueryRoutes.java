package registry.agent.http;

import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import registry.agent.http.Lookup.Kind;
import registry.agent.http.Lookup.Wanted;
import registry.agent.http.Route.Trait;
import registry.api.ApiException;
import registry.api.PreparedQuery;
import registry.api.PreparedQuery.Failover;
import registry.api.PreparedQuery.ServiceQuery;
import registry.api.PreparedQueryWrite;
import registry.api.PreparedQueryWrite.Verb;
import registry.server.rpc.Method;
import registry.server.rpc.Question;
import registry.server.rpc.Servers;

/** {@code /v1/query}: questions that are kept, and run. Source: consul-api 3.10. */
final class QueryRoutes {
    private static final String ALL = "/v1/query";
    private static final String ONE = "/v1/query/";
    private static final Kind KEPT = new Kind(true, false, true);
    private static final Kind RUN = new Kind(true, true, false);

    private static final byte[] EMPTY = {'{', '}'};
    private static final ServiceQuery NO_SERVICE =
            new ServiceQuery("", Failover.NONE, false, null, "", null, null, null, false);

    private final Servers servers;
    private final Lookup lookup;
    private final String nodeName;

    /**
     * @param nodeName what {@code _agent} stands for
     */
    QueryRoutes(Servers servers, Lookup lookup, String nodeName) {
        this.servers = servers;
        this.lookup = lookup;
        this.nodeName = nodeName;
    }

    void addTo(RouteTable.Builder table) {
        table.read(
                ALL,
                lookup.handler(KEPT, request -> new Wanted(Question.QUERY_LIST, "", Map.of())));
        table.write("POST", ALL, Handler.plain(this::create), Trait.DATACENTER);
        table.read(
                ONE,
                lookup.handler(
                        KEPT, request -> new Wanted(Question.QUERY_GET, request.rest(), Map.of())));
        table.write("PUT", ONE, Handler.plain(this::update), Trait.DATACENTER);
        table.write("DELETE", ONE, Handler.plain(this::delete), Trait.DATACENTER);
        table.read(ONE + "*/execute", atOnce(lookup.handler(RUN, this::execute)));
        table.read(
                ONE + "*/explain",
                atOnce(
                        lookup.handler(
                                RUN,
                                request ->
                                        new Wanted(
                                                Question.QUERY_EXPLAIN,
                                                request.rest(),
                                                Map.of()))));
    }

    /** What is found is never the same twice: nobody can wait for its change. */
    private static Handler atOnce(Handler handler) {
        return (request, then) -> handler.handle(request.withoutWaiting(), then);
    }

    private Answer create(Request request) {
        String id = servers.call(Method.QUERY_APPLY, write(Verb.CREATE, query(request)));
        return Answer.json(request, Map.of("ID", id));
    }

    private Answer update(Request request) {
        PreparedQuery query = query(request).withId(request.rest());
        servers.call(Method.QUERY_APPLY, write(Verb.UPDATE, query));
        return Answer.empty(200);
    }

    private Answer delete(Request request) {
        PreparedQuery query = GoBody.read(EMPTY, QueryRoutes::query).withId(request.rest());
        servers.call(Method.QUERY_APPLY, write(Verb.DELETE, query));
        return Answer.empty(200);
    }

    private static PreparedQueryWrite write(Verb verb, PreparedQuery query) {
        return new PreparedQueryWrite(verb, query);
    }

    private static PreparedQuery query(Request request) {
        return GoBody.read(request.body().length == 0 ? EMPTY : request.body(), QueryRoutes::query);
    }

    private static PreparedQuery query(GoBody body) {
        var query =
                new PreparedQuery(
                        body.text("ID"),
                        body.text("Name"),
                        body.text("Session"),
                        body.text("Token"),
                        orElse(
                                body.object(QueryRoutes::template, "Template"),
                                new PreparedQuery.Template("", "", false)),
                        orElse(body.object(QueryRoutes::service, "Service"), NO_SERVICE),
                        orElse(
                                body.object(dns -> new PreparedQuery.Dns(dns.text("TTL")), "DNS"),
                                new PreparedQuery.Dns("")),
                        0,
                        0);
        body.ignore("CreateIndex", "ModifyIndex");
        return query;
    }

    private static <T> T orElse(@Nullable T given, T otherwise) {
        return given == null ? otherwise : given;
    }

    private static PreparedQuery.Template template(GoBody body) {
        return new PreparedQuery.Template(
                body.text("Type"), body.text("Regexp"), body.flag("RemoveEmptyTags"));
    }

    private static ServiceQuery service(GoBody body) {
        return new ServiceQuery(
                body.text("Service"),
                orElse(body.object(QueryRoutes::failover, "Failover"), Failover.NONE),
                body.flag("OnlyPassing"),
                body.textsIfAny("IgnoreCheckIDs"),
                body.text("Near"),
                body.textsIfAny("Tags"),
                body.textMap("NodeMeta"),
                body.textMap("ServiceMeta"),
                body.flag("Connect"));
    }

    private static Failover failover(GoBody body) {
        return new Failover(body.number("NearestN"), body.textsIfAny("Datacenters"));
    }

    private Wanted execute(Request request) {
        QueryString query = request.query();
        Map<String, List<String>> params = new TreeMap<>();
        params.put("agent", List.of(nodeName));
        put(params, "ip", address(request));
        put(params, "near", query.first("near"));
        put(params, "limit", limit(query.first("limit")));
        if (Boolean.TRUE.equals(Definitions.bool(query.first("connect")))) {
            params.put("connect", List.of(""));
        }
        return new Wanted(Question.QUERY_EXECUTE, request.rest(), params);
    }

    private static void put(Map<String, List<String>> params, String name, String value) {
        if (!value.isEmpty()) {
            params.put(name, List.of(value));
        }
    }

    /** Whose request it is: behind proxies the first of whom they name. */
    private static String address(Request request) {
        String forwarded = request.header("X-Forwarded-For");
        if (forwarded != null && !forwarded.isBlank()) {
            return forwarded.split(",", 2)[0].strip();
        }
        InetAddress client = request.client();
        return client == null ? "" : client.getHostAddress();
    }

    private static String limit(String text) {
        if (text.isEmpty()) {
            return "";
        }
        try {
            return Integer.toString(Integer.parseInt(text));
        } catch (NumberFormatException e) {
            boolean digits = text.matches("[+-]?[0-9]+");
            throw new ApiException(
                    ApiException.Kind.REFUSED,
                    "Bad limit: strconv.Atoi: parsing \"%s\": %s"
                            .formatted(text, digits ? "value out of range" : "invalid syntax"),
                    e);
        }
    }
}
