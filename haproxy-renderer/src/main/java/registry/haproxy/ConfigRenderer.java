package registry.haproxy;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import registry.haproxy.RendererConfig.CheckConfig;
import registry.haproxy.RendererConfig.CheckType;
import registry.haproxy.RendererConfig.HaproxyConfig;
import registry.haproxy.RendererConfig.Mode;
import registry.haproxy.RendererConfig.ServiceConfig;

/**
 * Writes the complete haproxy.cfg. The servers in it are the present members, in the slots they
 * have in the running process, so that a restart of HAProxy alone is right from its first request.
 */
final class ConfigRenderer {
    /** How a file of ours begins. */
    static final String MARK = "# Written by registry-haproxy";

    private final RendererConfig config;

    ConfigRenderer(RendererConfig config) {
        this.config = config;
    }

    RendererConfig config() {
        return config;
    }

    /** The name of slot {@code number}, counted from 1. */
    static String slotName(int number) {
        return "srv" + number;
    }

    /**
     * Names the structure: everything but who is in the slots. Equal structures have equal
     * versions, in any run of the companion; positive and below 2^48.
     */
    long version(Map<String, Integer> slots) {
        Map<String, List<Optional<Member>>> empty = new LinkedHashMap<>();
        slots.forEach((key, count) -> empty.put(key, Collections.nCopies(count, Optional.empty())));
        byte[] text = render(0, empty).getBytes(StandardCharsets.UTF_8);
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text);
            long version = 0;
            for (int at = 0; at < 6; at++) {
                version = version << 8 | digest[at] & 0xff;
            }
            return Math.max(1, version);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The file, for slots by service key. */
    String render(long version, Map<String, List<Optional<Member>>> slots) {
        var out = new StringBuilder(4096);
        out.append(MARK + " from ").append(config.file().getFileName());
        out.append(": changes made here are overwritten.\n");
        global(out, version);
        defaults(out);
        for (ServiceConfig service : config.services()) {
            frontend(out, service);
            backend(out, service, slots.getOrDefault(service.key(), List.of()));
        }
        return out.toString();
    }

    private void global(StringBuilder out, long version) {
        HaproxyConfig haproxy = config.haproxy();
        out.append("\nglobal\n");
        line(out, "maxconn " + haproxy.maxConnections());
        line(out, "stats socket " + haproxy.socket() + " mode 600 level admin expose-fd listeners");
        line(out, "stats timeout 30s");
        line(out, "server-state-file " + haproxy.stateFile());
        line(out, "set-var proc.cfgver int(" + version + ")");
        haproxy.global().forEach(raw -> line(out, raw));
    }

    private void defaults(StringBuilder out) {
        HaproxyConfig haproxy = config.haproxy();
        out.append("\ndefaults\n");
        line(out, "timeout connect " + millis(haproxy.connectTimeout()));
        line(out, "timeout client " + millis(haproxy.clientTimeout()));
        line(out, "timeout server " + millis(haproxy.serverTimeout()));
        line(out, "timeout http-request 10s");
        line(out, "timeout queue 5s");
        line(out, "timeout http-keep-alive 10s");
        line(out, "option redispatch 1");
        line(out, "retries 3");
        line(out, "load-server-state-from-file global");
        haproxy.defaults().forEach(raw -> line(out, raw));
    }

    private static void frontend(StringBuilder out, ServiceConfig service) {
        out.append("\nfrontend ").append(service.key()).append('\n');
        line(out, "mode " + (service.mode() == Mode.HTTP ? "http" : "tcp"));
        service.bind().forEach(bind -> line(out, "bind " + bind));
        service.frontend().forEach(raw -> line(out, raw));
        line(out, "default_backend " + service.key());
    }

    private static void backend(
            StringBuilder out, ServiceConfig service, List<Optional<Member>> slots) {
        out.append("\nbackend ").append(service.key()).append('\n');
        line(out, "mode " + (service.mode() == Mode.HTTP ? "http" : "tcp"));
        line(out, "balance " + service.balance());
        CheckConfig check = service.check();
        if (service.mode() == Mode.HTTP) {
            line(out, "retry-on conn-failure empty-response response-timeout");
            // What is not idempotent must not be sent twice; a refused connection is still tried
            // elsewhere.
            line(out, "http-request disable-l7-retry if METH_POST or { method PATCH }");
        }
        if (check.type() == CheckType.HTTP) {
            String host = check.host() == null ? service.key() : check.host();
            line(out, "option httpchk");
            line(
                    out,
                    "http-check send meth "
                            + check.method()
                            + " uri '"
                            + check.path()
                            + "' ver HTTP/1.1 hdr Host "
                            + host);
            line(out, "http-check expect status " + check.expect());
        }
        if (check.type() != CheckType.NONE) {
            line(out, "timeout check " + millis(check.timeout()));
        }
        service.backend().forEach(raw -> line(out, raw));
        line(out, "default-server" + checkOptions(check) + options(service));
        for (int number = 1; number <= slots.size(); number++) {
            line(out, server(number, slots.get(number - 1)));
        }
    }

    private static String server(int number, Optional<Member> member) {
        String server = "server " + slotName(number) + " ";
        if (member.isEmpty()) {
            return server + Endpoint.UNUSED + " id " + number + " disabled";
        }
        // A server line knows no drain, but a server without weight takes nothing new either.
        int weight = member.get().draining() ? 0 : member.get().weight();
        return server + member.get().endpoint() + " id " + number + " weight " + weight;
    }

    private static String checkOptions(CheckConfig check) {
        if (check.type() == CheckType.NONE) {
            return "";
        }
        return " check inter "
                + millis(check.interval())
                + " fastinter "
                + millis(check.fastInterval())
                + " fall "
                + check.fall()
                + " rise "
                + check.rise();
    }

    private static String options(ServiceConfig service) {
        return service.serverOptions().isEmpty() ? "" : " " + service.serverOptions();
    }

    private static String millis(Duration duration) {
        return duration.toMillis() + "ms";
    }

    private static void line(StringBuilder out, String text) {
        if (text.chars().anyMatch(c -> c < ' ' || c == 127)) {
            throw new IllegalStateException(
                    "control character in a line of the configuration: " + Printable.quoted(text));
        }
        out.append("    ").append(text).append('\n');
    }
}
