package registry.agent.http;

import java.net.InetAddress;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import registry.api.json.Json;

/**
 * One request as handlers see it, whichever door it came through.
 *
 * @param path decoded and clean
 * @param rest what stands behind the route's path: a name, an id, a key; may be empty and may
 *     contain slashes
 * @param headers value of a header by its name, null when it is absent
 * @param client address of the peer; null when it has none, as on a UNIX socket
 * @param pretty the answer's JSON is to be indented
 * @param body empty when there is none; at most as long as the route allows
 */
record Request(
        String method,
        String path,
        String rest,
        QueryString query,
        UnaryOperator<@Nullable String> headers,
        @Nullable InetAddress client,
        boolean pretty,
        byte[] body) {
    static final byte[] NO_BODY = {};

    Request withBody(byte[] read) {
        return new Request(method, path, rest, query, headers, client, pretty, read);
    }

    /** True when the client would rather wait than hear what it knows. */
    boolean mayWait() {
        return query.has("index") || query.has("hash");
    }

    /** The same request, to be answered at once. */
    Request withoutWaiting() {
        return withQuery(query.without("index", "hash"));
    }

    Request withQuery(QueryString other) {
        return new Request(method, path, rest, other, headers, client, pretty, body);
    }

    /** The same request, whose answer's JSON is not indented. */
    Request compact() {
        return new Request(method, path, rest, query, headers, client, false, body);
    }

    @Nullable String header(String name) {
        return headers.apply(name);
    }

    /** {@code value} as the JSON that this request wants to see. */
    byte[] json(@Nullable Object value) {
        return pretty ? Json.writePretty(value) : Json.write(value);
    }
}
