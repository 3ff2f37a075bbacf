package registry.agent.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import registry.agent.config.AgentConfig.Definitions;
import registry.agent.config.SourceReader.Source;

/**
 * Reads all sources, checks each by itself, merges them as trees and binds the result. It keeps
 * nothing: a reload is another call with the same sources. Source: consul-api 8.1.
 */
public final class ConfigLoader {
    private static final List<String> DEFINITIONS =
            List.of("service", "services", "check", "checks", "watches");
    private static final String DEV_DEFAULTS =
            """
            {"server": true, "bind_addr": "127.0.0.1", "log_level": "DEBUG", "enable_debug": true,
             "performance": {"raft_multiplier": 1}}
            """;

    private final ConfigSources sources;
    private final Machine machine;
    private final List<String> warnings = new ArrayList<>();
    private final ObjectNode merged = JsonNodeFactory.instance.objectNode();
    private final Map<String, Sourced<ServiceDefinition>> services = new LinkedHashMap<>();
    private final Map<String, Sourced<CheckDefinition>> checks = new LinkedHashMap<>();
    private final List<WatchDefinition> watches = new ArrayList<>();

    /** A definition and the name of the source that it stands in. */
    private record Sourced<T>(T definition, String source) {}

    private ConfigLoader(ConfigSources sources, Machine machine) {
        this.sources = sources;
        this.machine = machine;
    }

    /**
     * Reads the sources of an agent.
     *
     * @throws ConfigException for the first thing that is wrong, with Consul's text where it has
     *     one
     */
    public static LoadedConfig load(ConfigSources sources) throws ConfigException {
        return load(sources, Machine.local());
    }

    static LoadedConfig load(ConfigSources sources, Machine machine) throws ConfigException {
        return new ConfigLoader(sources, machine).load();
    }

    /**
     * The services that files define, for commands that register them through the API; all else in
     * the files is checked and left.
     *
     * @throws ConfigException as {@link #load}
     */
    public static List<ServiceDefinition> servicesIn(List<String> paths) throws ConfigException {
        var flags = JsonNodeFactory.instance.objectNode();
        var loader =
                new ConfigLoader(
                        new ConfigSources(false, paths, "", List.of(), flags), Machine.local());
        loader.readAll();
        return loader.services.values().stream().map(Sourced::definition).toList();
    }

    private LoadedConfig load() throws ConfigException {
        if (sources.devMode()) {
            Settings.merge(merged, (ObjectNode) parse("-dev", DEV_DEFAULTS));
        }
        readAll();
        var definitions =
                new Definitions(
                        services.values().stream().map(Sourced::definition).toList(),
                        checks.values().stream().map(Sourced::definition).toList(),
                        List.copyOf(watches));
        var binder =
                new ConfigBinder(new Settings(merged), sources.devMode(), machine, warnings::add);
        AgentConfig config = binder.bind(definitions);
        refuseForbiddenScripts(config);
        return new LoadedConfig(config, List.copyOf(warnings));
    }

    private void readAll() throws ConfigException {
        var reader = new SourceReader(sources.format(), warnings::add);
        for (String path : sources.paths()) {
            for (Source source : reader.read(path)) {
                add(source);
            }
        }
        for (String fragment : sources.fragments()) {
            byte[] text = fragment.getBytes(StandardCharsets.UTF_8);
            add(new Source("-hcl", null, SourceReader.parseHcl("-hcl", text)));
        }
        add(new Source("command line", null, sources.flags()));
    }

    private static JsonNode parse(String name, String text) throws ConfigException {
        return SourceReader.parse(name, text.getBytes(StandardCharsets.UTF_8));
    }

    private void add(Source source) throws ConfigException {
        ObjectNode tree =
                SourceTree.check(source.name(), source.tree(), KnownKeys.CONFIG, warnings::add);
        var settings = new Settings(tree);
        var binder = new DefinitionBinder(source.name(), source.file());
        for (ServiceDefinition service : binder.services(settings)) {
            add(services, "service", service.id(), service, source.name());
        }
        for (CheckDefinition check : binder.checks(settings)) {
            add(
                    checks,
                    "check",
                    check.id().isEmpty() ? check.name() : check.id(),
                    check,
                    source.name());
        }
        watches.addAll(binder.watches(tree));
        tree.remove(DEFINITIONS);
        Settings.merge(merged, tree);
    }

    /**
     * The later of two definitions of one ID counts, as with Consul, which does so without a word.
     */
    private <T> void add(
            Map<String, Sourced<T>> all, String noun, String id, T definition, String source) {
        @Nullable Sourced<T> before =
                all.put(id.toLowerCase(Locale.ROOT), new Sourced<>(definition, source));
        if (before != null) {
            warnings.add(
                    "%s \"%s\" is defined in %s and in %s, the latter counts"
                            .formatted(noun, id, before.source(), source));
        }
    }

    private void refuseForbiddenScripts(AgentConfig config) throws ConfigException {
        if (config.enableScriptChecks() || config.enableLocalScriptChecks()) {
            return;
        }
        for (Sourced<ServiceDefinition> service : services.values()) {
            if (service.definition().checks().stream().anyMatch(CheckDefinition::isScript)) {
                throw forbiddenScript(service.source());
            }
        }
        for (Sourced<CheckDefinition> check : checks.values()) {
            if (check.definition().isScript()) {
                throw forbiddenScript(check.source());
            }
        }
    }

    private static ConfigException forbiddenScript(String source) {
        return new ConfigException(
                source
                        + ": Scripts are disabled on this agent; to enable, configure 'enable_script_checks' or"
                        + " 'enable_local_script_checks' to true");
    }
}
