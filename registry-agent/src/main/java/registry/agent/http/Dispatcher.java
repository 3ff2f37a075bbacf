package registry.agent.http;

import java.net.InetAddress;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.agent.config.AgentConfig;
import registry.agent.http.Route.Trait;
import registry.agent.metrics.HttpSeries;
import registry.agent.metrics.Metrics;
import registry.agent.metrics.Series;
import registry.api.ApiException;
import registry.server.rpc.Servers;

/**
 * The rules that hold for every request, whichever door it comes through: which route it is for,
 * whether it may have it, what its answer looks like. Source: consul-api section 1.
 */
final class Dispatcher {
    private static final Logger LOG = LoggerFactory.getLogger(Dispatcher.class);
    private static final Answer BANNER =
            Answer.text(200, "Consul Agent").dressed(Answer.Dress.CONFIGURED);
    private static final Answer UNKNOWN = Answer.empty(404).dressed(Answer.Dress.CONFIGURED);
    private static final Answer UNPRINTABLE = Answer.empty(400).dressed(Answer.Dress.BARE);
    private static final Answer NOT_A_PATH =
            Answer.text(400, "Bad path encoding").dressed(Answer.Dress.BARE);
    private static final String QUERY = "/v1/query/";
    private static final byte[] EMPTY_OBJECT = {'{', '}'};

    private final RouteTable routes;
    private final AgentConfig config;
    private final Guards guards;

    /** By route, each of which is one object. */
    private final Map<Route, Series> series = new IdentityHashMap<>();

    /** What became of the head of a request. */
    sealed interface Opened {
        /** Answered without its body. */
        record Refused(Answer answer) implements Opened {}

        /** For a route; the body is still to be read. */
        record Routed(Route route, Request request) implements Opened {}
    }

    Dispatcher(RouteTable routes, AgentConfig config, Metrics metrics) {
        this.routes = routes;
        this.config = config;
        this.guards = new Guards(config.http());
        boolean oldNames = config.telemetry().oldNames();
        for (Route route : routes.all()) {
            series.put(route, HttpSeries.of(metrics, route.method(), route.path(), oldNames));
        }
    }

    /**
     * Judges the head of a request.
     *
     * @param rawPath as sent, null for a target that is no path
     * @param rawQuery as sent, null when there is none
     */
    Opened open(
            String method,
            @Nullable String rawPath,
            @Nullable String rawQuery,
            UnaryOperator<@Nullable String> headers,
            @Nullable InetAddress client) {
        String path = rawPath == null ? null : UrlText.decodePath(rawPath);
        if (path == null || !path.startsWith("/")) {
            return new Opened.Refused(NOT_A_PATH);
        }
        if (!config.disableHttpUnprintableCharFilter() && !UrlText.isPrintable(path)) {
            return new Opened.Refused(UNPRINTABLE);
        }
        if (!UrlText.isClean(path)) {
            return moved(method, UrlText.clean(path), rawQuery);
        }
        boolean write =
                !method.equals("GET") && !method.equals("HEAD") && !method.equals("OPTIONS");
        String fault = guards.browserFault(write, headers);
        if (fault != null) {
            return new Opened.Refused(Answer.text(403, fault));
        }
        RouteTable.Resource resource = routes.find(path);
        if (resource == null) {
            if (routes.lacksSlash(path)) {
                return moved(method, path + "/", rawQuery);
            }
            return new Opened.Refused(path.equals("/") ? BANNER : UNKNOWN);
        }
        return open(method, path, resource, rawQuery, write, headers, client);
    }

    private Opened open(
            String method,
            String path,
            RouteTable.Resource resource,
            @Nullable String rawQuery,
            boolean write,
            UnaryOperator<@Nullable String> headers,
            @Nullable InetAddress client) {
        QueryString query = QueryString.parse(rawQuery);
        if (query == null) {
            return new Opened.Refused(Answer.empty(500));
        }
        if (guards.blocks(path)) {
            return new Opened.Refused(
                    Answer.text(403, "Endpoint is blocked by agent configuration"));
        }
        if (method.equals("OPTIONS")) {
            Answer answer = path.startsWith(QUERY) ? Answer.json(EMPTY_OBJECT) : Answer.empty(200);
            return new Opened.Refused(answer.with("Allow", resource.allow()));
        }
        Route route = resource.byMethod().get(method);
        if (route == null) {
            // Consul's own words: here it forgets that it takes OPTIONS, too.
            String allow = resource.allow();
            return new Opened.Refused(
                    Answer.text(405, "method " + method + " not allowed")
                            .with(
                                    "Allow",
                                    path.startsWith(QUERY)
                                            ? allow.substring("OPTIONS,".length())
                                            : allow));
        }
        if (write && !guards.mayWrite(client)) {
            return new Opened.Refused(Answer.text(403, "Access is restricted"));
        }
        boolean pretty = config.devMode() || query.has("pretty");
        var request =
                new Request(
                        method,
                        path,
                        resource.restOf(path),
                        query,
                        headers,
                        client,
                        pretty,
                        Request.NO_BODY);
        String namespace = route.is(Trait.NAMESPACED) ? namespaceFault(request) : null;
        if (namespace != null) {
            return new Opened.Refused(
                    Answer.text(
                            400,
                            "Bad request: Invalid "
                                    + namespace
                                    + " - Namespaces are a Consul Enterprise feature"));
        }
        return new Opened.Routed(route, request);
    }

