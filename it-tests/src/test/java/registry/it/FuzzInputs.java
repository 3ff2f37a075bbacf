package registry.it;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/**
 * Requests that no well-meaning client sends, many of them changed from captured good ones. They
 * never name what must survive (whatever begins with {@code keep}), never end the agent, and never
 * give it an address to connect to but 127.0.0.1.
 */
final class FuzzInputs {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String[] METHODS = {
        "GET",
        "PUT",
        "POST",
        "DELETE",
        "HEAD",
        "OPTIONS",
        "PATCH",
        "TRACE",
        "CONNECT",
        "get",
        "PUTT",
        "G\u00cbT",
        ""
    };
    private static final String[] ROUTES = {
        "/v1/catalog/nodes",
        "/v1/catalog/services",
        "/v1/catalog/service/fz",
        "/v1/catalog/node/fz",
        "/v1/catalog/node-services/fz",
        "/v1/catalog/datacenters",
        "/v1/health/service/fz",
        "/v1/health/node/fz",
        "/v1/health/checks/fz",
        "/v1/health/state/any",
        "/v1/agent/self",
        "/v1/agent/members",
        "/v1/agent/services",
        "/v1/agent/service/fz",
        "/v1/agent/checks",
        "/v1/agent/health/service/id/fz",
        "/v1/agent/health/service/name/fz",
        "/v1/agent/check/history/fz",
        "/v1/status/leader",
        "/v1/status/peers",
        "/v1/kv/fz/a",
        "/v1/kv/fz/?recurse",
        "/v1/kv/fz/?keys",
        "/v1/kv/fz/a?raw",
        "/v1/session/list",
        "/v1/txn",
        "/v1/query",
        "/v1/event/list",
        "/v1/coordinate/nodes",
        "/v1/operator/raft/configuration",
        "/v1/snapshot",
        "/v1/acl/tokens",
        "/",
        "/ui/"
    };
    private static final String[] PARAMETERS = {
        "dc",
        "near",
        "tag",
        "node-meta",
        "passing",
        "pretty",
        "stale",
        "consistent",
        "leader",
        "cached",
        "max_stale",
        "filter",
        "ns",
        "token",
        "recurse",
        "keys",
        "separator",
        "raw",
        "cas",
        "flags",
        "acquire",
        "release",
        "format",
        "hash",
        "note",
        "enable",
        "reason",
        "wan",
        "segment"
    };
    private static final String[] VALUES = {
        "",
        "0",
        "1",
        "-1",
        "x",
        "dc1",
        "nope",
        "true",
        "18446744073709551615",
        "18446744073709551616",
        "9".repeat(400),
        "1e5",
        "0x10",
        "%00",
        "%0d%0aX-Evil:%201",
        "%zz",
        "%",
        "%e9",
        "%F0%9F%92%A9",
        "a".repeat(3_000),
        "'\"<>&;",
        "a:b:c",
        ":",
        "..%2f..%2fetc",
        "+",
        "%2b",
        "\u00e9",
        "\u0001"
    };
    private static final String[] WAITS = {
        "1ms", "10ms", "abc", "1", "1ss", "99999999999999999999h", "10ms%00", "ms"
    };
    private static final String[] INDEXES = {
        "0", "1", "-1", "x", "18446744073709551615", "18446744073709551616", "", "1.5"
    };

    private final Random random;
    private final List<Seed> seeds = new ArrayList<>();

    /** A good request to be changed. */
    private record Seed(String method, String path, byte[] body) {}

    /**
     * One input.
     *
     * @param kind what sort of badness it is
     * @param endOfInput whether the sender then closes its side
     * @param wellFormed whether it is valid HTTP, so that an answer is due
     */
    record Input(String kind, byte[] bytes, boolean endOfInput, boolean wellFormed) {
        /** Its beginning, readable, for a failure message. */
        String shown() {
            String text = new String(bytes, 0, Math.min(bytes.length, 700), ISO_8859_1);
            return kind + ", " + bytes.length + " bytes: " + JSON.valueToTree(text);
        }
    }

