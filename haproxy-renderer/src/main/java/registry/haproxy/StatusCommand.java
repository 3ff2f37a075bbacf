package registry.haproxy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import registry.api.json.Json;
import registry.haproxy.RendererConfig.ServiceConfig;

/**
 * Desired against actual, as HAProxy reports it at this moment, and what the running companion has
 * to say. Exit code 1: not in step.
 */
@Command(
        name = "status",
        description = "Shows what HAProxy should serve and what it does, and the last error.")
final class StatusCommand implements Callable<Integer> {
    private static final Duration SOCKET = Duration.ofSeconds(5);

    @CommandLine.Mixin private RendererMain.Common common = new RendererMain.Common();

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec = CommandLine.Model.CommandSpec.create();

    @Override
    public Integer call() throws IOException {
        RendererConfig config = common.read();
        PrintWriter out = spec.commandLine().getOut();
        JsonNode companion = companion(config.dataDir().resolve(Renderer.STATUS));
        boolean inStep = header(out, companion);
        var desired =
                new DesiredState(config.dataDir().resolve(Renderer.LAST_GOOD), Clock.systemUTC());
        try (RuntimeApi.Session session =
                new UnixRuntimeApi(config.haproxy().socket(), SOCKET).connect()) {
            Map<String, List<Slot>> actual = Slot.parse(session.send("show servers state"));
            out.println("haproxy: runs version=" + Engine.version(session));
            for (ServiceConfig service : config.services()) {
                inStep &=
                        service(
                                out,
                                service,
                                desired,
                                actual.getOrDefault(service.key(), List.of()),
                                row(companion, service));
            }
        } catch (IOException e) {
            out.println(
                    "haproxy: does not answer on "
                            + config.haproxy().socket()
                            + ": "
                            + e.getMessage());
            inStep = false;
        }
        return inStep ? 0 : RendererMain.FAILED;
    }

    private static JsonNode companion(Path file) throws IOException {
        return Files.exists(file)
                ? Json.mapper().readTree(Files.readAllBytes(file))
                : Json.mapper().createObjectNode();
    }

    private static boolean header(PrintWriter out, JsonNode companion) {
        long pid = companion.path("pid").asLong();
        boolean runs = pid != 0 && ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
        out.println(
                "companion: "
                        + (runs ? "pid=" + pid : "does not run")
                        + " reloads="
                        + companion.path("reloads").asLong()
                        + " lost="
                        + companion.path("lostReloads").asLong());
        String problem = companion.path("problem").asText("");
        if (!companion.path("problem").isTextual()) {
            problem = "";
        }
        if (!problem.isEmpty()) {
            out.println(
                    "problem: " + problem + " since=" + companion.path("problemSince").asText());
        } else if (companion.path("lastError").isTextual()) {
            out.println(
                    "last error: "
                            + companion.path("lastError").asText()
                            + " at="
                            + companion.path("lastErrorAt").asText());
        }
        return problem.isEmpty();
    }

    private static JsonNode row(JsonNode companion, ServiceConfig service) {
        for (JsonNode row : companion.path("services")) {
            if (row.path("key").asText().equals(service.key())) {
                return row;
            }
        }
        return Json.mapper().createObjectNode();
    }

    private static boolean service(
            PrintWriter out,
            ServiceConfig service,
            DesiredState desired,
            List<Slot> slots,
            JsonNode row) {
        Map<String, String> names = new HashMap<>();
        desired.members(service)
                .orElse(List.of())
                .forEach(member -> names.put(member.endpoint().toString(), member.name()));
        Set<String> wanted = names.keySet();
        Set<String> serving = new HashSet<>();
        slots.stream()
                .filter(Slot::isInService)
                .forEach(slot -> serving.add(slot.endpoint().toString()));
        out.println(
                "service "
                        + service.key()
                        + ": desired="
                        + wanted.size()
                        + " actual="
                        + serving.size()
                        + " slots="
                        + slots.size()
                        + " skipped="
                        + row.path("skipped").size()
                        + " age="
                        + age(row)
                        + (row.path("held").asBoolean()
                                ? " held (the registry lists none of these now)"
                                : ""));
        for (Slot slot : slots) {
            if (slot.isInService()) {
                String state = slot.isDraining() ? "drain" : slot.isUp() ? "up" : "down";
                String name = names.getOrDefault(slot.endpoint().toString(), "not desired");
                out.println(
                        "  "
                                + slot.name()
                                + " "
                                + slot.endpoint()
                                + " "
                                + state
                                + " weight="
                                + slot.weight()
                                + " "
                                + name);
            }
        }
        Set<String> missing = new TreeSet<>(wanted);
        missing.removeAll(serving);
        missing.forEach(endpoint -> out.println("  missing " + endpoint));
        if (row.path("error").isTextual()) {
            out.println("  registry: " + row.path("error").asText());
        }
        row.path("skipped")
                .forEach(one ->
                        out.println(
                                "  skipped "
                                        + one.path("name").asText()
                                        + ": "
                                        + one.path("why").asText()));
        return wanted.equals(serving);
    }

    private static String age(JsonNode row) {
        if (!row.path("answeredAt").isTextual()) {
            return "unknown";
        }
        return Duration.between(Instant.parse(row.path("answeredAt").asText()), Instant.now())
                        .toSeconds()
                + "s";
    }
}
