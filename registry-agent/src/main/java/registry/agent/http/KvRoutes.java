package registry.agent.http;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import registry.agent.http.Lookup.Kind;
import registry.agent.http.Lookup.Wanted;
import registry.agent.http.Route.Trait;
import registry.api.ApiException;
import registry.api.KvWrite;
import registry.api.KvWrite.Verb;
import registry.server.rpc.Method;
import registry.server.rpc.Question;
import registry.server.rpc.Servers;

/** {@code /v1/kv}: keys and values. Source: consul-api 3.7. */
final class KvRoutes {
    private static final String PATH = "/v1/kv/";
    private static final Kind KIND = new Kind(false, false, false);

    private final Servers servers;
    private final Lookup lookup;

    KvRoutes(Servers servers, Lookup lookup) {
        this.servers = servers;
        this.lookup = lookup;
    }

    void addTo(RouteTable.Builder table) {
        table.read(PATH, lookup.handler(KIND, KvRoutes::get), Trait.NAMESPACED);
        table.write(
                "PUT",
                PATH,
                Handler.plain(this::put),
                Trait.NAMESPACED,
                Trait.DATACENTER,
                Trait.VALUE_BODY);
        table.write(
                "DELETE", PATH, Handler.plain(this::delete), Trait.NAMESPACED, Trait.DATACENTER);
    }

    private static Wanted get(Request request) {
        QueryString query = request.query();
        if (query.has("keys")) {
            return new Wanted(Question.KV_GET, request.rest(), keysParams(query));
        }
        if (query.has("recurse")) {
            return new Wanted(Question.KV_GET, request.rest(), Map.of("recurse", List.of("")));
        }
        String key = CatalogRoutes.name(request, "Missing key name");
        if (query.has("raw")) {
            return new Wanted(Question.KV_GET, key, Map.of("raw", List.of("")), KvRoutes::raw);
        }
        return new Wanted(Question.KV_GET, key, Map.of());
    }

    private static Map<String, List<String>> keysParams(QueryString query) {
        var params = new TreeMap<String, List<String>>();
        params.put("keys", List.of(""));
        String separator = query.first("separator");
        if (separator.isEmpty()) {
            // Early clients spelt it so.
            separator = query.first("seperator");
        }
        if (!separator.isEmpty()) {
            params.put("separator", List.of(separator));
        }
        return params;
    }

    /** A bare value may be anything: a browser must not take it for a page. */
    private static Answer raw(Answer answer) {
        return answer.withContentType("text/plain")
                .with("X-Content-Type-Options", "nosniff")
                .with("Content-Security-Policy", "sandbox");
    }

    private Answer put(Request request) {
        String key = CatalogRoutes.name(request, "Missing key name");
        QueryString query = request.query();
        refuseConflict(query, List.of("cas", "acquire", "release"));
        long flags = query.has("flags") ? unsigned(query.first("flags")) : 0;
        KvWrite write;
        if (query.has("cas")) {
            write = write(Verb.CAS, key, request.body(), flags, unsigned(query.first("cas")), "");
        } else if (query.has("acquire")) {
            write = write(Verb.LOCK, key, request.body(), flags, 0, session(query, "acquire"));
        } else if (query.has("release")) {
            write = write(Verb.UNLOCK, key, request.body(), flags, 0, session(query, "release"));
        } else {
            write = write(Verb.SET, key, request.body(), flags, 0, "");
        }
        return Answer.json(request, servers.call(Method.KV_APPLY, write));
    }

    private Answer delete(Request request) {
        QueryString query = request.query();
        refuseConflict(query, List.of("recurse", "cas"));
        KvWrite write;
        if (query.has("recurse")) {
            write = write(Verb.DELETE_TREE, request.rest(), Request.NO_BODY, 0, 0, "");
        } else {
            String key = CatalogRoutes.name(request, "Missing key name");
            write =
                    query.has("cas")
                            ? write(
                                    Verb.DELETE_CAS,
                                    key,
                                    Request.NO_BODY,
                                    0,
                                    unsigned(query.first("cas")),
                                    "")
                            : write(Verb.DELETE, key, Request.NO_BODY, 0, 0, "");
        }
        return Answer.json(request, servers.call(Method.KV_APPLY, write));
    }

    private static KvWrite write(
            Verb verb, String key, byte[] value, long flags, long index, String session) {
        return new KvWrite(
                verb,
                key,
                value.length == 0 ? null : value,
                flags,
                index,
                session.isEmpty() ? null : session);
    }

    private static void refuseConflict(QueryString query, List<String> exclusive) {
        if (exclusive.stream().filter(query::has).count() > 1) {
            throw ApiException.badRequest("Conflicting flags: " + query.encoded());
        }
    }

    private static String session(QueryString query, String name) {
        String session = query.first(name);
        if (session.isEmpty()) {
            throw ApiException.refused("missing session");
        }
        return session;
    }

    private static long unsigned(String text) {
        try {
            if (!text.startsWith("+") && !text.startsWith("-")) {
                return Long.parseUnsignedLong(text);
            }
        } catch (NumberFormatException e) {
            // Said below.
        }
        boolean digits = !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9');
        throw ApiException.refused(
                "strconv.ParseUint: parsing \""
                        + text
                        + "\": "
                        + (digits ? "value out of range" : "invalid syntax"));
    }
}
