package registry.agent.http;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import registry.agent.http.Route.Trait;
import registry.api.ApiException;

/**
 * What clients of Consul ask for and a registry does not have: a service mesh, ACLs while they are
 * off, a profiler. Source: consul-api 3.12, 11.
 */
final class AbsentRoutes {
    private static final List<String> METHODS = List.of("GET", "PUT", "POST", "DELETE");
    private static final String ACL_DISABLED = "ACL support disabled";
    private static final List<Header> FIRST_INDEX =
            List.of(
                    new Header("X-Consul-Index", "1"),
                    new Header("X-Consul-Knownleader", "true"),
                    new Header("X-Consul-Lastcontact", "0"));

    private final boolean debug;

    AbsentRoutes(boolean debug) {
        this.debug = debug;
    }

    void addTo(RouteTable.Builder table) {
        for (String method : METHODS) {
            table.plain(method, "/v1/acl/", Handler.plain(request -> aclDisabled()));
            table.plain(method, "/v1/connect/", Handler.plain(request -> noMesh()));
            table.plain(method, "/v1/agent/connect/", Handler.plain(AbsentRoutes::agentMesh));
        }
        table.plain("PUT", "/v1/agent/token/", Handler.plain(request -> aclDisabled()));
        table.plain("GET", "/v1/config/", Handler.plain(AbsentRoutes::configEntries));
        table.plain(
                "GET",
                "/v1/catalog/gateway-services/",
                Handler.plain(request -> Answer.json(request, null).withAll(FIRST_INDEX)),
                Trait.NAMESPACED,
                Trait.DATACENTER);
        table.plain("GET", "/debug/pprof/", Handler.plain(request -> profile()));
    }

    private static Answer aclDisabled() {
        return Answer.text(401, ACL_DISABLED);
    }

    private static Answer noMesh() {
        return Answer.text(500, "Connect must be enabled in order to use this endpoint")
                .withAll(Lookup.NO_INDEX);
    }

    private static Answer agentMesh(Request request) {
        if (request.rest().equals("authorize")) {
            throw ApiException.badRequest("Bad request: Target service must be specified");
        }
        return noMesh();
    }

    private static Answer configEntries(Request request) {
        int slash = request.rest().indexOf('/');
        if (slash < 0) {
            return Answer.json(request, List.of()).withAll(FIRST_INDEX);
        }
        return Answer.text(
                        404,
                        "Config entry not found for \"%s\" / \"%s\""
                                .formatted(
                                        request.rest().substring(0, slash),
                                        request.rest().substring(slash + 1)))
                .withAll(FIRST_INDEX);
    }

    /**
     * The stacks of all threads, whatever profile was asked for: a Go profile can't be had of a
     * JVM.
     */
    private Answer profile() {
        Answer answer = debug ? Answer.text(200, stacks()) : Answer.text(401, ACL_DISABLED);
        return answer.dressed(Answer.Dress.VARY);
    }

    private static String stacks() {
        return Thread.getAllStackTraces().entrySet().stream()
                .map(AbsentRoutes::stack)
                .collect(Collectors.joining("\n"));
    }

    private static String stack(Map.Entry<Thread, StackTraceElement[]> entry) {
        var out = new StringBuilder(entry.getKey().getName()).append('\n');
        for (StackTraceElement frame : entry.getValue()) {
            out.append("    ").append(frame).append('\n');
        }
        return out.toString();
    }
}
