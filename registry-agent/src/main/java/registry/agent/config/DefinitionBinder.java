package registry.agent.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import registry.api.ServiceAddress;
import registry.api.Weights;

/** Makes definitions of one source's checked tree; messages name the source and the path in it. */
final class DefinitionBinder {
    private static final Set<PosixFilePermission> WRITABLE_BY_OTHERS =
            Set.of(PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_WRITE);

    private final String source;
    private final @Nullable Path file;

    /**
     * @param file null for what comes from the command line
     */
    DefinitionBinder(String source, @Nullable Path file) {
        this.source = source;
        this.file = file;
    }

    List<ServiceDefinition> services(Settings root) throws ConfigException {
        var services = new ArrayList<ServiceDefinition>();
        for (Map.Entry<String, Settings> entry : root.oneOrMore("service", "services").entrySet()) {
            String path = entry.getKey();
            ServiceDefinition service = service(path, entry.getValue());
            refuse(path, DefinitionRules.serviceFault(service));
            refuse(path, DefinitionRules.taggedAddressFault(service.taggedAddresses()));
            services.add(service);
        }
        return services;
    }

    List<CheckDefinition> checks(Settings root) throws ConfigException {
        var checks = new ArrayList<CheckDefinition>();
        for (Map.Entry<String, Settings> entry : root.oneOrMore("check", "checks").entrySet()) {
            CheckDefinition check = check(entry.getKey(), entry.getValue());
            refuse(entry.getKey(), DefinitionRules.registeredCheckFault(check));
            checks.add(check);
        }
        return checks;
    }

    List<WatchDefinition> watches(JsonNode root) throws ConfigException {
        var watches = new ArrayList<WatchDefinition>();
        JsonNode list = root.path("watches");
        if (list.isObject()) {
            list = JsonNodeFactory.instance.arrayNode().add(list);
        }
        if (!list.isMissingNode() && !list.isArray()) {
            throw fault("watches", "expected a list of objects");
        }
        for (JsonNode entry : list) {
            String path = "watches[%d]".formatted(watches.size());
            if (!(entry instanceof ObjectNode parameters)) {
                throw fault(path, "expected an object");
            }
            var watch =
                    new WatchDefinition(parameters.path("type").asText(""), parameters.deepCopy());
            refuse(path, WatchRules.fault(watch));
            if (!WatchRules.hasHandler(watch)) {
                throw fault(
                        path,
                        "expected \"args\", or \"handler_type\": \"http\" with \"http_handler_config\"");
            }
            watches.add(watch);
        }
        return watches;
    }

    private ServiceDefinition service(String path, Settings service) throws ConfigException {
        String name = service.text("name");
        var checks = new ArrayList<CheckDefinition>();
        for (Map.Entry<String, Settings> check : service.oneOrMore("check", "checks").entrySet()) {
            checks.add(check(path + "." + check.getKey(), check.getValue()));
        }
        var taggedAddresses = new TreeMap<String, ServiceAddress>();
        for (Map.Entry<String, Settings> tagged : service.sections("tagged_addresses").entrySet()) {
            String at = path + ".tagged_addresses." + tagged.getKey();
            taggedAddresses.put(
                    tagged.getKey(),
                    new ServiceAddress(
                            tagged.getValue().text("address"), port(at, tagged.getValue())));
        }
        Settings weights = service.section("weights");
        return new ServiceDefinition(
                service.text("id", name),
                name,
                service.texts("tags"),
                service.text("address"),
                port(path, service),
                service.textMap("meta"),
                taggedAddresses,
                service.has("weights")
                        ? new Weights(weights.whole("passing", 0), weights.whole("warning", 0))
                        : Weights.DEFAULT,
                service.flag("enable_tag_override", false),
                service.text("kind"),
                service.text("token"),
                List.copyOf(checks));
    }

    private int port(String path, Settings settings) throws ConfigException {
        int port = settings.whole("port", 0);
        if (port < 0 || port > 65535) {
            throw fault(path + ".port", "%d, expected a port from 0 to 65535".formatted(port));
        }
        return port;
    }

    private CheckDefinition check(String path, Settings check) throws ConfigException {
        CheckDefinition definition =
                new CheckDefinition(
                        check.text("id"),
                        check.text("name"),
                        check.text("notes"),
                        check.text("service_id"),
                        check.text("status"),
                        check.text("token"),
                        args(path, check),
                        check.text("shell"),
                        check.text("docker_container_id"),
                        check.text("http"),
                        check.text("method"),
                        check.textLists("header"),
                        check.text("body"),
                        check.flag("tls_skip_verify", false),
                        check.text("tcp"),
                        check.text("grpc"),
                        check.flag("grpc_use_tls", false),
                        check.text("alias_node"),
                        check.text("alias_service"),
                        check.duration("interval"),
                        check.duration("timeout"),
                        ttl(check),
                        check.whole("success_before_passing", 0),
                        check.whole("failures_before_critical", 0),
                        check.duration("deregister_critical_service_after"),
                        check.whole("output_max_size", 0));
        if (definition.isScript()) {
            refuseOthersWriting();
        }
        return definition;
    }

    /** Without a TTL above zero a check is none of this kind. */
    private static @Nullable Duration ttl(Settings check) {
        Duration ttl = check.duration("ttl");
        return ttl == null || !ttl.isPositive() ? null : ttl;
    }

    /** The list {@code args}, or Consul 0.3's {@code script}, which a shell runs. */
    private List<String> args(String path, Settings check) throws ConfigException {
        String script = check.text("script");
        List<String> args = check.texts("args");
        if (script.isEmpty()) {
            return args;
        }
        if (!args.isEmpty()) {
            throw fault(path, "expected \"args\" or \"script\", not both");
        }
        return List.of("/bin/sh", "-c", script);
    }

    /** Whoever may write the file could run programs as the agent's user. */
    private void refuseOthersWriting() throws ConfigException {
        if (file == null) {
            return;
        }
        Set<PosixFilePermission> mode;
        try {
            mode = Files.getPosixFilePermissions(file);
        } catch (IOException e) {
            throw new ConfigException(
                    "%s: its mode can't be read: %s".formatted(source, e.getMessage()));
        }
        if (mode.stream().anyMatch(WRITABLE_BY_OTHERS::contains)) {
            throw new ConfigException(
                    "%s: defines a script check, but others than its owner may write it (mode %s, %s): chmod go-w %s"
                            .formatted(
                                    source,
                                    octal(mode),
                                    PosixFilePermissions.toString(mode),
                                    source));
        }
    }

    private static String octal(Set<PosixFilePermission> mode) {
        int bits = 0;
        for (PosixFilePermission permission : mode) {
            bits |= 0400 >> permission.ordinal();
        }
        return "%04o".formatted(bits);
    }

    private void refuse(String path, Optional<String> fault) throws ConfigException {
        if (fault.isPresent()) {
            throw fault(path, fault.get());
        }
    }

    private ConfigException fault(String path, String what) {
        return new ConfigException("failed to parse %s: %s: %s".formatted(source, path, what));
    }
}
