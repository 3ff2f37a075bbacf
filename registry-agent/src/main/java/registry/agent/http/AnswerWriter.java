package registry.agent.http;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.PreEncodedHttpField;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;

/** Turns answers into what goes over the wire, the same for both doors. */
final class AnswerWriter {
    private static final HttpField JSON =
            new PreEncodedHttpField(HttpHeader.CONTENT_TYPE, Answer.JSON);
    private static final HttpField TEXT =
            new PreEncodedHttpField(HttpHeader.CONTENT_TYPE, Answer.TEXT);
    private static final HttpField GZIPPED =
            new PreEncodedHttpField(HttpHeader.CONTENT_ENCODING, "gzip");

    private static final HttpField CHUNKED =
            new PreEncodedHttpField(HttpHeader.TRANSFER_ENCODING, "chunked");

    /** Longer bodies come in chunks, as Go's server sends them; shorter ones say their length. */
    private static final int MAX_COUNTED = 2048;

    private final Gzip gzip = new Gzip();
    private final Map<Answer.Dress, HttpFields> dresses = new EnumMap<>(Answer.Dress.class);

    AnswerWriter(Dispatcher dispatcher) {
        for (Answer.Dress dress : Answer.Dress.values()) {
            HttpFields.Mutable fields = HttpFields.build();
            for (Header line : dispatcher.linesOf(dress)) {
                fields.add(new PreEncodedHttpField(line.name(), line.value()));
            }
            dresses.put(dress, fields.asImmutable());
        }
    }

    /**
     * Sets status and headers of a response that is not begun.
     *
     * @return the bytes that have to follow
     */
    byte[] begin(Request request, Response response, Answer answer) {
        head(response, answer);
        HttpFields.Mutable fields = response.getHeaders();
        byte[] body = answer.body();
        if (answer.dress() == Answer.Dress.FULL
                && Gzip.wants(request.getHeaders().get(HttpHeader.ACCEPT_ENCODING), body)) {
            body = gzip.zip(body);
            fields.add(GZIPPED);
        }
        if (body.length > MAX_COUNTED) {
            fields.add(CHUNKED);
        } else {
            fields.put(HttpHeader.CONTENT_LENGTH, body.length);
        }
        return body;
    }

    /** Sets status and headers, but for those that tell of the body's form. */
    void head(Response response, Answer answer) {
        response.setStatus(answer.status());
        HttpFields.Mutable fields = response.getHeaders();
        fields.add(dresses.getOrDefault(answer.dress(), HttpFields.EMPTY));
        String type = answer.contentType();
        if (type != null) {
            fields.add(fieldOf(type));
        }
        List<Header> lines = answer.headers();
        for (int at = 0; at < lines.size(); at++) {
            Header line = lines.get(at);
            fields.add(new HttpField(line.name(), line.value()));
        }
    }

    private static HttpField fieldOf(String type) {
        return switch (type) {
            case Answer.JSON -> JSON;
            case Answer.TEXT -> TEXT;
            default -> new HttpField(HttpHeader.CONTENT_TYPE, type);
        };
    }
}
