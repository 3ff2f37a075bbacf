package registry.agent.http;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import registry.agent.config.AgentConfig;
import registry.agent.config.DefinitionRules;
import registry.agent.config.ServiceDefinition;
import registry.agent.http.Route.Trait;
import registry.agent.local.LocalState;
import registry.agent.local.LocalState.Source;
import registry.api.AgentService;
import registry.api.ApiException;
import registry.api.HealthCheck;
import registry.server.filter.Filter;
import registry.server.filter.Schema;
import registry.server.filter.Schemas;
import registry.server.rpc.Servers;

/** {@code /v1/agent/service} and its kin: the services this agent owns. Source: consul-api 3.3. */
final class AgentServiceRoutes {
    private static final Duration USUAL_HOLD = Duration.ofMinutes(10);
    private static final String MAINTENANCE = "maintenance";

    private final AgentConfig config;
    private final LocalState local;
    private final HashWaiters waiters;

    AgentServiceRoutes(AgentConfig config, LocalState local, HashWaiters waiters) {
        this.config = config;
        this.local = local;
        this.waiters = waiters;
    }

    /** How a service fares, with the checks that count. */
    record ServiceHealth(
            String aggregatedStatus,
            @Nullable AgentService service,
            @Nullable List<CheckShape> checks) {}

    void addTo(RouteTable.Builder table) {
        table.plain("GET", "/v1/agent/services", Handler.plain(this::services), Trait.NAMESPACED);
        table.read("/v1/agent/service/", new ByHash(), Trait.NAMESPACED);
        table.write(
                "PUT",
                "/v1/agent/service/register",
                Handler.plain(this::register),
                Trait.NAMESPACED);
        table.write(
                "PUT",
                "/v1/agent/service/deregister/",
                Handler.plain(this::deregister),
                Trait.NAMESPACED);
        table.plain(
                "PUT",
                "/v1/agent/service/maintenance/",
                Handler.plain(this::maintenance),
                Trait.NAMESPACED);
        table.plain(
                "GET",
                "/v1/agent/health/service/id/",
                Handler.plain(this::healthById),
                Trait.NAMESPACED);
        table.plain(
                "GET",
                "/v1/agent/health/service/name/",
                Handler.plain(this::healthByName),
                Trait.NAMESPACED);
    }

    private Answer services(Request request) {
        return Answer.json(request, filtered(request, local.services(), Schemas.AGENT_SERVICE));
    }

    /** Those of {@code all} that the request's filter takes. */
    static <T> SortedMap<String, T> filtered(
            Request request, Map<String, T> all, Schema<T> schema) {
        Predicate<T> filter = Filter.of(request.query().first("filter"), schema);
        SortedMap<String, T> taken = new TreeMap<>();
        all.forEach((id, one) -> {
            if (filter.test(one)) {
                taken.put(id, one);
            }
        });
        return taken;
    }

    private final class ByHash implements Handler {
        @Override
        public Servers.@Nullable Held handle(Request request, Consumer<Answer> then) {
            return service(request, then);
        }

        @Override
        public Position position() {
            return Position.HASH;
        }
    }

    /** One service; with its {@code hash} the answer waits until the definition is another. */
    private Servers.@Nullable Held service(Request request, Consumer<Answer> then) {
        String id = request.rest();
        String known = request.query().first("hash");
        Duration wish = ReadOptions.waitOf(request.query().first("wait"));
        if (known.isEmpty() || !known.equals(hashOf(id))) {
            then.accept(describe(request, id));
            return null;
        }
        return waiters.await(
                changed -> local.watchService(id, changed),
                () -> !known.equals(hashOf(id)),
                ReadOptions.hold(wish, USUAL_HOLD, config.maxQueryTime()),
                () -> then.accept(describe(request, id)));
    }

    private Answer describe(Request request, String id) {
        Optional<AgentService> found = local.service(id);
        if (found.isEmpty()) {
            return Answer.text(404, "unknown service ID: " + id);
        }
        return Answer.json(request, found.get()).with("X-Consul-Contenthash", hashOf(id));
    }

    private String hashOf(String id) {
        return local.service(id).map(AgentService::contentHash).orElse("");
    }

    private static AgentService withoutHash(AgentService service) {
        return new AgentService(
                service.kind(),
                service.id(),
                service.service(),
                service.tags(),
                service.meta(),
                service.port(),
                service.address(),
                service.taggedAddresses(),
                service.weights(),
                service.enableTagOverride(),
                null,
                service.datacenter());
    }

    private Answer register(Request request) {
        ServiceDefinition service = Definitions.service(request.body());
        DefinitionRules.serviceFault(service)
                .ifPresent(fault -> {
                    throw ApiException.badRequest(fault);
                });
        DefinitionRules.taggedAddressFault(service.taggedAddresses())
                .ifPresent(fault -> {
                    throw ApiException.refused(fault);
                });
        boolean replace = request.query().has("replace-existing-checks");
        String word = request.query().first("replace-existing-checks");
        local.addService(service, Source.API, replace && (word.isEmpty() || word.equals("true")));
        return Answer.empty(200);
    }