    FuzzInputs(Random random, Path captures) throws IOException {
        this.random = random;
        try (Stream<Path> files = Files.list(captures)) {
            for (Path file : files.sorted().toList()) {
                for (JsonNode step : JSON.readTree(file.toFile()).path("steps")) {
                    addSeed(step.path("request"));
                }
            }
        }
        if (seeds.size() < 100) {
            throw new IllegalStateException(
                    "only " + seeds.size() + " captured calls in " + captures);
        }
    }

    private void addSeed(JsonNode request) {
        String path = request.path("path").asText();
        String method = request.path("method").asText();
        boolean ends =
                path.contains("/agent/leave")
                        || path.contains("/agent/join")
                        || path.contains("force-leave");
        boolean endless = path.contains("/agent/monitor") || path.contains("pprof");
        boolean parks = path.contains("index=") || path.contains("hash=");
        boolean sweeps =
                method.equals("DELETE")
                        || path.contains("/operator/") && !method.equals("GET")
                        || path.contains("/snapshot")
                        // With its key gone or empty it is an order to remove them all.
                        || request.path("body").toString().contains("delete-tree");
        if (!request.has("method") || ends || endless || parks || sweeps) {
            return;
        }
        JsonNode body = request.path("body");
        byte[] bytes =
                body.isMissingNode() || body.isNull()
                        ? new byte[0]
                        : (body.isTextual() ? body.asText() : body.toString()).getBytes(UTF_8);
        seeds.add(new Seed(method, path, bytes));
    }

    Input next() {
        return switch (random.nextInt(20)) {
            case 0, 1, 2, 3, 4 -> wrongJson();
            case 5, 6 -> cutOrFlippedBody();
            case 7 -> deepJson();
            case 8, 9, 10, 11 -> oddQuery();
            case 12 -> oddMethod();
            case 13, 14 -> oddPath();
            case 15, 16 -> oddHeaders();
            case 17 -> random.nextInt(4) == 0 ? oversizeBody() : oddQuery();
            case 18 -> brokenFraming();
            default -> garbage();
        };
    }

    /** A captured body with one to three members replaced, dropped, renamed or added. */
    private Input wrongJson() {
        Seed seed = seedWithJson();
        JsonNode body = read(seed.body());
        int changes = 1 + random.nextInt(3);
        for (int i = 0; i < changes; i++) {
            body = change(body, 0);
        }
        return request(
                "wrong JSON", seed.method(), seed.path(), body.toString().getBytes(UTF_8), "");
    }

    private JsonNode change(JsonNode node, int depth) {
        if (depth > 0 && random.nextInt(3) == 0 || !node.isContainerNode() || node.isEmpty()) {
            return oddValue();
        }
        if (node instanceof ObjectNode object) {
            List<String> names = new ArrayList<>();
            object.fieldNames().forEachRemaining(names::add);
            String name = pick(names);
            switch (random.nextInt(6)) {
                case 0 -> object.remove(name);
                case 1 -> object.set(name + pick("x", "", "\u0000", "ID"), oddValue());
                case 2 ->
                        object.set(
                                pick(
                                        name.toLowerCase(java.util.Locale.ROOT),
                                        name.toUpperCase(java.util.Locale.ROOT)),
                                oddValue());
                default -> object.set(name, change(object.get(name), depth + 1));
            }
        } else if (node instanceof ArrayNode array) {
            int at = random.nextInt(array.size());
            array.set(at, change(array.get(at), depth + 1));
        }
        return node;
    }

    private JsonNode oddValue() {
        JsonNodeFactory make = JsonNodeFactory.instance;
        return switch (random.nextInt(14)) {
            case 0 -> make.nullNode();
            case 1 -> make.numberNode(-1);
            case 2 -> make.numberNode(new java.math.BigDecimal("1e400"));
            case 3 -> make.numberNode(Long.MAX_VALUE);
            case 4 -> make.numberNode(1.5);
            case 5 -> make.textNode("");
            case 6 -> make.textNode("x".repeat(random.nextInt(20_000)));
            case 7 -> make.textNode("fz \u0000\u0007\n\ud83d\ude00<&>\u2028");
            case 8 -> make.arrayNode().add(1).add("x").addNull();
            case 9 -> make.objectNode();
            case 10 -> make.booleanNode(random.nextBoolean());
            case 11 -> make.arrayNode();
            case 12 -> make.objectNode().put("ID", "fz").put("Name", 1);
            default -> make.textNode("fz" + random.nextInt(50));
        };
    }

