package registry.agent.check;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HttpCheckTest {
    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

    private HttpServer server;
    private String base;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(LOOPBACK, 0), 0);
        base = "http://127.0.0.1:" + server.getAddress().getPort();
        server.createContext(
                "/status/",
                exchange ->
                        answer(
                                exchange,
                                Integer.parseInt(exchange.getRequestURI().getPath().substring(8)),
                                "hello"));
        server.createContext(
                "/echo",
                exchange -> {
                    String body =
                            new String(
                                    exchange.getRequestBody().readAllBytes(),
                                    StandardCharsets.UTF_8);
                    answer(
                            exchange,
                            200,
                            exchange.getRequestMethod()
                                    + " "
                                    + exchange.getRequestURI()
                                    + " "
                                    + exchange.getRequestHeaders().getFirst("Host")
                                    + " "
                                    + exchange.getRequestHeaders().get("X")
                                    + " "
                                    + exchange.getRequestHeaders().getFirst("Connection")
                                    + " "
                                    + exchange.getRequestHeaders().getFirst("User-agent")
                                    + " "
                                    + body);
                });
        server.createContext(
                "/to/",
                exchange -> {
                    int left = Integer.parseInt(exchange.getRequestURI().getPath().substring(4));
                    exchange.getResponseHeaders()
                            .add("Location", left == 0 ? "/echo" : "/to/" + (left - 1));
                    answer(exchange, exchange.getRequestURI().getQuery() == null ? 302 : 307, "");
                });
        server.createContext("/long", exchange -> answer(exchange, 200, "a".repeat(5000) + "z"));
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private static void answer(HttpExchange exchange, int code, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        boolean none = code == 204 || bytes.length == 0;
        exchange.sendResponseHeaders(code, none ? -1 : bytes.length);
        if (!none) {
            exchange.getResponseBody().write(bytes);
        }
        exchange.close();
    }

    @ParameterizedTest
    @CsvSource({
        "200,passing",
        "204,passing",
        "301,critical",
        "404,critical",
        "429,warning",
        "500,critical"
    })
    void statusIsTheResult(int code, String status) throws Exception {
        assertThat(get(base + "/status/" + code).status()).isEqualTo(status);
    }

    @Test
    void outputNamesStatusAndBody() throws Exception {
        String url = base + "/status/200";

        assertThat(get(url).output()).isEqualTo("HTTP GET " + url + ": 200 OK Output: hello");
    }

    @Test
    void methodHeadersHostAndBodyAreSentAsDefined() throws Exception {
        var check =
                check(
                        base + "/echo?a=b",
                        "POST",
                        Map.of(
                                "X",
                                List.of("y", "z"),
                                "host",
                                List.of("web.example"),
                                "Connection",
                                List.of("keep-alive")),
                        "q");

        assertThat(check.run().output())
                .endsWith("Output: POST /echo?a=b web.example [y, z] close Consul Health Check q");
    }

    @Test
    void redirectsAreFollowedTenTimes() throws Exception {
        assertThat(get(base + "/to/9").status()).isEqualTo("passing");

        CheckResult tooMany = get(base + "/to/10");
        assertThat(tooMany.status()).isEqualTo("critical");
        assertThat(tooMany.output()).endsWith("stopped after 10 redirects");
    }

    @Test
    void redirectOfAPostBecomesAGetUnlessToldOtherwise() throws Exception {
        assertThat(check(base + "/to/0", "POST", Map.of(), "q").run().output())
                .contains("Output: GET /echo")
                .doesNotEndWith("q");
        assertThat(check(base + "/to/0?same", "POST", Map.of(), "q").run().output())
                .contains("Output: POST /echo")
                .endsWith("q");
    }

    @Test
    void redirectToAnotherKindOfUrlIsCritical() throws Exception {
        server.createContext(
                "/file",
                exchange -> {
                    exchange.getResponseHeaders().add("Location", "file:///etc/passwd");
                    answer(exchange, 302, "");
                });

        assertThat(get(base + "/file"))
                .isEqualTo(
                        CheckResult.critical(
                                "Get \"" + base + "/file\": unsupported protocol scheme \"file\""));
    }

    @Test
    void tailOfALongBodyIsKept() throws Exception {
        var check =
                new HttpCheck(base + "/long", "", Map.of(), "", false, Duration.ofSeconds(5), 10);

        assertThat(check.run().output()).endsWith("200 OK Output: aaaaaaaaaz");
    }

    @Test
    void nobodyListeningIsCritical() throws Exception {
        int port = freePort();
        String url = "http://127.0.0.1:" + port + "/";

        assertThat(get(url))
                .isEqualTo(
                        CheckResult.critical(
                                "Get \""
                                        + url
                                        + "\": dial tcp 127.0.0.1:"
                                        + port
                                        + ": connect: connection refused"));
    }

    @Test
    void serverThatSaysNothingTimesOut() throws Exception {
        try (var silent = new ServerSocket(0, 10, LOOPBACK)) {
            String url = "http://127.0.0.1:" + silent.getLocalPort() + "/";

            CheckResult result =
                    new HttpCheck(url, "", Map.of(), "", false, Duration.ofMillis(300), 4096).run();

            assertThat(result)
                    .isEqualTo(
                            CheckResult.critical(
                                    "Get \""
                                            + url
                                            + "\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)"));
        }
    }

    @Test
    void serverThatDripsForEverTimesOut() throws Exception {
        try (var drip = new ServerSocket(0, 10, LOOPBACK)) {
            Thread.ofVirtual().start(() -> drip(drip));
            long begun = System.nanoTime();

            CheckResult result =
                    new HttpCheck(
                                    "http://127.0.0.1:" + drip.getLocalPort() + "/",
                                    "",
                                    Map.of(),
                                    "",
                                    false,
                                    Duration.ofMillis(500),
                                    4096)
                            .run();

            assertThat(result.status()).isEqualTo("critical");
            assertThat(Duration.ofNanos(System.nanoTime() - begun))
                    .isLessThan(Duration.ofSeconds(3));
        }
    }

    private static void drip(ServerSocket server) {
        try (Socket socket = server.accept();
                OutputStream out = socket.getOutputStream()) {
            for (byte b : "HTTP/1.1 200 OK\r\n\r\n".getBytes(StandardCharsets.US_ASCII)) {
                out.write(b);
            }
            while (!socket.isClosed()) {
                out.write('x');
                java.util.concurrent.locks.LockSupport.parkNanos(20_000_000);
            }
        } catch (IOException e) {
            assertThat(e).isNotNull();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n3\\r\\nabc\\r\\n2;x=y\\r\\nde\\r\\n0\\r\\n\\r\\n | 200 OK Output: abcde",
                "HTTP/1.1 100 Continue\\r\\n\\r\\nHTTP/1.1 200 Fine\\r\\nContent-Length: 2\\r\\n\\r\\nok and more | 200 Fine Output: ok",
                "HTTP/1.0 200 OK\\r\\n\\r\\nuntil the end | 200 OK Output: until the end",
                "SSH-2.0-OpenSSH | EOF",
                "SMTP hello\\r\\n | malformed HTTP response \"SMTP hello\"",
                "HTTP/1.1 200 OK\\r\\nContent-Length: 9\\r\\n\\r\\nshort | unexpected EOF",
                "HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nnope\\r\\n | bad length \"nope\" in response",
            })
    void answersOfAllSortsAreUnderstood(String answer, String end) throws Exception {
        try (var raw = new ServerSocket(0, 10, LOOPBACK)) {
            Thread.ofVirtual()
                    .start(() -> {
                        try (Socket socket = raw.accept()) {
                            assertThat(socket.getInputStream().read(new byte[4096])).isPositive();
                            socket.getOutputStream()
                                    .write(
                                            answer.replace("\\r", "\r")
                                                    .replace("\\n", "\n")
                                                    .getBytes(StandardCharsets.ISO_8859_1));
                        } catch (IOException e) {
                            throw new java.io.UncheckedIOException(e);
                        }
                    });

            assertThat(get("http://127.0.0.1:" + raw.getLocalPort() + "/").output()).endsWith(end);
        }
    }

    @Test
    void lineBreaksInAHeaderDoNotStartAnother() throws Exception {
        var check = check(base + "/echo", "GET", Map.of("X", List.of("a\r\nX: b")), "");

        assertThat(check.run().output()).contains("[a  X: b]");
    }

    @Test
    void unknownCertificateIsCriticalUnlessSkipped(@TempDir Path dir) throws Exception {
        HttpsServer tls = HttpsServer.create(new InetSocketAddress(LOOPBACK, 0), 0);
        tls.setHttpsConfigurator(new HttpsConfigurator(selfSigned(dir)));
        tls.createContext("/", exchange -> answer(exchange, 200, "secret"));
        tls.start();
        try {
            String url = "https://127.0.0.1:" + tls.getAddress().getPort() + "/";

            assertThat(get(url).status()).isEqualTo("critical");
            assertThat(
                            new HttpCheck(url, "", Map.of(), "", true, Duration.ofSeconds(5), 4096)
                                    .run())
                    .isEqualTo(CheckResult.passing("HTTP GET " + url + ": 200 OK Output: secret"));
        } finally {
            tls.stop(0);
        }
    }

    private static SSLContext selfSigned(Path dir) throws Exception {
        Path store = dir.resolve("store.p12");
        Process keytool =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "keytool")
                                        .toString(),
                                "-genkeypair",
                                "-keyalg",
                                "EC",
                                "-dname",
                                "CN=test",
                                "-storepass",
                                "changeit",
                                "-keystore",
                                store.toString())
                        .redirectErrorStream(true)
                        .start();
        assertThat(keytool.waitFor())
                .as(new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .isZero();
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (var in = Files.newInputStream(store)) {
            keys.load(in, "changeit".toCharArray());
        }
        KeyManagerFactory managers =
                KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(keys, "changeit".toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        return context;
    }

    private static CheckResult get(String url) throws InterruptedException {
        return check(url, "", Map.of(), "").run();
    }

    private static HttpCheck check(
            String url, String method, Map<String, List<String>> header, String body) {
        return new HttpCheck(url, method, header, body, false, Duration.ofSeconds(5), 4096);
    }

    static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, LOOPBACK)) {
            return socket.getLocalPort();
        }
    }
}
