package registry.agent.http;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;
import registry.agent.config.AgentConfig;
import registry.agent.gossip.Membership;
import registry.agent.gossip.UserEvent;
import registry.agent.http.Route.Trait;
import registry.agent.local.LocalState;
import registry.api.AgentService;
import registry.api.ApiException;
import registry.server.rpc.Servers;

/** {@code /v1/event}: what users tell all nodes. Source: consul-api 3.10. */
final class EventRoutes {
    private static final int MAX_BYTES = 512;
    private static final Duration USUAL_HOLD = Duration.ofMinutes(10);

    private final AgentConfig config;
    private final Membership membership;
    private final HashWaiters waiters;

    EventRoutes(AgentConfig config, Membership membership, LocalState local, HashWaiters waiters) {
        this.config = config;
        this.membership = membership;
        this.waiters = waiters;
        membership.keepEvents(
                event -> isMeant(event, config.nodeName(), local.services().values()));
    }

    /** Whether the filters name this node and a service of it. */
    static boolean isMeant(UserEvent event, String node, Collection<AgentService> services) {
        try {
            if (!finds(event.nodeFilter(), node)) {
                return false;
            }
            return event.serviceFilter().isEmpty()
                    || services.stream()
                            .anyMatch(service ->
                                    finds(event.serviceFilter(), service.service())
                                            && (event.tagFilter().isEmpty()
                                                    || service.tags().stream()
                                                            .anyMatch(tag ->
                                                                    finds(
                                                                            event.tagFilter(),
                                                                            tag))));
        } catch (PatternSyntaxException e) {
            return false; // fired by a node that knows other expressions
        }
    }

    private static boolean finds(String filter, String text) {
        return filter.isEmpty() || Pattern.compile(filter).matcher(text).find();
    }

    void addTo(RouteTable.Builder table) {
        table.plain("PUT", "/v1/event/fire/", Handler.plain(this::fire), Trait.DATACENTER);
        table.plain("GET", "/v1/event/list", this::list);
    }

    private Answer fire(Request request) {
        String name = request.rest();
        if (name.isEmpty()) {
            throw ApiException.badRequest("Missing name");
        }
        QueryString query = request.query();
        byte[] payload = request.body().length == 0 ? null : request.body();
        var event =
                new UserEvent(
                        UUID.randomUUID().toString(),
                        name,
                        payload,
                        regexp("node", query.first("node")),
                        regexp("service", query.first("service")),
                        regexp("tag", query.first("tag")),
                        1,
                        0);
        if (!event.tagFilter().isEmpty() && event.serviceFilter().isEmpty()) {
            throw ApiException.refused("Cannot provide tag filter without service filter");
        }
        if (name.length() + request.body().length > MAX_BYTES) {
            throw ApiException.refused(
                    "1 error occurred:\n\t* error broadcasting event to segment \"\": user event exceeds configured limit of 512 bytes before encoding\n\n");
        }
        membership.fire(event);
        return Answer.json(request, event);
    }

    private static String regexp(String what, String filter) {
        try {
            Pattern.compile(filter);
            return filter;
        } catch (PatternSyntaxException e) {
            String reason =
                    switch (e.getDescription()) {
                        case "Unclosed character class" -> "missing closing ]";
                        case "Unclosed group" -> "missing closing )";
                        default -> e.getDescription();
                    };
            throw ApiException.refused(
                    "Invalid %s filter: error parsing regexp: %s: `%s`"
                            .formatted(what, reason, filter));
        }
    }

    /** Held while the last event is the one that {@code index} names. */
    private Servers.@Nullable Held list(Request request, Consumer<Answer> then) {
        String name = request.query().first("name");
        ReadOptions options = ReadOptions.of(request, config, false);
        String known = request.query().first("index");
        if (known.isEmpty() || known.equals("0") || !known.equals(index(matching(name)))) {
            then.accept(answer(request, name));
            return null;
        }
        Duration wish = ReadOptions.waitOf(request.query().first("wait"));
        return waiters.await(
                membership::onEvent,
                () -> !known.equals(index(matching(name))),
                options.maxWait().isZero()
                        ? ReadOptions.hold(wish, USUAL_HOLD, config.maxQueryTime())
                        : options.maxWait(),
                () -> then.accept(answer(request, name)));
    }

    private List<UserEvent> matching(String name) {
        return membership.events().stream()
                .filter(event -> name.isEmpty() || event.name().equals(name))
                .toList();
    }

    private Answer answer(Request request, String name) {
        List<UserEvent> events = matching(name);
        return Answer.json(request, events).with("X-Consul-Index", index(events));
    }

    /** Not a count: both halves of the last event's id, one over the other. */
    private static String index(List<UserEvent> events) {
        if (events.isEmpty()) {
            return "1";
        }
        UUID last = UUID.fromString(events.getLast().id());
        return Long.toUnsignedString(
                last.getMostSignificantBits() ^ last.getLeastSignificantBits());
    }
}
