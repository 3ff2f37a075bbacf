package registry.haproxy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.api.json.Json;
import registry.haproxy.RendererConfig.OnEmpty;
import registry.haproxy.RendererConfig.Selection;
import registry.haproxy.RendererConfig.ServiceConfig;

/**
 * What HAProxy should serve: the last good answer of each service under its policy. Kept on disk,
 * so that a start without the registry goes on where the last one ended. Safe for any thread.
 */
final class DesiredState {
    private static final Logger LOG = LoggerFactory.getLogger(DesiredState.class);

    private static final Duration TOGETHER = Duration.ofSeconds(5);

    private final Path file;
    private final Path drainsFile;
    private final Clock clock;
    private final Map<String, Known> services = new LinkedHashMap<>();
    private Drains drains = Drains.NONE;
    private @Nullable FileTime drainsRead;
    private boolean unsaved;

    /** What is known of one service; the times are for people and for {@code after}. */
    private static final class Known {
        private final String question;

        /** The very one that asks the question, once it is known to. */
        private @Nullable Selection selection;

        private List<Member> present = List.of();
        private List<Member> lastGood = List.of();
        private List<Skipped> skipped = List.of();
        private final Map<Endpoint, Instant> drainingSince = new HashMap<>();
        private boolean answered;
        private boolean restored;
        private @Nullable Instant emptySince;
        private @Nullable Instant answeredAt;
        private @Nullable String agent;
        private @Nullable String error;

        private final Map<Endpoint, Left> recent = new LinkedHashMap<>();

        private record Left(Member member, Instant at) {}

        Known(String question) {
            this.question = question;
        }

        /** Notes who is no longer among {@code members}, and forgets who left long ago. */
        void leave(List<Member> members, Instant now) {
            present.forEach(member -> recent.put(member.endpoint(), new Left(member, now)));
            members.forEach(member -> recent.remove(member.endpoint()));
            recent.values().removeIf(left -> left.at().plus(TOGETHER).isBefore(now));
        }

        /**
         * Services rarely vanish in one answer: who left shortly before belongs to the last ones.
         */
        List<Member> withRecent() {
            Map<Endpoint, Member> all = new LinkedHashMap<>();
            recent.forEach((endpoint, left) -> all.put(endpoint, left.member()));
            lastGood.forEach(member -> all.put(member.endpoint(), member));
            return List.copyOf(all.values());
        }
    }

    /**
     * The outside view of one service.
     *
     * @param answeredAt null while no agent has answered since the start
     * @param error why the last question failed; null when it did not
     * @param held whether members are served that the registry no longer lists
     */
    record View(
            List<Member> members,
            List<Skipped> skipped,
            @Nullable Instant answeredAt,
            @Nullable String agent,
            @Nullable String error,
            boolean held) {}

    /** Begins with what {@code file} remembers, if it does. */
    DesiredState(Path file, Clock clock) {
        this.file = file;
        this.drainsFile = file.resolveSibling(Renderer.DRAINS);
        this.clock = clock;
        restore();
        readDrains();
    }

    /** Takes note of what was drained by hand since the last time. */
    synchronized void readDrains() {
        try {
            FileTime changed =
                    Files.exists(drainsFile) ? Files.getLastModifiedTime(drainsFile) : null;
            if (!Objects.equals(changed, drainsRead)) {
                drains = Drains.read(drainsFile);
                drainsRead = changed;
                LOG.debug("drained by hand: {}", drains.marks());
            }
        } catch (IOException e) {
            LOG.warn("{} cannot be read, draining as before: {}", drainsFile, e.toString());
        }
    }

    /** Returns whether it changes what should be served. */
    synchronized boolean answered(ServiceConfig service, URI agent, HealthAnswer answer) {
        Known known = known(service);
        List<Member> before = members(service).orElse(null);
        boolean isNew = !known.answered;
        known.answered = true;
        known.answeredAt = clock.instant();
        known.agent = agent.toString();
        known.error = null;
        known.skipped = answer.skipped();
        known.leave(answer.members(), clock.instant());
        known.present = answer.members();
        if (!answer.members().isEmpty()) {
            unsaved |= known.emptySince != null || !answer.members().equals(known.lastGood);
            known.lastGood = answer.members();
            known.emptySince = null;
        } else if (known.emptySince == null) {
            unsaved = true;
            known.lastGood = known.withRecent();
            known.emptySince = clock.instant();
        }
        return isNew || !members(service).orElse(List.of()).equals(before);
    }

    synchronized void failed(ServiceConfig service, URI agent, String why) {
        Known known = known(service);
        known.error = agent + ": " + why;
    }

    /**
     * The members to serve; empty while nothing at all is known, which must not be taken for
     * "none".
     */
    synchronized Optional<List<Member>> members(ServiceConfig service) {
        Known known = known(service);
        if (!known.answered && !known.restored) {
            return Optional.empty();
        }
        if (known.emptySince == null) {
            return Optional.of(
                    settled(service, known, known.answered ? known.present : known.lastGood));
        }
        boolean keep =
                switch (service.onEmpty()) {
                    case OnEmpty.Keep k -> true;
                    case OnEmpty.Drop d -> false;
                    case OnEmpty.After after ->
                            clock.instant().isBefore(known.emptySince.plus(after.delay()));
                };
        return Optional.of(keep ? settled(service, known, known.lastGood) : List.of());
    }

