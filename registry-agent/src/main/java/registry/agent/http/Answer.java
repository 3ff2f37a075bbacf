package registry.agent.http;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import registry.api.ApiException;

/**
 * The answer to a request.
 *
 * @param contentType null for an answer without content
 * @param body never changed after; may be shared by many answers
 * @param headers its own lines, beside those of its {@link Dress}
 */
record Answer(
        int status, @Nullable String contentType, byte[] body, List<Header> headers, Dress dress) {
    static final String JSON = "application/json";
    static final String TEXT = "text/plain; charset=utf-8";
    private static final byte[] NOTHING = {};
    private static final Header NOSNIFF = new Header("X-Content-Type-Options", "nosniff");

    /** Which lines an answer gets that do not depend on what was asked. Source: consul-api 1.4. */
    enum Dress {
        /** None: redirects and paths that are refused unread. */
        BARE,
        /** {@code http_config.response_headers} alone: what is not an endpoint. */
        CONFIGURED,
        /** {@code Vary} alone: the profiler's pages. */
        VARY,
        /** All: {@code response_headers}, {@code Vary} and the ACL policy. */
        FULL
    }

    /** JSON that is written already. */
    static Answer json(byte[] json) {
        return new Answer(200, JSON, json, List.of(), Dress.FULL);
    }

    /** {@code value} as JSON, indented when the request wants it. */
    static Answer json(Request request, @Nullable Object value) {
        return json(request.json(value));
    }

    /** A message for people. */
    static Answer text(int status, String message) {
        return new Answer(
                status,
                TEXT,
                message.getBytes(StandardCharsets.UTF_8),
                List.of(NOSNIFF),
                Dress.FULL);
    }

    static Answer empty(int status) {
        return new Answer(status, null, NOTHING, List.of(), Dress.FULL);
    }

    static Answer of(ApiException error) {
        int status = error.kind().httpStatus();
        return error.text().isEmpty() ? empty(status) : text(status, error.text());
    }

    Answer with(String name, String value) {
        var more = new ArrayList<Header>(headers.size() + 1);
        more.addAll(headers);
        more.add(new Header(name, value));
        return new Answer(status, contentType, body, more, dress);
    }

    Answer withAll(List<Header> lines) {
        if (headers.isEmpty()) {
            return new Answer(status, contentType, body, lines, dress);
        }
        var more = new ArrayList<Header>(headers);
        more.addAll(lines);
        return new Answer(status, contentType, body, more, dress);
    }

    Answer withStatus(int other) {
        return new Answer(other, contentType, body, headers, dress);
    }

    Answer withContentType(String other) {
        return new Answer(status, other, body, headers, dress);
    }

    Answer dressed(Dress other) {
        return new Answer(status, contentType, body, headers, other);
    }
}