    private Answer deregister(Request request) {
        if (request.rest().isEmpty()) {
            throw ApiException.refused("ServiceID missing");
        }
        local.removeService(request.rest());
        return Answer.empty(200);
    }

    private Answer maintenance(Request request) {
        if (request.rest().isEmpty()) {
            throw ApiException.badRequest("Missing service ID");
        }
        boolean enable = AgentRoutes.enable(request);
        local.serviceMaintenance(request.rest(), enable, request.query().first("reason"));
        return Answer.empty(200);
    }

    private Answer healthById(Request request) {
        String id = request.rest();
        if (id.isEmpty()) {
            throw ApiException.refused("Bad request: Missing serviceID");
        }
        Optional<AgentService> service = local.service(id);
        if (service.isPresent()) {
            ServiceHealth health = health(withoutHash(service.get()));
            return answer(request, health.aggregatedStatus(), health);
        }
        String reason = "ServiceId " + id + " not found";
        Object body = wantsText(request) ? reason : new ServiceHealth("critical", null, null);
        return Answer.json(request, body).withStatus(404).with("X-Consul-Reason", reason);
    }

    private Answer healthByName(Request request) {
        String name = request.rest();
        if (name.isEmpty()) {
            throw ApiException.refused("Bad request: Missing service Name");
        }
        var found = new ArrayList<ServiceHealth>();
        String worst = HealthCheck.PASSING;
        for (AgentService service : local.services().values()) {
            if (service.service().equals(name)) {
                ServiceHealth health = health(service);
                found.add(health);
                worst = worse(worst, health.aggregatedStatus());
            }
        }
        if (!found.isEmpty()) {
            return answer(request, worst, found);
        }
        String reason = "ServiceName " + name + " Not Found";
        Answer answer = wantsText(request) ? text(reason) : Answer.json(request, found);
        return answer.withStatus(404).with("X-Consul-Reason", reason);
    }

    private static Answer answer(Request request, String status, Object body) {
        int code =
                switch (status) {
                    case HealthCheck.PASSING -> 200;
                    case HealthCheck.WARNING -> 429;
                    default -> 503;
                };
        Answer answer = wantsText(request) ? text(status) : Answer.json(request, body);
        return answer.withStatus(code).with("X-Consul-Reason", status);
    }

    private static boolean wantsText(Request request) {
        String accept = request.header("Accept");
        return request.query().first("format").equals("text")
                || accept != null && accept.startsWith("text/plain");
    }

    private static Answer text(String word) {
        return Answer.json(word.getBytes(StandardCharsets.UTF_8))
                .withContentType("text/plain")
                .with("X-Content-Type-Options", "nosniff");
    }

    private ServiceHealth health(AgentService service) {
        List<HealthCheck> checks = local.checksOf(service.id());
        String worst = HealthCheck.PASSING;
        for (HealthCheck check : checks) {
            worst = worse(worst, isMaintenance(check) ? MAINTENANCE : check.status());
        }
        return new ServiceHealth(worst, service, checks.stream().map(CheckShape::of).toList());
    }

    private static boolean isMaintenance(HealthCheck check) {
        return check.checkId().equals(HealthCheck.NODE_MAINTENANCE)
                || check.checkId().startsWith(HealthCheck.SERVICE_MAINTENANCE_PREFIX);
    }

    private static String worse(String one, String other) {
        return rank(other) > rank(one) ? other : one;
    }

    private static int rank(String status) {
        return switch (status) {
            case MAINTENANCE -> 3;
            case HealthCheck.CRITICAL -> 2;
            case HealthCheck.WARNING -> 1;
            default -> 0;
        };
    }

    /** A check as Consul's client library writes it, which this one endpoint does. */
    record CheckShape(
            String node,
            String checkId,
            String name,
            String status,
            String notes,
            String output,
            String serviceId,
            String serviceName,
            @Nullable List<String> serviceTags,
            String type,
            DefinitionShape definition,
            long createIndex,
            long modifyIndex) {
        static CheckShape of(HealthCheck check) {
            return new CheckShape(
                    check.node(),
                    check.checkId(),
                    check.name(),
                    check.status(),
                    check.notes(),
                    check.output(),
                    check.serviceId(),
                    check.serviceName(),
                    check.serviceTags().isEmpty() ? null : check.serviceTags(),
                    "",
                    DefinitionShape.EMPTY,
                    0,
                    0);
        }
    }

    /** An empty definition with all its members. */
    record DefinitionShape(
            Duration interval,
            Duration timeout,
            Duration deregisterCriticalServiceAfter,
            String http,
            @Nullable SortedMap<String, List<String>> header,
            String method,
            String body,
            boolean tlsSkipVerify,
            String tcp) {
        static final DefinitionShape EMPTY =
                new DefinitionShape(
                        Duration.ZERO, Duration.ZERO, Duration.ZERO, "", null, "", "", false, "");
    }
}
