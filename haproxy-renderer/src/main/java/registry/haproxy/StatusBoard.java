package registry.haproxy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import registry.api.json.Json;
import registry.haproxy.RendererConfig.ServiceConfig;

/**
 * What {@code registry-haproxy status} shows of a running companion: a file, since it need not have
 * a port. Owned by the engine's thread.
 */
final class StatusBoard {
    private final Path file;
    private final Clock clock;
    private @Nullable String problem;
    private @Nullable Instant problemSince;
    private @Nullable String lastError;
    private @Nullable Instant lastErrorAt;
    private long errors;
    private volatile @Nullable Instant lookedAt;
    private volatile JsonNode latest = Json.mapper().createObjectNode();
    private JsonNode written = Json.mapper().createObjectNode();

    StatusBoard(Path file, Clock clock) {
        this.file = file;
        this.clock = clock;
    }

    /** Notes trouble that lasts; returns whether it is news. */
    boolean trouble(String what) {
        boolean news = !what.equals(problem);
        if (news) {
            problem = what;
            problemSince = clock.instant();
        }
        errors++;
        lastError = what;
        lastErrorAt = clock.instant();
        return news;
    }

    /** Notes that nothing is wrong now; returns whether that is news. */
    boolean fine() {
        boolean news = problem != null;
        problem = null;
        problemSince = null;
        return news;
    }

    @Nullable String problem() {
        return problem;
    }

    /** What was true at the last look, and must not be changed; for any thread. */
    JsonNode latest() {
        return latest;
    }

    /** When HAProxy was last looked at as a whole; null before the first time. For any thread. */
    @Nullable Instant lookedAt() {
        return lookedAt;
    }

    /** Writes the file if anything but its time has changed. */
    void write(
            RendererConfig config,
            DesiredState desired,
            Reloader reloader,
            long wanted,
            long loaded,
            boolean inStep,
            long changes)
            throws IOException {
        ObjectNode root = Json.mapper().createObjectNode();
        root.put("problem", problem);
        root.put("problemSince", text(problemSince));
        root.put("lastError", lastError);
        root.put("lastErrorAt", text(lastErrorAt));
        root.put("inStep", inStep);
        root.put("changes", changes);
        root.put("errors", errors);
        root.put("wantedVersion", wanted);
        root.put("loadedVersion", loaded);
        root.put("reloads", reloader.reloads());
        root.put("lostReloads", reloader.lost());
        ArrayNode services = root.putArray("services");
        for (ServiceConfig service : config.services()) {
            DesiredState.View view = desired.view(service);
            ObjectNode row = services.addObject();
            row.put("key", service.key());
            row.put("members", view.members().size());
            row.put("draining", view.members().stream().filter(Member::draining).count());
            row.put("held", view.held());
            row.put("agent", view.agent());
            row.put("answeredAt", text(view.answeredAt()));
            row.put("error", view.error());
            ArrayNode skipped = row.putArray("skipped");
            view.skipped()
                    .forEach(one ->
                            skipped.addObject().put("name", one.name()).put("why", one.why()));
        }
        latest = root.deepCopy();
        lookedAt = clock.instant();
        if (!latest.equals(written)) {
            written = latest;
            root.put("pid", ProcessHandle.current().pid());
            root.put("at", text(clock.instant()));
            AtomicFile.replace(AtomicFile.prepare(file, Json.writePretty(root)), file);
        }
    }

    private static @Nullable String text(@Nullable Instant time) {
        return time == null ? null : time.toString();
    }
}
