package registry.agent.http;

import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import registry.agent.check.CheckHistory;
import registry.agent.config.CheckDefinition;
import registry.agent.config.DefinitionRules;
import registry.agent.http.Route.Trait;
import registry.agent.local.LocalState;
import registry.agent.local.LocalState.Source;
import registry.api.ApiException;
import registry.api.HealthCheck;
import registry.server.filter.Schemas;
import registry.server.rpc.Servers;

/** {@code /v1/agent/check} and its kin: the checks this agent owns. Source: consul-api 3.4. */
final class AgentCheckRoutes {
    private static final Set<String> STATUSES =
            Set.of(HealthCheck.PASSING, HealthCheck.WARNING, HealthCheck.CRITICAL);

    private static final Answer DONE = Answer.empty(200);

    private final LocalState local;
    private final CheckHistory history;

    AgentCheckRoutes(LocalState local, CheckHistory history) {
        this.local = local;
        this.history = history;
    }

    void addTo(RouteTable.Builder table) {
        table.plain("GET", "/v1/agent/checks", Handler.plain(this::checks), Trait.NAMESPACED);
        table.plain("GET", "/v1/agent/check/history/", Handler.plain(this::history));
        table.write(
                "PUT", "/v1/agent/check/register", Handler.plain(this::register), Trait.NAMESPACED);
        table.write(
                "PUT",
                "/v1/agent/check/deregister/",
                Handler.plain(this::deregister),
                Trait.NAMESPACED);
        ttl(table, "pass", HealthCheck.PASSING);
        ttl(table, "warn", HealthCheck.WARNING);
        ttl(table, "fail", HealthCheck.CRITICAL);
        table.write(
                "PUT", "/v1/agent/check/update/", Handler.plain(this::update), Trait.NAMESPACED);
        table.plain("PUT", "/v1/agent/maintenance", Handler.plain(this::maintenance));
    }

    private void ttl(RouteTable.Builder table, String verb, String status) {
        table.write(
                "PUT",
                "/v1/agent/check/" + verb + "/",
                new TtlReport(local, status),
                Trait.NAMESPACED);
    }

    /** Takes the report of one verb; one that says nothing new, as most do, costs no thread. */
    private record TtlReport(LocalState local, String status) implements Handler {
        @Override
        public @Nullable Answer quick(Request request) {
            return local.repeatTtl(request.rest(), status, request.query().first("note"))
                    ? DONE
                    : null;
        }

        @Override
        public Servers.@Nullable Held handle(Request request, Consumer<Answer> then) {
            local.updateTtl(request.rest(), status, request.query().first("note"));
            then.accept(DONE);
            return null;
        }
    }

    private Answer checks(Request request) {
        return Answer.json(
                request, AgentServiceRoutes.filtered(request, local.checks(), Schemas.CHECK));
    }

    private Answer history(Request request) {
        if (request.rest().isEmpty()) {
            throw ApiException.badRequest("Missing check ID");
        }
        return Answer.json(request, history.of(request.rest()));
    }

    private Answer register(Request request) {
        CheckDefinition check = Definitions.check(request.body());
        DefinitionRules.registeredCheckFault(check)
                .ifPresent(fault -> {
                    throw ApiException.badRequest(fault);
                });
        local.addCheck(check, Source.API);
        return Answer.empty(200);
    }

    private Answer deregister(Request request) {
        if (request.rest().isEmpty()) {
            throw ApiException.refused("CheckID missing");
        }
        local.removeCheck(request.rest());
        return Answer.empty(200);
    }

    private Answer update(Request request) {
        Definitions.Result result = Definitions.result(request.body());
        if (!STATUSES.contains(result.status())) {
            throw ApiException.badRequest("Invalid check status: '" + result.status() + "'");
        }
        local.updateTtl(request.rest(), result.status(), result.output());
        return Answer.empty(200);
    }

    private Answer maintenance(Request request) {
        boolean enable = AgentRoutes.enable(request);
        local.nodeMaintenance(enable, request.query().first("reason"));
        return Answer.empty(200);
    }
}
