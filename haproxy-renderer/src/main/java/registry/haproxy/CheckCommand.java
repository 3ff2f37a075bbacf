package registry.haproxy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import registry.haproxy.RendererConfig.HaproxyConfig;

/**
 * Validates the input, and what HAProxy says to a configuration made of it. Touches nothing that is
 * in use.
 */
@Command(
        name = "check",
        description = "Validates the input file, with HAProxy itself where it is installed.")
final class CheckCommand implements Callable<Integer> {
    @CommandLine.Mixin private RendererMain.Common common = new RendererMain.Common();

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec = CommandLine.Model.CommandSpec.create();

    @Override
    public Integer call() throws IOException {
        RendererConfig config = common.read();
        var renderer = new ConfigRenderer(config);
        Map<String, List<Optional<Member>>> empty = new LinkedHashMap<>();
        config.services().forEach(service -> empty.put(service.key(), List.of(Optional.empty())));
        var out = spec.commandLine().getOut();
        Path folder = Files.createTempDirectory("registry-haproxy");
        try {
            HaproxyConfig real = config.haproxy();
            String problem =
                    new Reloader(inFolder(real, folder), null).validate(renderer.render(1, empty));
            if (problem != null) {
                spec.commandLine().getErr().println(common.file() + ": " + problem);
                return RendererMain.BAD_INPUT;
            }
            out.println(common.file() + " is right: services=" + config.services().size());
        } catch (IOException e) {
            out.println(
                    common.file()
                            + " is right as far as can be told without HAProxy: "
                            + e.getMessage());
        } finally {
            Files.deleteIfExists(folder);
        }
        return 0;
    }

    private static HaproxyConfig inFolder(HaproxyConfig real, Path folder) {
        return new HaproxyConfig(
                folder.resolve("haproxy.cfg"),
                real.socket(),
                null,
                real.stateFile(),
                real.binary(),
                real.maxConnections(),
                real.connectTimeout(),
                real.clientTimeout(),
                real.serverTimeout(),
                real.global(),
                real.defaults());
    }
}