    /** Without those whose time to drain is over, and with those draining that somebody drained. */
    private List<Member> settled(ServiceConfig service, Known known, List<Member> members) {
        List<Member> settled = new ArrayList<>();
        Set<Endpoint> draining = new HashSet<>();
        for (Member member : members) {
            if (!member.draining() && !drains.contains(service.key(), member)) {
                settled.add(member);
                continue;
            }
            draining.add(member.endpoint());
            Instant since = known.drainingSince.get(member.endpoint());
            if (since == null) {
                since = clock.instant();
                known.drainingSince.put(member.endpoint(), since);
                unsaved = true;
            }
            if (clock.instant().isBefore(since.plus(service.drain()))) {
                settled.add(new Member(member.endpoint(), member.weight(), true, member.name()));
            }
        }
        unsaved |= known.drainingSince.keySet().retainAll(draining);
        return List.copyOf(settled);
    }

    /** Instances that are listed, and whose time to drain is over. */
    synchronized Set<Endpoint> expired(ServiceConfig service) {
        Instant now = clock.instant();
        Set<Endpoint> expired = new HashSet<>();
        known(service)
                .drainingSince
                .forEach((endpoint, since) -> {
                    if (!now.isBefore(since.plus(service.drain()))) {
                        expired.add(endpoint);
                    }
                });
        return expired;
    }

    /** All instances of the service that were listed last, drained or not. */
    synchronized List<Member> known(String serviceKey) {
        Known known = services.get(serviceKey);
        return known == null ? List.of() : known.lastGood;
    }

    synchronized boolean isKnown(ServiceConfig service) {
        return members(service).isPresent();
    }

    /** Whether an agent has been asked since the start, with or without success. */
    synchronized boolean isAsked(ServiceConfig service) {
        Known known = known(service);
        return known.answered || known.error != null;
    }

    synchronized View view(ServiceConfig service) {
        Known known = known(service);
        List<Member> members = members(service).orElse(List.of());
        boolean held = !members.isEmpty() && (known.emptySince != null || !known.answered);
        return new View(members, known.skipped, known.answeredAt, known.agent, known.error, held);
    }

    /**
     * Writes the last good answers if they changed since the last time; a failure is tried again at
     * the next call.
     */
    synchronized void save() throws IOException {
        if (!unsaved) {
            return;
        }
        ObjectNode root = Json.mapper().createObjectNode();
        services.forEach((key, known) -> {
            if (!known.answered && !known.restored) {
                return;
            }
            ObjectNode service = root.putObject(key);
            service.put("question", known.question);
            if (known.emptySince != null) {
                service.put("emptySince", known.emptySince.toEpochMilli());
            }
            ArrayNode members = service.putArray("members");
            for (Member member : known.lastGood) {
                Instant since = known.drainingSince.get(member.endpoint());
                ObjectNode row = members.addObject();
                if (since != null) {
                    row.put("drainingSince", since.toEpochMilli());
                }
                row.put("address", member.endpoint().addressText())
                        .put("port", member.endpoint().port())
                        .put("weight", member.weight())
                        .put("draining", member.draining())
                        .put("name", member.name());
            }
        });
        AtomicFile.write(file, Json.write(root));
        unsaved = false;
    }

    private void restore() {
        try {
            if (!Files.exists(file)) {
                return;
            }
            JsonNode root = Json.mapper().readTree(Files.readAllBytes(file));
            root.properties()
                    .forEach(entry -> services.put(entry.getKey(), restored(entry.getValue())));
        } catch (IOException e) {
            LOG.warn(
                    "{} cannot be read, starting without the last good answers: {}",
                    file,
                    e.toString());
        }
    }

    private static Known restored(JsonNode service) {
        var known = new Known(service.path("question").asText());
        List<Member> members = new ArrayList<>();
        for (JsonNode row : service.path("members")) {
            int port = row.path("port").asInt();
            var address = Endpoint.parseAddress(row.path("address").asText());
            if (address.isPresent() && port >= 1 && port <= 65535) {
                int weight = Math.clamp(row.path("weight").asInt(1), 0, 256);
                var endpoint = new Endpoint(address.get(), port);
                if (row.has("drainingSince")) {
                    known.drainingSince.put(
                            endpoint, Instant.ofEpochMilli(row.path("drainingSince").asLong()));
                }
                members.add(
                        new Member(
                                endpoint,
                                weight,
                                row.path("draining").asBoolean(),
                                Printable.of(row.path("name").asText())));
            }
        }
        known.lastGood = List.copyOf(members);
        known.restored = true;
        if (service.has("emptySince")) {
            known.emptySince = Instant.ofEpochMilli(service.path("emptySince").asLong());
        }
        return known;
    }

    /** What another question was answered with, under the same key, says nothing about this one. */
    private Known known(ServiceConfig service) {
        Known known = services.get(service.key());
        if (known != null && known.selection == service.selection()) {
            return known;
        }
        String question = Watches.path(service);
        if (!service.selection().meta().isEmpty()) {
            question += " " + service.selection().meta();
        }
        if (known == null || !known.question.equals(question)) {
            known = new Known(question);
            services.put(service.key(), known);
        }
        known.selection = service.selection();
        return known;
    }
}
