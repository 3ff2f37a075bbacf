package registry.haproxy;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import registry.haproxy.RendererConfig.BindTls;
import registry.haproxy.RendererConfig.CheckConfig;
import registry.haproxy.RendererConfig.CheckType;
import registry.haproxy.RendererConfig.FrontendConfig;
import registry.haproxy.RendererConfig.HaproxyConfig;
import registry.haproxy.RendererConfig.Mode;
import registry.haproxy.RendererConfig.OnEmpty;
import registry.haproxy.RendererConfig.Route;
import registry.haproxy.RendererConfig.Selection;
import registry.haproxy.RendererConfig.ServerTls;
import registry.haproxy.RendererConfig.ServiceConfig;

/**
 * Makes a {@link RendererConfig} of the input file. The forms here are what keeps HAProxy's grammar
 * out of the values.
 */
final class InputReader {
    private static final Pattern KEY = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,63}");
    private static final String KEY_FORM = "a word of letters, digits, \".\", \"_\" and \"-\"";
    private static final Pattern CONSUL_NAME = Pattern.compile("[^\\p{Cntrl}]{1,255}");
    private static final Pattern PATH = Pattern.compile("[A-Za-z0-9_./-]{1,90}");
    private static final Pattern BIND =
            Pattern.compile(
                    "((\\*|[0-9.]*|\\[[0-9a-fA-F:.]+\\]):\\d{1,5}(-\\d{1,5})?|/[A-Za-z0-9_./-]+)( [!-~ ]+)?");
    private static final Pattern LISTEN =
            Pattern.compile("([0-9.]+|\\[[0-9a-fA-F:.]+\\]):(\\d{1,5})");
    private static final Pattern LINE = Pattern.compile("[^\\p{Cntrl}]*");
    private static final Pattern URL_PATH = Pattern.compile("/[A-Za-z0-9._~!$&()*+,;=:@%/?-]*");
    private static final Pattern HOST = Pattern.compile("[A-Za-z0-9._:-]+");
    private static final Pattern ROUTE_HOST =
            Pattern.compile("\\*|(\\*\\.)?[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*");
    // Nothing that the socket's or the map file's grammar knows.
    private static final Pattern ROUTE_PATH = Pattern.compile("/[A-Za-z0-9._~!$&()*+,=:@%/-]*");
    private static final Pattern METHOD = Pattern.compile("[A-Z]{3,10}");
    private static final Pattern STATUSES = Pattern.compile("\\d{3}(-\\d{3})?(,\\d{3}(-\\d{3})?)*");
    private static final Pattern BALANCE =
            Pattern.compile(
                    "(roundrobin|leastconn|random|first|source|static-rr|uri)( [A-Za-z0-9() _.-]+)?");
    private static final Pattern STATIC_BALANCE = Pattern.compile("(static-rr|source|uri)( .*)?");
    private static final String SYSTEM_CA = "@system-ca";
    // Set by the companion itself; "enabled" is a trap of HAProxy 2.6 besides.
    private static final Pattern RESERVED_OPTION =
            Pattern.compile(
                    "(?:.* )?(id|weight|disabled|enabled|inter|fastinter|fall|rise)(?: .*)?");

    private final Path file;
    private final List<String> problems = new ArrayList<>();

    private InputReader(Path file) {
        this.file = file;
    }

    /**
     * @throws InputException naming every mistake
     */
    static RendererConfig read(Path file) {
        try {
            return parse(file, Files.readString(file, StandardCharsets.UTF_8));
        } catch (NoSuchFileException e) {
            throw new InputException(file + ": there is no such file");
        } catch (IOException e) {
            throw new InputException(file + ": cannot be read: " + e);
        }
    }

    static RendererConfig parse(Path file, String text) {
        if (!(Source.parse(file, text) instanceof Source.Mapping mapping)) {
            throw new InputException(
                    file + ":1: expected a mapping with the keys services, haproxy, agents");
        }
        var reader = new InputReader(file);
        RendererConfig config = reader.root(new Section(file, "", mapping, reader.problems));
        if (!reader.problems.isEmpty()) {
            throw new InputException(reader.problems);
        }
        return config;
    }

    private RendererConfig root(Section root) {
        List<URI> agents = root.uris("agents", List.of(URI.create("http://127.0.0.1:8500")));
        @Nullable String token = root.optionalText("token", Pattern.compile("[!-~]+"), "a token");
        Duration wait = root.duration("wait", Duration.ofSeconds(30), Duration.ofSeconds(1));
        Path dataDir = path(root, "data_dir", "/var/lib/registry-haproxy");
        boolean resolve = root.flag("resolve_names", false);
        @Nullable InetSocketAddress listen = listen(root);
        HaproxyConfig haproxy = haproxy(root.section("haproxy"), dataDir);
        Section shared = root.section("frontends");
        List<FrontendConfig> frontends =
                shared.each(KEY, KEY_FORM, key -> section -> frontend(key, section));
        Section services = root.section("services");
        List<ServiceConfig> list =
                services.each(KEY, KEY_FORM, key -> section -> service(key, section));
        if (list.isEmpty() && problems.isEmpty()) {
            root.problem("services", "expected at least one service");
        }
        refuseSameBind(shared, services, frontends, list);
        refuseLostRoutes(shared, services, frontends, list);
        if (haproxy.template() != null) {
            refuseLostServices(services, haproxy.template(), list);
        }
        root.end();
        return new RendererConfig(
                file, agents, token, wait, dataDir, resolve, listen, haproxy, frontends, list);
    }

    private @Nullable InetSocketAddress listen(Section root) {
        String text =
                root.text("listen", "", LISTEN, "an address and port like \"127.0.0.1:9199\"");
        Matcher parts = LISTEN.matcher(text);
        if (!parts.matches()) {
            return null;
        }
        var address = Endpoint.parseAddress(parts.group(1).replaceAll("[\\[\\]]", ""));
        int port = Integer.parseInt(parts.group(2));
        if (address.isEmpty() || port > 65535) {
            root.problem("listen", Printable.quoted(text) + " is not an address and port");
            return null;
        }
        return new InetSocketAddress(address.get(), port);
    }

    private FrontendConfig frontend(String key, Section section) {
        List<String> bind = binds(section);
        if (bind.isEmpty()) {
            section.problem("bind", "missing: where HAProxy listens, as in \":80\"");
        }
        return new FrontendConfig(
                key,
                bind,
                bindTls(section, Mode.HTTP),
                section.optionalText("default", KEY, "the key of a service"),
                section.texts("frontend", LINE, "one line"));
    }

    private static List<String> binds(Section section) {
        return section.texts("bind", BIND, "an address like \"127.0.0.1:9000\" or \":80\"");
    }

    private @Nullable BindTls bindTls(Section section, Mode mode) {
        if (!section.has("tls")) {
            return null;
        }
        Section tls = section.section("tls");
        if (!tls.has("certificate")) {
            tls.problem("certificate", "missing: a PEM file with certificate and key, or a folder");
        }
        var made =
                new BindTls(
                        path(tls, "certificate", "/").toString(),
                        tls.has("client_ca") ? path(tls, "client_ca", "/").toString() : null,
                        tls.text(
                                "alpn",
                                mode == Mode.HTTP ? "h2,http/1.1" : "",
                                Pattern.compile("[a-z0-9./,-]*"),
                                "a list of protocols like \"h2,http/1.1\""),
                        tls.text("options", "ssl-min-ver TLSv1.2", LINE, "one line"));
        tls.end();
        return made;
    }

    private @Nullable ServerTls serverTls(Section section) {
        if (!section.has("server_tls")) {
            return null;
        }
        Section tls = section.section("server_tls");
        var made =
                new ServerTls(
                        tls.choice("verify", Map.of("required", true, "none", false), true),
                        !tls.has("ca") || tls.text("ca", "", LINE, "a path").equals(SYSTEM_CA)
                                ? SYSTEM_CA
                                : path(tls, "ca", "/").toString(),
                        tls.optionalText("name", HOST, "a host name"),
                        tls.has("certificate") ? path(tls, "certificate", "/").toString() : null);
        tls.end();
        return made;
    }

    private @Nullable Route route(Section section, Mode mode) {
        if (!section.has("route")) {
            return null;
        }
        Section route = section.section("route");
        if (mode != Mode.HTTP) {
            section.problem("route", "only a service with mode http has one");
        }
        if (!route.has("frontend")) {
            route.problem("frontend", "missing: the key of an entrance under frontends");
        }
        List<String> hosts =
                route.texts(
                        "hosts", ROUTE_HOST, "a host like \"a.example.org\" or \"*.example.org\"");
        List<String> paths = route.texts("paths", ROUTE_PATH, "a path like \"/shop\"");
        var made =
                new Route(
                        route.text("frontend", "", KEY, KEY_FORM),
                        hosts.isEmpty()
                                ? List.of("*")
                                : hosts.stream().map(h -> h.toLowerCase(Locale.ROOT)).toList(),
                        paths.isEmpty() ? List.of("/") : paths);
        route.end();
        return made;
    }

    private HaproxyConfig haproxy(Section section, Path dataDir) {
        Section timeouts = section.section("timeout");
        var haproxy =
                new HaproxyConfig(
                        path(section, "config", "/etc/haproxy/haproxy.cfg"),
                        path(section, "socket", "/run/haproxy/admin.sock"),
                        section.has("master_socket") ? path(section, "master_socket", "/") : null,
                        path(section, "state_file", dataDir.resolve("server-state").toString()),
                        section.text("binary", "haproxy", PATH, "a path"),
                        template(section),
                        section.number("max_connections", 4096, 10, 1_000_000),
                        timeouts.duration("connect", Duration.ofMillis(500), Duration.ofMillis(1)),
                        timeouts.duration("client", Duration.ofSeconds(50), Duration.ofMillis(1)),
                        timeouts.duration("server", Duration.ofSeconds(50), Duration.ofMillis(1)),
                        section.texts("global", LINE, "one line"),
                        section.texts("defaults", LINE, "one line"));
        timeouts.end();
        section.end();
        return haproxy;
    }

    private @Nullable Template template(Section section) {
        if (!section.has("template")) {
            return null;
        }
        Path from = path(section, "template", "/");
        try {
            return Template.of(from.toString(), Files.readString(from), System.getenv());
        } catch (InputException e) {
            String.valueOf(e.getMessage()).lines().forEach(problems::add);
        } catch (IOException e) {
            section.problem("template", "cannot be read: " + e);
        }
        return null;
    }

    /** Relative paths are counted from the input file, as its readers would. */
    private Path path(Section section, String key, String defaultValue) {
        String text =
                section.text(
                        key,
                        defaultValue,
                        PATH,
                        "a path of letters, digits and \"_./-\" with at most 90 characters");
        Path base = Objects.requireNonNullElse(file.toAbsolutePath().getParent(), Path.of("/"));
        return base.resolve(text).normalize();
    }

    private ServiceConfig service(String key, Section section) {
        Mode mode = section.choice("mode", Map.of("http", Mode.HTTP, "tcp", Mode.TCP), Mode.HTTP);
        List<String> bind = binds(section);
        @Nullable Route route = route(section, mode);
        if (bind.isEmpty() && !section.has("bind") && route == null) {
            section.problem(
                    "bind",
                    "missing: where HAProxy listens for this service, as in \"127.0.0.1:9000\"; or a route");
        }
        String options = section.text("server_options", "", LINE, "one line");
        if (RESERVED_OPTION.matcher(options).matches()) {
            section.problem(
                    "server_options",
                    "id, weight, disabled, enabled and the check intervals are set elsewhere");
        }
        String balance =
                section.text("balance", "roundrobin", BALANCE, "a balance algorithm of HAProxy");
        boolean dynamic = section.choice("servers", Map.of("slots", false, "dynamic", true), false);
        List<String> backend = section.texts("backend", LINE, "one line");
        if (dynamic
                && STATIC_BALANCE.matcher(balance).matches()
                && (balance.equals("static-rr")
                        || backend.stream().noneMatch(l -> l.matches("hash-type +consistent.*")))) {
            section.problem(
                    "servers",
                    "dynamic servers need a dynamic balance: roundrobin, leastconn, first, random, or a hash with the backend line \"hash-type consistent\"");
        }
        return new ServiceConfig(
                key,
                selection(key, section),
                mode,
                bind,
                bindTls(section, mode),
                route,
                balance,
                dynamic,
                section.number("slots", 0, 1, 4096),
                check(mode, section.section("check")),
                serverTls(section),
                options,
                section.choice("health", Map.of("passing", false, "warning", true), false),
                section.choice("weights", Map.of("registration", true, "equal", false), true),
                onEmpty(section),
                section.duration("drain", Duration.ofSeconds(30), Duration.ZERO),
                section.texts("frontend", LINE, "one line"),
                backend);
    }

    private static Selection selection(String key, Section section) {
        return new Selection(
                section.text("service", key, CONSUL_NAME, "a service name"),
                section.texts("tags", CONSUL_NAME, "a tag"),
                section.textMap("node_meta", CONSUL_NAME, "a text"),
                section.textMap("meta", CONSUL_NAME, "a text"),
                section.optionalText("datacenter", KEY, KEY_FORM));
    }

    private CheckConfig check(Mode mode, Section section) {
        CheckType type =
                section.choice(
                        "type",
                        Map.of(
                                "http",
                                CheckType.HTTP,
                                "tcp",
                                CheckType.TCP,
                                "none",
                                CheckType.NONE),
                        mode == Mode.HTTP ? CheckType.HTTP : CheckType.TCP);
        // Nobody said which page tells: any answer but a server error shows that the instance
        // lives.
        String expect = section.has("path") ? "200-399" : "200-499";
        var check =
                new CheckConfig(
                        type,
                        section.text("method", "GET", METHOD, "a method"),
                        section.text("path", "/", URL_PATH, "a path of a URL"),
                        section.optionalText("host", HOST, "a host name"),
                        section.text(
                                "expect",
                                expect,
                                STATUSES,
                                "a list of status codes like \"200-399\""),
                        section.duration("interval", Duration.ofMillis(500), Duration.ofMillis(10)),
                        section.duration(
                                "fast_interval", Duration.ofMillis(200), Duration.ofMillis(10)),
                        section.duration("timeout", Duration.ofMillis(500), Duration.ofMillis(10)),
                        section.number("fall", 2, 1, 100),
                        section.number("rise", 1, 1, 100));
        section.end();
        return check;
    }

    private OnEmpty onEmpty(Section section) {
        if (section.mappingAt("on_empty").isEmpty()) {
            return section.choice(
                    "on_empty",
                    Map.of("keep", new OnEmpty.Keep(), "drop", new OnEmpty.Drop()),
                    new OnEmpty.Keep());
        }
        Section policy = section.section("on_empty");
        if (!policy.has("after")) {
            policy.problem("after", "missing: expected keep, drop or {after: 30s}");
        }
        Duration delay = policy.duration("after", Duration.ofSeconds(30), Duration.ZERO);
        policy.end();
        return new OnEmpty.After(delay);
    }

    private static void refuseSameBind(
            Section shared,
            Section services,
            List<FrontendConfig> frontends,
            List<ServiceConfig> list) {
        Map<String, String> owners = new HashMap<>();
        for (FrontendConfig frontend : frontends) {
            own(owners, shared, frontend.key(), frontend.bind());
        }
        for (ServiceConfig service : list) {
            own(owners, services, service.key(), service.bind());
        }
    }

    private static void refuseLostServices(
            Section services, Template template, List<ServiceConfig> list) {
        Set<String> keys = new TreeSet<>(template.keys());
        for (ServiceConfig service : list) {
            if (!keys.remove(service.key())) {
                services.problem(
                        service.key(),
                        "the template has neither @backend nor @servers for this service");
            }
        }
        keys.forEach(key ->
                services.problem(
                        Printable.of(key), "the template names this service, and there is none"));
    }

    private static void own(
            Map<String, String> owners, Section section, String key, List<String> binds) {
        for (String bind : binds) {
            String owner = owners.putIfAbsent(bind, key);
            if (owner != null) {
                section.problem(
                        key,
                        "bind " + Printable.quoted(bind) + " is that of \"" + owner + "\" already");
            }
        }
    }

    /** What would be no mistake to HAProxy, but never be reached. */
    private static void refuseLostRoutes(
            Section shared,
            Section services,
            List<FrontendConfig> frontends,
            List<ServiceConfig> list) {
        Set<String> entrances = new TreeSet<>();
        frontends.forEach(frontend -> entrances.add(frontend.key()));
        Set<String> http = new HashSet<>();
        Map<String, String> owners = new HashMap<>();
        for (ServiceConfig service : list) {
            if (service.mode() == Mode.HTTP) {
                http.add(service.key());
            }
            if (!service.bind().isEmpty() && entrances.contains(service.key())) {
                services.problem(
                        service.key(), "has a bind, and the name of a frontend: one has to go");
            }
            Route route = service.route();
            if (route == null) {
                continue;
            }
            if (!entrances.contains(route.frontend())) {
                services.problem(
                        service.key(),
                        "route.frontend \"" + route.frontend() + "\" is not under frontends");
            }
            for (String key : RouteMaps.keys(route)) {
                String owner = owners.putIfAbsent(route.frontend() + " " + key, service.key());
                if (owner != null && !owner.equals(service.key())) {
                    services.problem(
                            service.key(),
                            "route " + key + " is that of \"" + owner + "\" already");
                }
            }
        }
        for (FrontendConfig frontend : frontends) {
            if (frontend.defaultService() != null && !http.contains(frontend.defaultService())) {
                shared.problem(
                        frontend.key(),
                        "default \""
                                + frontend.defaultService()
                                + "\" is not a service with mode http");
            }
        }
    }
}
