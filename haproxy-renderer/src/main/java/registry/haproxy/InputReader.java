package registry.haproxy;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import registry.haproxy.RendererConfig.CheckConfig;
import registry.haproxy.RendererConfig.CheckType;
import registry.haproxy.RendererConfig.HaproxyConfig;
import registry.haproxy.RendererConfig.Mode;
import registry.haproxy.RendererConfig.OnEmpty;
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
    private static final Pattern LINE = Pattern.compile("[^\\p{Cntrl}]*");
    private static final Pattern URL_PATH = Pattern.compile("/[A-Za-z0-9._~!$&()*+,;=:@%/?-]*");
    private static final Pattern HOST = Pattern.compile("[A-Za-z0-9._:-]+");
    private static final Pattern METHOD = Pattern.compile("[A-Z]{3,10}");
    private static final Pattern STATUSES = Pattern.compile("\\d{3}(-\\d{3})?(,\\d{3}(-\\d{3})?)*");
    private static final Pattern BALANCE =
            Pattern.compile(
                    "(roundrobin|leastconn|random|first|source|static-rr|uri)( [A-Za-z0-9() _.-]+)?");
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
        HaproxyConfig haproxy = haproxy(root.section("haproxy"), dataDir);
        Section services = root.section("services");
        List<ServiceConfig> list =
                services.each(KEY, KEY_FORM, key -> section -> service(key, section));
        if (list.isEmpty() && problems.isEmpty()) {
            root.problem("services", "expected at least one service");
        }
        refuseSameBind(services, list);
        root.end();
        return new RendererConfig(file, agents, token, wait, dataDir, resolve, haproxy, list);
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
        List<String> bind =
                section.texts("bind", BIND, "an address like \"127.0.0.1:9000\" or \":80\"");
        if (bind.isEmpty() && !section.has("bind")) {
            section.problem(
                    "bind",
                    "missing: where HAProxy listens for this service, as in \"127.0.0.1:9000\"");
        }
        String options = section.text("server_options", "", LINE, "one line");
        if (RESERVED_OPTION.matcher(options).matches()) {
            section.problem(
                    "server_options",
                    "id, weight, disabled, enabled and the check intervals are set elsewhere");
        }
        return new ServiceConfig(
                key,
                section.text("service", key, CONSUL_NAME, "a service name"),
                section.texts("tags", CONSUL_NAME, "a tag"),
                mode,
                bind,
                section.text("balance", "roundrobin", BALANCE, "a balance algorithm of HAProxy"),
                section.number("slots", 0, 1, 4096),
                check(mode, section.section("check")),
                options,
                section.choice("health", Map.of("passing", false, "warning", true), false),
                section.choice("weights", Map.of("registration", true, "equal", false), true),
                onEmpty(section),
                section.duration("drain", Duration.ofSeconds(30), Duration.ZERO),
                section.texts("frontend", LINE, "one line"),
                section.texts("backend", LINE, "one line"));
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

    private static void refuseSameBind(Section section, List<ServiceConfig> services) {
        Map<String, String> owners = new HashMap<>();
        for (ServiceConfig service : services) {
            for (String bind : service.bind()) {
                String owner = owners.putIfAbsent(bind, service.key());
                if (owner != null) {
                    section.problem(
                            service.key(),
                            "bind "
                                    + Printable.quoted(bind)
                                    + " is that of \""
                                    + owner
                                    + "\" already");
                }
            }
        }
    }
}
