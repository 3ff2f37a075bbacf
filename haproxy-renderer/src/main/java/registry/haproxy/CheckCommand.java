package registry.haproxy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Validates the input, and what HAProxy says to a configuration made of it. Touches nothing that is
 * in use.
 */
@Command(
        name = "check",
        description = "Validates the input file, with HAProxy itself where it is installed.")
final class CheckCommand implements Callable<Integer> {
    @CommandLine.Mixin private RendererMain.Common common = new RendererMain.Common();

    @Option(
            names = {"-schema", "--schema"},
            description = "print the JSON Schema of the input, for editors, and end")
    private boolean schema;

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec = CommandLine.Model.CommandSpec.create();

    @Override
    public Integer call() throws IOException {
        var out = spec.commandLine().getOut();
        if (schema) {
            out.print(InputSchema.text());
            out.flush();
            return 0;
        }
        RendererConfig config = common.read();
        Map<String, List<Optional<Member>>> empty = new LinkedHashMap<>();
        config.services().forEach(service -> empty.put(service.key(), List.of(Optional.empty())));
        Path folder = Files.createTempDirectory("registry-haproxy");
        try {
            RendererConfig trial = config.inFolder(folder);
            RouteMaps.of(trial).save();
            String problem =
                    new Reloader(trial.haproxy(), null)
                            .validate(new ConfigRenderer(trial).render(1, empty));
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
            delete(folder);
        }
        return 0;
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }
}
