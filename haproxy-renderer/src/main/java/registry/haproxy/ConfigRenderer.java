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
import org.jspecify.annotations.Nullable;
import registry.haproxy.RendererConfig.BindTls;
import registry.haproxy.RendererConfig.CheckConfig;
import registry.haproxy.RendererConfig.CheckType;
import registry.haproxy.RendererConfig.FrontendConfig;
import registry.haproxy.RendererConfig.HaproxyConfig;
import registry.haproxy.RendererConfig.Mode;
import registry.haproxy.RendererConfig.ServerTls;
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
        Template template = config.haproxy().template();
        if (template != null) {
            return out + template.render((word, key) -> lines(word, key, version, slots));
        }
        out.append("\nglobal\n");
        global(out, version);
        out.append("\ndefaults\n");
        defaults(out);
        frontends(out);
        for (ServiceConfig service : config.services()) {
            backend(out, service, slots.getOrDefault(service.key(), List.of()));
        }
        return out.toString();
    }

    /** What stands for a directive of a template. */
    private String lines(
            String word,
            @Nullable String key,
            long version,
            Map<String, List<Optional<Member>>> slots) {
        var out = new StringBuilder();
        switch (word) {
            case "global" -> global(out, version);
            case "defaults" -> defaults(out);
            case "frontends" -> frontends(out);
            default -> {
                for (ServiceConfig service : config.services()) {
                    if (service.key().equals(key)) {
                        List<Optional<Member>> servers = slots.getOrDefault(key, List.of());
                        if (word.equals("backend")) {
                            backend(out, service, servers);
                        } else {
                            servers(out, service, servers);
                        }
                    }
                }
            }
        }
        return out.toString();
    }

    private void frontends(StringBuilder out) {
        config.frontends().forEach(shared -> shared(out, shared));
        config.services().stream()
                .filter(service -> !service.bind().isEmpty())
                .forEach(service -> frontend(out, service));
    }

    private void global(StringBuilder out, long version) {
        HaproxyConfig haproxy = config.haproxy();
        line(out, "maxconn " + haproxy.maxConnections());
        line(out, "stats socket " + haproxy.socket() + " mode 600 level admin expose-fd listeners");
        line(out, "stats timeout 30s");
        line(out, "server-state-file " + haproxy.stateFile());
        line(out, "set-var proc.cfgver int(" + version + ")");
        haproxy.global().forEach(raw -> line(out, raw));
    }

    private void defaults(StringBuilder out) {
        HaproxyConfig haproxy = config.haproxy();
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

    /**
     * Looks for the longest prefix of the path under the host itself, then under its domain, then
     * under any host.
     */
    private void shared(StringBuilder out, FrontendConfig shared) {
        String lookUp = ",concat(,txn.route_path,/),map_beg(" + config.mapFile(shared.key()) + ")";
        String unless = " unless { var(txn.route) -m found }";
        out.append("\nfrontend ").append(shared.key()).append('\n');
        line(out, "mode http");
        shared.bind().forEach(bind -> line(out, "bind " + bind + tls(shared.tls())));
        shared.lines().forEach(raw -> line(out, raw));
        line(out, "http-request set-var(txn.route_host) req.hdr(host),host_only,lower");
        line(out, "http-request set-var(txn.route_path) path");
        line(out, "http-request set-var(txn.route) var(txn.route_host)" + lookUp);
        String domain = "var(txn.route_host),regsub(^[^.]*,*)";
        line(out, "http-request set-var(txn.route) " + domain + lookUp + unless);
        line(out, "http-request set-var(txn.route) str(*)" + lookUp + unless);
        if (shared.defaultService() == null) {
            line(
                    out,
                    "http-request return status 404 content-type text/plain string \"no route\\n\""
                            + unless);
        }
        line(out, "use_backend %[var(txn.route)] if { var(txn.route) -m found }");
        if (shared.defaultService() != null) {
            line(out, "default_backend " + shared.defaultService());
        }
    }

    private static String tls(@Nullable BindTls tls) {
        if (tls == null) {
            return "";
        }
        var text = new StringBuilder(" ssl crt ").append(tls.certificate());
        if (!tls.alpn().isEmpty()) {
            text.append(" alpn ").append(tls.alpn());
        }
        if (tls.clientCa() != null) {
            text.append(" ca-file ").append(tls.clientCa()).append(" verify required");
        }
        return text + (tls.options().isEmpty() ? "" : " " + tls.options());
    }

    private static void frontend(StringBuilder out, ServiceConfig service) {
        out.append("\nfrontend ").append(service.key()).append('\n');
        line(out, "mode " + (service.mode() == Mode.HTTP ? "http" : "tcp"));
        service.bind().forEach(bind -> line(out, "bind " + bind + tls(service.bindTls())));
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
        servers(out, service, slots);
    }

    private static void servers(
            StringBuilder out, ServiceConfig service, List<Optional<Member>> slots) {
        line(out, "default-server" + serverOptions(service));
        for (int number = 1; number <= slots.size(); number++) {
            Optional<Member> member = slots.get(number - 1);
            if (member.isPresent() || !service.dynamic()) {
                line(out, server(number, member));
            }
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

    /** All that holds for each server of the service alike, with a blank before each option. */
    static String serverOptions(ServiceConfig service) {
        return checkOptions(service.check()) + tls(service) + options(service);
    }

    private static String tls(ServiceConfig service) {
        ServerTls tls = service.serverTls();
        if (tls == null) {
            return "";
        }
        var text = new StringBuilder(" ssl");
        text.append(tls.verify() ? " verify required ca-file " + tls.ca() : " verify none");
        if (tls.name() != null) {
            text.append(" sni str(" + tls.name() + ")");
            text.append(tls.verify() ? " verifyhost " + tls.name() : "");
            if (service.check().type() != CheckType.NONE) {
                text.append(" check-sni ").append(tls.name());
            }
        }
        if (tls.certificate() != null) {
            text.append(" crt ").append(tls.certificate());
        }
        return text.toString();
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
