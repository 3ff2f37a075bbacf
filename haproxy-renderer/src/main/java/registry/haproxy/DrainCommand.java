package registry.haproxy;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import registry.haproxy.RendererConfig.ServiceConfig;

/** Takes one instance out gently, whatever the registry says of it, or back in. */
@Command(
        name = "drain",
        description =
                "Lets an instance finish what it has and sends it nothing new; -undo takes it back in.")
final class DrainCommand implements Callable<Integer> {
    private static final Duration LIMIT = Duration.ofSeconds(5);
    private static final Duration SOCKET = Duration.ofSeconds(5);

    @CommandLine.Mixin private RendererMain.Common common = new RendererMain.Common();

    @Option(
            names = {"-undo", "--undo"},
            description = "take it back in")
    private boolean undo;

    @Parameters(
            paramLabel = "SERVICE/INSTANCE",
            description = "the service's key, and the instance's id, node/id, or address:port")
    private String mark = "";

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec = CommandLine.Model.CommandSpec.create();

    @Override
    public Integer call() throws IOException, InterruptedException {
        RendererConfig config = common.read();
        ServiceConfig service = service(config);
        String name = mark.substring(service.key().length() + 1);
        Path file = config.dataDir().resolve(Renderer.DRAINS);
        Drains drains = Drains.read(file);
        Member member = member(config, service, name);
        Drains next =
                undo ? drains.without(mark).without(service.key(), member) : drains.with(mark);
        if (undo && next.equals(drains)) {
            throw new IOException("\"" + mark + "\" is not drained");
        }
        Files.createDirectories(config.dataDir());
        next.write(file);
        return await(config, service, member);
    }

    private ServiceConfig service(RendererConfig config) {
        return config.services().stream()
                .filter(service -> mark.startsWith(service.key() + "/"))
                .findFirst()
                .orElseThrow(() ->
                        new CommandLine.ParameterException(
                                spec.commandLine(),
                                "\""
                                        + mark
                                        + "\" does not begin with the key of a service and \"/\""));
    }

    /**
     * The instance as it is known; one that is gone may only be forgotten.
     *
     * @throws IOException when no instance has that name
     */
    private Member member(RendererConfig config, ServiceConfig service, String name)
            throws IOException {
        List<Member> known =
                new DesiredState(config.dataDir().resolve(Renderer.LAST_GOOD), Clock.systemUTC())
                        .known(service.key());
        for (Member member : known) {
            if (Drains.isNamed(member, name)) {
                return member;
            }
        }
        if (undo) {
            return new Member(Endpoint.UNUSED, 0, true, name);
        }
        throw new IOException(
                service.key()
                        + " has no instance \""
                        + Printable.of(name)
                        + "\", it has: "
                        + String.join(", ", known.stream().map(Member::name).toList()));
    }

    private int await(RendererConfig config, ServiceConfig service, Member member)
            throws InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (System.nanoTime() - deadline < 0) {
            if (member.endpoint().equals(Endpoint.UNUSED) || isDone(config, service, member)) {
                out.println(mark + (undo ? " is back in" : " takes nothing new"));
                return 0;
            }
            Thread.sleep(50);
        }
        spec.commandLine()
                .getErr()
                .println(
                        mark
                                + " is noted, but HAProxy does not follow: does registry-haproxy run?");
        return RendererMain.FAILED;
    }

    private boolean isDone(RendererConfig config, ServiceConfig service, Member member) {
        try (RuntimeApi.Session session =
                new UnixRuntimeApi(config.haproxy().socket(), SOCKET).connect()) {
            boolean open =
                    Slot.parse(session.send("show servers state"))
                            .getOrDefault(service.key(), List.of())
                            .stream()
                            .anyMatch(slot ->
                                    slot.endpoint().equals(member.endpoint())
                                            && slot.isInService()
                                            && !slot.isDraining());
            return open == (undo && !member.draining());
        } catch (IOException e) {
            return false;
        }
    }
}
