package registry.haproxy;

import java.io.IOException;
import java.io.PrintWriter;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import registry.haproxy.RendererConfig.ServiceConfig;

/** Shows what {@code run} would do now, and does nothing. */
@Command(
        name = "dry",
        description =
                "Prints the configuration and the socket commands that run would send, and sends none.")
final class DryCommand implements Callable<Integer> {
    private static final Duration SOCKET = Duration.ofSeconds(5);

    @CommandLine.Mixin private RendererMain.Common common = new RendererMain.Common();

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec = CommandLine.Model.CommandSpec.create();

    @Override
    public Integer call() throws IOException, InterruptedException {
        RendererConfig config = common.read();
        PrintWriter out = spec.commandLine().getOut();
        var desired =
                OneShot.ask(
                        config, config.dataDir().resolve(Renderer.LAST_GOOD), Clock.systemUTC());
        var layout = new Layout(desired);
        var renderer = new ConfigRenderer(config);
        try (RuntimeApi.Session session =
                new UnixRuntimeApi(config.haproxy().socket(), SOCKET).connect()) {
            Map<String, List<Slot>> actual = Slot.parse(session.send("show servers state"));
            List<SlotPlan> plans = plans(config, desired, actual, session);
            layout.observe(config.services(), actual);
            long version = print(out, config, renderer, layout, actual);
            plans.forEach(plan -> commands(out, plan.outs()));
            plans.forEach(plan -> commands(out, plan.ins()));
            plans.forEach(plan -> commands(out, plan.frees()));
            commands(out, RouteMaps.of(config).changes(session, actual.keySet()));
            boolean loaded = Engine.version(session) == version;
            boolean roomy = plans.stream().allMatch(plan -> plan.homeless().isEmpty());
            out.println(loaded && roomy ? "# no reload" : "# then a reload");
        } catch (IOException e) {
            print(out, config, renderer, layout, Map.of());
            out.println(
                    "# HAProxy does not answer on "
                            + config.haproxy().socket()
                            + ": it would start with this");
        }
        for (ServiceConfig service : config.services()) {
            desired.view(service)
                    .skipped()
                    .forEach(one ->
                            out.println(
                                    "# skipped "
                                            + service.key()
                                            + " "
                                            + one.name()
                                            + ": "
                                            + one.why()));
        }
        return 0;
    }

    private static List<SlotPlan> plans(
            RendererConfig config,
            DesiredState desired,
            Map<String, List<Slot>> actual,
            RuntimeApi.Session session) {
        return config.services().stream()
                .filter(service -> actual.containsKey(service.key()))
                .map(service ->
                        SlotPlan.of(
                                service,
                                desired.members(service).orElse(List.of()),
                                desired.expired(service),
                                actual.getOrDefault(service.key(), List.of()),
                                new Connected(session)))
                .toList();
    }

    private static long print(
            PrintWriter out,
            RendererConfig config,
            ConfigRenderer renderer,
            Layout layout,
            Map<String, List<Slot>> actual) {
        Map<String, List<Optional<Member>>> places = layout.places(config.services(), actual);
        long version = renderer.version(layout.counts(config.services()));
        out.println(renderer.render(version, places));
        return version;
    }

    private static void commands(PrintWriter out, List<Change> changes) {
        changes.forEach(
                change -> change.commands().forEach(command -> out.println(command.text())));
    }
}