    /**
     * A captured body with bytes lost, doubled or flipped; never one that holds an address to
     * connect to.
     */
    private Input cutOrFlippedBody() {
        Seed seed = seedWithJson();
        byte[] body = seed.body().clone();
        if (random.nextBoolean() || connects(body)) {
            body = java.util.Arrays.copyOf(body, random.nextInt(body.length));
        } else {
            for (int i = 0; i <= random.nextInt(4); i++) {
                body[random.nextInt(body.length)] = (byte) random.nextInt(256);
            }
        }
        return request("cut or flipped body", seed.method(), seed.path(), body, "");
    }

    private static boolean connects(byte[] body) {
        String text = new String(body, ISO_8859_1).toLowerCase(java.util.Locale.ROOT);
        return text.contains("http") || text.contains("tcp") || text.contains("grpc");
    }

    private Input deepJson() {
        int depth = pick(60, 64, 65, 70, 500, 10_000, 200_000);
        String text =
                switch (random.nextInt(4)) {
                    case 0 -> "[".repeat(depth) + "]".repeat(depth);
                    case 1 -> "{\"a\":".repeat(depth) + "1" + "}".repeat(depth);
                    case 2 -> "[".repeat(depth);
                    default ->
                            "{\"Name\":\"fz\",\"Meta\":"
                                    + "{\"a\":".repeat(depth)
                                    + "1"
                                    + "}".repeat(depth)
                                    + "}";
                };
        return request(
                "deep JSON",
                "PUT",
                pick(
                        "/v1/agent/service/register",
                        "/v1/catalog/register",
                        "/v1/agent/check/register",
                        "/v1/catalog/deregister",
                        "/v1/txn",
                        "/v1/session/create"),
                text.getBytes(UTF_8),
                "");
    }

    private Input oddQuery() {
        String route = pick(ROUTES);
        var query = new StringBuilder(route.contains("?") ? "&" : "?");
        for (int i = 0; i <= random.nextInt(4); i++) {
            query.append(pick(PARAMETERS));
            if (random.nextInt(5) > 0) {
                query.append(pick("=", "=", "=", "==", "%3d")).append(pick(VALUES));
            }
            query.append(pick("&", "&", "&&", ";"));
        }
        if (random.nextInt(3) == 0) {
            // A wait that could last is never sent: a request that parks rightly looks like one
            // that hangs.
            query.append("wait=")
                    .append(pick(WAITS))
                    .append("&index=")
                    .append(pick(INDEXES))
                    .append("&wait=1ms");
        }
        boolean write = random.nextInt(8) == 0 && route.startsWith("/v1/kv/fz/a");
        return request(
                "odd query",
                write ? "PUT" : "GET",
                route + query,
                write ? "fz".getBytes(UTF_8) : new byte[0],
                "");
    }

    private Input oddMethod() {
        String method = pick(METHODS);
        boolean body = random.nextBoolean();
        return request(
                "odd method", method, pick(ROUTES), body ? "{}".getBytes(UTF_8) : new byte[0], "");
    }

