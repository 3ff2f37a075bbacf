package registry.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import registry.api.client.RegistryClient;
import registry.api.client.RegistryClient.Answer;
import registry.api.json.Json;

/**
 * The agent that a command talks to, found as Consul's commands find theirs; failures read as
 * theirs. Source: consul-api 12.1.
 */
final class AgentConnection implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(11);

    private final RegistryClient client;
    private final Map<String, String> common;

    private AgentConnection(RegistryClient client, Map<String, String> common) {
        this.client = client;
        this.common = common;
    }

    /** The options that every command with a connection has. */
    static Flags addFlags(Flags flags) {
        return flags.text(
                        "http-addr",
                        "Address of the agent, also from CONSUL_HTTP_ADDR. Default is http://127.0.0.1:8500.")
                .text("token", "Token to send, also from CONSUL_HTTP_TOKEN.")
                .text(
                        "token-file",
                        "File with the token to send, also from CONSUL_HTTP_TOKEN_FILE.")
                .text("datacenter", "Datacenter to ask, the agent's own by default.")
                .onOff("stale", "Allows any server to answer, not only the leader.")
                .text("ca-file", "Not available in this version.")
                .text("ca-path", "Not available in this version.")
                .text("client-cert", "Not available in this version.")
                .text("client-key", "Not available in this version.")
                .text("tls-server-name", "Not available in this version.");
    }

    /**
     * Nothing is sent yet.
     *
     * @throws Failure when the options ask for what can't be done
     */
    static AgentConnection open(Flags flags, Terminal terminal) throws Failure {
        for (String flag :
                List.of("ca-file", "ca-path", "client-cert", "client-key", "tls-server-name")) {
            if (!flags.get(flag).isEmpty()) {
                throw new Failure(
                        "Error connecting to Consul agent: -%s is not available in this version"
                                .formatted(flag));
            }
        }
        for (String name :
                List.of(
                        "CONSUL_CACERT",
                        "CONSUL_CAPATH",
                        "CONSUL_CLIENT_CERT",
                        "CONSUL_CLIENT_KEY")) {
            if (!terminal.variable(name).isEmpty()) {
                throw new Failure(
                        "Error connecting to Consul agent: %s is not available in this version"
                                .formatted(name));
            }
        }
        if (terminal.variable("CONSUL_HTTP_SSL_VERIFY").equalsIgnoreCase("false")) {
            throw new Failure(
                    "Error connecting to Consul agent: CONSUL_HTTP_SSL_VERIFY=false is not available in this version");
        }
        var headers = new TreeMap<String, String>();
        String token = token(flags, terminal);
        if (!token.isEmpty()) {
            headers.put("X-Consul-Token", token);
        }
        String account = terminal.variable("CONSUL_HTTP_AUTH");
        if (!account.isEmpty()) {
            byte[] text =
                    (account.contains(":") ? account : account + ":")
                            .getBytes(StandardCharsets.UTF_8);
            headers.put("Authorization", "Basic " + Base64.getEncoder().encodeToString(text));
        }
        var common = new TreeMap<String, String>();
        if (!flags.get("datacenter").isEmpty()) {
            common.put("dc", flags.get("datacenter"));
        }
        if (flags.isOn("stale")) {
            common.put("stale", "");
        }
        return new AgentConnection(
                RegistryClient.shortLived(address(flags, terminal), headers), common);
    }

    private static String token(Flags flags, Terminal terminal) throws Failure {
        if (!flags.get("token").isEmpty()) {
            return flags.get("token");
        }
        String file = flags.get("token-file", terminal.variable("CONSUL_HTTP_TOKEN_FILE"));
        if (file.isEmpty()) {
            return terminal.variable("CONSUL_HTTP_TOKEN");
        }
        try {
            return Files.readString(Path.of(file)).strip();
        } catch (IOException e) {
            throw new Failure(
                    "Error connecting to Consul agent: error loading token file %s: %s"
                            .formatted(file, e.getMessage()));
        }
    }

    private static URI address(Flags flags, Terminal terminal) throws Failure {
        String variable = terminal.variable("CONSUL_HTTP_ADDR");
        String text = flags.get("http-addr", variable.isEmpty() ? "127.0.0.1:8500" : variable);
        String ssl = terminal.variable("CONSUL_HTTP_SSL").toLowerCase(Locale.ROOT);
        String scheme = ssl.equals("true") || ssl.equals("1") ? "https://" : "http://";
        if (text.startsWith("http://") || text.startsWith("https://")) {
            scheme = "";
        } else if (text.startsWith("tcp://")) {
            text = text.substring("tcp://".length());
        } else if (text.contains("://")) {
            throw new Failure(
                    "Error connecting to Consul agent: \"%s\": only http:// and https:// are available in this version"
                            .formatted(text));
        }
        while (text.endsWith("/")) {
            text = text.substring(0, text.length() - 1);
        }
        try {
            URI address = URI.create(scheme + text);
            if (address.getHost() == null) {
                throw new IllegalArgumentException("no host");
            }
            return address;
        } catch (IllegalArgumentException e) {
            throw new Failure(
                    "Error connecting to Consul agent: \"%s\" is no address of an agent"
                            .formatted(text));
        }
    }

    /** For what asks in its own way. */
    RegistryClient client() {
        return client;
    }

    URI agent() {
        return client.agent();
    }

    /**
     * Asks; whatever is answered but 200 is a failure.
     *
     * @param trouble what the failure's text begins with
     */
    Answer get(String trouble, String path, Query query) throws Failure, InterruptedException {
        return expectOk(trouble, send(trouble, "GET", path, query, new byte[0]));
    }

    /** Like {@link #get}, as JSON. */
    JsonNode getJson(String trouble, String path, Query query)
            throws Failure, InterruptedException {
        try {
            return Json.tree(get(trouble, path, query).body());
        } catch (UncheckedIOException e) {
            throw new Failure(trouble + ": " + e.getMessage());
        }
    }

    Answer put(String trouble, String path, Query query, byte[] body)
            throws Failure, InterruptedException {
        return expectOk(trouble, send(trouble, "PUT", path, query, body));
    }

    Answer delete(String trouble, String path, Query query) throws Failure, InterruptedException {
        return expectOk(trouble, send(trouble, "DELETE", path, query, new byte[0]));
    }

    /** Any answer is one; only its absence is a failure. */
    Answer send(String trouble, String method, String path, Query query, byte[] body)
            throws Failure, InterruptedException {
        return exchange(
                trouble,
                method,
                path,
                query,
                target -> client.send(method, target, body, PATIENCE));
    }

    /** Writes the body of the answer to {@code to}; whatever is answered but 200 is a failure. */
    Answer download(String trouble, String path, OutputStream to)
            throws Failure, InterruptedException {
        return expectOk(
                trouble,
                exchange(trouble, "GET", path, new Query(), target -> client.download(target, to)));
    }

    /** Writes a body as it comes, until the agent ends it. */
    Answer follow(String trouble, String path, Query query, OutputStream to)
            throws Failure, InterruptedException {
        return expectOk(
                trouble,
                exchange(trouble, "GET", path, query, target -> client.follow(target, to)));
    }

    /** Sends a file; whatever is answered but 200 is a failure. */
    Answer upload(String trouble, String path, Path file) throws Failure, InterruptedException {
        return expectOk(
                trouble,
                exchange(trouble, "PUT", path, new Query(), target -> client.upload(target, file)));
    }

    private interface Exchange {
        Answer over(String target) throws IOException, InterruptedException;
    }

    private Answer exchange(
            String trouble, String method, String path, Query query, Exchange exchange)
            throws Failure, InterruptedException {
        common.forEach(query::add);
        String target = path + query.encoded();
        try {
            return exchange.over(target);
        } catch (IOException e) {
            String verb = method.charAt(0) + method.substring(1).toLowerCase(Locale.ROOT);
            throw new Failure(
                    "%s: %s \"%s%s\": %s"
                            .formatted(
                                    trouble,
                                    verb,
                                    client.agent(),
                                    target,
                                    reason(e, client.agent())));
        }
    }

    /** The failure that an answer stands for. */
    static Answer expectOk(String trouble, Answer answer) throws Failure {
        if (answer.status() != 200) {
            throw new Failure(
                    "%s: Unexpected response code: %d (%s)"
                            .formatted(trouble, answer.status(), answer.text()));
        }
        return answer;
    }

    /** Why there is no answer, in the words of Go's net package. */
    static String reason(IOException trouble, URI agent) {
        String host = agent.getHost();
        int port =
                agent.getPort() >= 0
                        ? agent.getPort()
                        : agent.getScheme().equals("https") ? 443 : 80;
        String message = String.valueOf(trouble.getMessage());
        return switch (trouble) {
            case UnknownHostException e -> "dial tcp: lookup %s: no such host".formatted(host);
            case SocketTimeoutException e when message.startsWith("Connect") ->
                    "dial tcp %s:%d: i/o timeout".formatted(literal(host), port);
            case SocketTimeoutException e -> "context deadline exceeded";
            case ConnectException e ->
                    "dial tcp %s:%d: connect: connection refused".formatted(literal(host), port);
            default -> message.contains("end of file") ? "EOF" : message;
        };
    }

    private static String literal(String host) {
        try {
            String address = InetAddress.getByName(host).getHostAddress();
            return address.contains(":") ? "[" + address + "]" : address;
        } catch (UnknownHostException e) {
            return host;
        }
    }

    @Override
    public void close() {
        client.close();
    }
}