    private static @Nullable String namespaceFault(Request request) {
        if (request.query().has("ns")) {
            return "query parameter: \"ns\"";
        }
        return request.header("X-Consul-Namespace") == null
                ? null
                : "header: \"X-Consul-Namespace\"";
    }

    private static Opened moved(String method, String path, @Nullable String rawQuery) {
        String location =
                UrlText.encodePath(path)
                        + (rawQuery == null || rawQuery.isEmpty() ? "" : "?" + rawQuery);
        Answer answer = Answer.empty(301);
        if (method.equals("GET") || method.equals("HEAD")) {
            String page = "<a href=\"" + escapeHtml(location) + "\">Moved Permanently</a>.\n\n";
            answer = Answer.text(301, page).withContentType("text/html; charset=utf-8");
        }
        return new Opened.Refused(answer.with("Location", location).dressed(Answer.Dress.BARE));
    }

    private static String escapeHtml(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&#34;")
                .replace("'", "&#39;");
    }

    /** How long a body of this route may be, in bytes. */
    int bodyLimit(Route route) {
        if (route.is(Trait.VALUE_BODY)) {
            return config.limits().kvMaxValueSize();
        }
        return route.is(Trait.TXN_BODY)
                ? config.limits().txnMaxReqLen()
                : config.limits().maxJsonBody();
    }

    /**
     * The answer to a body that is longer than allowed.
     *
     * @param length as far as it is known: bodies in chunks do not say it
     */
    Answer tooLarge(Route route, long length) {
        String text =
                "Request body("
                        + length
                        + " bytes) too large, max size: "
                        + bodyLimit(route)
                        + " bytes.";
        String consuls = " See https://www.consul.io/docs/agent/options.html#";
        if (route.is(Trait.VALUE_BODY)) {
            return Answer.text(413, text + consuls + "kv_max_value_size.");
        }
        return Answer.text(
                413,
                text
                        + (route.is(Trait.TXN_BODY)
                                ? consuls + "txn_max_req_len."
                                : " See limits.json_max_body_size"));
    }

    /**
     * Asks the handler of a route; whatever it throws becomes an answer.
     *
     * @return what is held until {@code then} is called
     */
    Servers.@Nullable Held ask(Route route, Request request, Consumer<Answer> then) {
        long begin = System.nanoTime();
        return answer(
                route,
                request,
                answer -> {
                    measure(route, begin);
                    then.accept(answer);
                });
    }

    /** Tells that a request of a route is answered, and how long that took. */
    void measure(Route route, long beginNanos) {
        Series known = series.get(route);
        if (known != null) {
            known.measureSince(beginNanos);
        }
    }

    /** The same as {@link #ask}, but is no request of its own. */
    Servers.@Nullable Held answer(Route route, Request request, Consumer<Answer> then) {
        try {
            Answer refusal = refusal(route, request);
            if (refusal != null) {
                then.accept(refusal);
                return null;
            }
            return route.handler().handle(request, then);
        } catch (ApiException e) {
            then.accept(Answer.of(e));
        } catch (RuntimeException e) {
            LOG.error("request failed: method={} path={}", route.method(), route.path(), e);
            then.accept(Answer.text(500, "Internal error, see the agent's log"));
        }
        return null;
    }

    /** Why the route's handler is not asked; null when it is. */
    @Nullable Answer refusal(Route route, Request request) {
        String datacenter = route.is(Trait.DATACENTER) ? request.query().first("dc") : "";
        return datacenter.isEmpty() || datacenter.equals(config.datacenter())
                ? null
                : Answer.text(500, "No path to datacenter");
    }

    /** The lines that every answer of a dress gets, in order. */
    List<Header> linesOf(Answer.Dress dress) {
        var configured = config.http().responseHeaders().entrySet().stream().map(Dispatcher::line);
        var vary = new Header("Vary", "Accept-Encoding");
        return switch (dress) {
            case BARE -> List.of();
            case CONFIGURED -> configured.toList();
            case VARY -> List.of(vary);
            case FULL ->
                    Stream.concat(
                                    configured,
                                    Stream.of(
                                            vary,
                                            new Header("X-Consul-Default-Acl-Policy", "allow")))
                            .toList();
        };
    }

    private static Header line(Map.Entry<String, String> entry) {
        return new Header(entry.getKey(), entry.getValue());
    }
}