    private Input oddPath() {
        String path =
                switch (random.nextInt(12)) {
                    case 0 -> "/v1/kv/fz/" + "a/".repeat(random.nextInt(3_000));
                    case 1 -> "/v1//catalog///nodes";
                    case 2 -> "/v1/../v1/./catalog/nodes/..";
                    case 3 -> "/v1/catalog/service/" + pick(VALUES);
                    case 4 -> "/v1/kv/fz%2f..%2f" + pick(VALUES);
                    case 5 -> "http://example.com/v1/catalog/nodes";
                    case 6 -> "*";
                    case 7 -> "v1/catalog/nodes";
                    case 8 -> "/" + randomText(random.nextInt(200));
                    case 9 -> "/v1/" + randomText(random.nextInt(40));
                    case 10 ->
                            "/v1/agent/check/"
                                    + pick("pass", "warn", "fail", "update", "deregister")
                                    + "/"
                                    + pick(VALUES);
                    default ->
                            "/v1/agent/service/"
                                    + pick("deregister", "maintenance")
                                    + "/"
                                    + pick(VALUES);
                };
        return request("odd path", pick("GET", "PUT", "PUT"), path, new byte[0], "");
    }

    private Input oddHeaders() {
        String headers =
                switch (random.nextInt(14)) {
                    case 0 -> "X-Long: " + "a".repeat(pick(8_000, 16_300, 17_000, 70_000)) + "\r\n";
                    case 1 -> "X-Many: 1\r\n".repeat(pick(100, 1_000, 5_000));
                    case 2 -> "Bad Name: 1\r\n";
                    case 3 -> "NoColon\r\n";
                    case 4 -> ": empty\r\n";
                    case 5 -> " folded: 1\r\n";
                    case 6 -> "Content-Encoding: gzip\r\n";
                    case 7 -> "X-Consul-Token: \u0000\u0001\r\n";
                    case 8 -> "X-Consul-Token: " + "t".repeat(5_000) + "\r\n";
                    case 9 -> "Accept-Encoding: gzip;q=x, , *;q=5, br\r\n";
                    case 10 -> "Origin: http://evil.example\r\nSec-Fetch-Site: cross-site\r\n";
                    case 11 -> "Cache-Control: max-age=" + pick(VALUES) + "\r\n";
                    case 12 -> "Expect: " + pick("100-continue", "200-ok") + "\r\n";
                    default ->
                            "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nConnection: Upgrade, HTTP2-Settings\r\n";
                };
        boolean put = random.nextInt(3) == 0;
        return request(
                "odd headers",
                put ? "PUT" : "GET",
                put ? "/v1/kv/fz/h" : pick(ROUTES),
                put ? "fz".getBytes(UTF_8) : new byte[0],
                headers);
    }

    private Input oversizeBody() {
        return switch (random.nextInt(3)) {
            case 0 ->
                    request(
                            "oversize body",
                            "PUT",
                            "/v1/kv/fz/big",
                            new byte[pick(524_288, 524_289, 1_000_000, 3_000_000)],
                            "");
            case 1 ->
                    request(
                            "oversize body",
                            "PUT",
                            pick("/v1/agent/service/register", "/v1/catalog/register"),
                            ("{\"Name\":\"fz\",\"Node\":\"fz\",\"Address\":\""
                                            + "1".repeat(pick(200_000, 2_097_152, 3_000_000))
                                            + "\"}")
                                    .getBytes(UTF_8),
                            "");
            default -> {
                byte[] chunk = ("10000\r\n" + "x".repeat(65_536) + "\r\n").getBytes(UTF_8);
                var body = new ByteArrayOutputStream();
                for (int i = 0; i < 40; i++) {
                    body.writeBytes(chunk);
                }
                yield framed(
                        "oversize chunks",
                        "PUT /v1/kv/fz/big HTTP/1.1\r\nTransfer-Encoding: chunked\r\n",
                        body.toByteArray(),
                        true,
                        false);
            }
        };
    }

