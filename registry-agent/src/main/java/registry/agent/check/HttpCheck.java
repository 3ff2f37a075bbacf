package registry.agent.check;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Asks a web server: 2xx passes, 429 warns, all else is critical. Follows at most ten redirects,
 * http and https only; the output is the last bytes of the body.
 */
final class HttpCheck implements Check {
    private static final int MAX_REDIRECTS = 10;

    private final String url;
    private final String method;
    private final Map<String, List<String>> header;
    private final String body;
    private final boolean verify;
    private final Duration timeout;
    private final int maxBytes;

    HttpCheck(
            String url,
            String method,
            Map<String, List<String>> header,
            String body,
            boolean tlsSkipVerify,
            Duration timeout,
            int maxBytes) {
        this.url = url;
        this.method = method.isEmpty() ? "GET" : method;
        this.header = withDefaults(header);
        this.body = body;
        this.verify = !tlsSkipVerify;
        this.timeout = timeout;
        this.maxBytes = maxBytes;
    }

    private static Map<String, List<String>> withDefaults(Map<String, List<String>> header) {
        Map<String, List<String>> all = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        all.put("User-Agent", List.of("Consul Health Check"));
        all.put("Accept", List.of("text/plain, text/*, */*"));
        all.putAll(header);
        // Ours to say: the connection is for one question, and the body's length is known.
        all.remove("Connection");
        all.remove("Content-Length");
        all.remove("Transfer-Encoding");
        return all;
    }

    @Override
    public CheckResult run() throws InterruptedException {
        try {
            HttpExchange.Answer answer = follow();
            String output =
                    "HTTP "
                            + method
                            + " "
                            + url
                            + ": "
                            + answer.status()
                            + " Output: "
                            + answer.body();
            if (answer.code() >= 200 && answer.code() <= 299) {
                return CheckResult.passing(output);
            }
            return answer.code() == 429
                    ? CheckResult.warning(output)
                    : CheckResult.critical(output);
        } catch (IOException e) {
            // As in: Get "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused
            String verb = method.charAt(0) + method.substring(1).toLowerCase(Locale.ROOT);
            return CheckResult.critical(verb + " \"" + url + "\": " + e.getMessage());
        }
    }

    private HttpExchange.Answer follow() throws IOException, InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        URI at = parse(url);
        String verb = method;
        String payload = body;
        Map<String, List<String>> fields = header;
        for (int redirects = 0; ; redirects++) {
            var exchange = new HttpExchange(at, verb, fields, payload, verify, deadline, maxBytes);
            HttpExchange.Answer answer = exchange.run();
            if (!answer.isRedirect()) {
                return answer;
            }
            if (redirects == MAX_REDIRECTS) {
                throw new IOException("stopped after " + MAX_REDIRECTS + " redirects");
            }
            URI to = at.resolve(parse(answer.location()));
            if (answer.code() <= 303 && !verb.equals("HEAD")) {
                verb = "GET";
                payload = "";
            }
            fields = fieldsFor(at, to);
            at = to;
        }
    }

    /** A Host header is meant for the first server, and secrets are for nobody else. */
    private Map<String, List<String>> fieldsFor(URI from, URI to) {
        Map<String, List<String>> kept = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        kept.putAll(header);
        kept.remove("Host");
        if (!String.valueOf(from.getHost()).equalsIgnoreCase(to.getHost())) {
            kept.remove("Authorization");
            kept.remove("Cookie");
            kept.remove("X-Consul-Token");
        }
        return kept;
    }

    private static URI parse(String text) throws IOException {
        try {
            return new URI(text);
        } catch (URISyntaxException e) {
            throw new IOException("invalid URL: " + e.getMessage(), e);
        }
    }
}