    private Input brokenFraming() {
        String line = "PUT /v1/kv/fz/f HTTP/1.1\r\n";
        byte[] some = "some".getBytes(UTF_8);
        return switch (random.nextInt(12)) {
            case 0 -> framed("broken framing", line + "Content-Length: 99\r\n", some, true, false);
            case 1 -> framed("broken framing", line + "Content-Length: -1\r\n", some, true, false);
            case 2 ->
                    framed(
                            "broken framing",
                            line + "Content-Length: 4\r\nContent-Length: 5\r\n",
                            some,
                            true,
                            false);
            case 3 ->
                    framed(
                            "broken framing",
                            line + "Content-Length: 99999999999999999999\r\n",
                            some,
                            true,
                            false);
            case 4 ->
                    framed(
                            "broken framing",
                            line + "Content-Length: 10000000000\r\n",
                            some,
                            true,
                            false);
            case 5 ->
                    framed(
                            "broken framing",
                            line + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
                            "4\r\nsome\r\n0\r\n\r\n".getBytes(UTF_8),
                            true,
                            false);
            case 6 ->
                    framed(
                            "broken framing",
                            line + "Transfer-Encoding: chunked\r\n",
                            "zz\r\nsome".getBytes(UTF_8),
                            true,
                            false);
            case 7 ->
                    framed(
                            "broken framing",
                            line + "Transfer-Encoding: gzip, chunked\r\n",
                            "4\r\nsome\r\n0\r\n\r\n".getBytes(UTF_8),
                            true,
                            false);
            case 8 ->
                    framed(
                            "broken framing",
                            line + "Transfer-Encoding: chunked\r\n",
                            "fffffffffffffffff\r\n".getBytes(UTF_8),
                            true,
                            false);
            case 9 -> framed("broken framing", "PUT /v1/kv/fz/f HTTP/9.9\r\n", some, true, false);
            case 10 ->
                    new Input(
                            "two at once",
                            ("GET /v1/status/leader HTTP/1.1\r\nHost: x\r\n\r\n")
                                    .repeat(2)
                                    .getBytes(UTF_8),
                            true,
                            true);
            default ->
                    new Input(
                            "no Host",
                            "GET /v1/status/leader HTTP/1.1\r\nConnection: close\r\n\r\n"
                                    .getBytes(UTF_8),
                            false,
                            true);
        };
    }

    private Input garbage() {
        byte[] bytes;
        switch (random.nextInt(5)) {
            case 0 -> bytes = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(UTF_8);
            case 1 -> bytes = new byte[] {0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0};
            case 2 -> bytes = "GET /\r\n".getBytes(UTF_8);
            case 3 -> bytes = "\r\n".repeat(1 + random.nextInt(50)).getBytes(UTF_8);
            default -> {
                bytes = new byte[random.nextInt(3_000)];
                random.nextBytes(bytes);
            }
        }
        return new Input("garbage", bytes, true, false);
    }

    private Input request(String kind, String method, String path, byte[] body, String headers) {
        String length =
                body.length > 0 || method.equals("PUT")
                        ? "Content-Length: " + body.length + "\r\n"
                        : "";
        boolean wellFormed =
                kind.equals("wrong JSON")
                        || kind.equals("cut or flipped body")
                        || kind.equals("deep JSON")
                        || kind.equals("oversize body");
        return framed(
                kind,
                method + " " + path + " HTTP/1.1\r\n" + headers + length,
                body,
                false,
                wellFormed);
    }

    private static Input framed(
            String kind, String head, byte[] body, boolean endOfInput, boolean wellFormed) {
        var bytes = new ByteArrayOutputStream();
        bytes.writeBytes((head + "Host: localhost\r\nConnection: close\r\n\r\n").getBytes(UTF_8));
        bytes.writeBytes(body);
        return new Input(kind, bytes.toByteArray(), endOfInput, wellFormed);
    }

    private Seed seedWithJson() {
        while (true) {
            Seed seed = pick(seeds);
            if (seed.body().length > 1
                    && seed.method().equals("PUT")
                    && read(seed.body()) != null) {
                return seed;
            }
        }
    }

    private static JsonNode read(byte[] body) {
        try {
            return JSON.readTree(body);
        } catch (IOException notJson) {
            return null;
        }
    }

    private String randomText(int length) {
        var text = new StringBuilder();
        for (int i = 0; i < length; i++) {
            text.append((char) (33 + random.nextInt(94)));
        }
        return text.toString();
    }

    private String pick(String... from) {
        return from[random.nextInt(from.length)];
    }

    private int pick(int... from) {
        return from[random.nextInt(from.length)];
    }

    private <T> T pick(List<T> from) {
        return from.get(random.nextInt(from.size()));
    }
}
