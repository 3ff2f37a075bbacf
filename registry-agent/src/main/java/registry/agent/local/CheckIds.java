package registry.agent.local;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import registry.agent.config.CheckDefinition;
import registry.agent.config.ServiceDefinition;
import registry.api.HealthCheck;

/** Names that checks have when their definition gives none. Source: consul-api 3.3, 3.4 */
final class CheckIds {
    private CheckIds() {}

    /** The checks of a service, with ids, names and the service they belong to. */
    static List<CheckDefinition> ofService(ServiceDefinition service) {
        List<CheckDefinition> named = new ArrayList<>();
        boolean several = service.checks().size() > 1;
        int number = 0;
        for (CheckDefinition check : service.checks()) {
            number++;
            String id = "service:" + service.id() + (several ? ":" + number : "");
            String name = "Service '" + service.name() + "' check";
            named.add(
                    as(
                            check,
                            check.id().isEmpty() ? id : check.id(),
                            check.name().isEmpty() ? name : check.name(),
                            service.id()));
        }
        return named;
    }

    /** A check on its own: its id defaults to its name. */
    static CheckDefinition named(CheckDefinition check) {
        String id = check.id().isEmpty() ? check.name() : check.id();
        return as(check, id, check.name().isEmpty() ? id : check.name(), check.serviceId());
    }

    static boolean isMaintenance(String checkId) {
        return checkId.equals(HealthCheck.NODE_MAINTENANCE)
                || checkId.startsWith(HealthCheck.SERVICE_MAINTENANCE_PREFIX);
    }

    /** A check that is critical as long as it is there. */
    static CheckDefinition maintenance(String id, String name, String reason, String serviceId) {
        return new CheckDefinition(
                id,
                name,
                reason,
                serviceId,
                HealthCheck.CRITICAL,
                "",
                List.of(),
                "",
                "",
                "",
                "",
                Map.of(),
                "",
                false,
                "",
                "",
                false,
                "",
                "",
                null,
                null,
                null,
                0,
                0,
                null,
                0);
    }

    private static CheckDefinition as(CheckDefinition c, String id, String name, String serviceId) {
        return new CheckDefinition(
                id,
                name,
                c.notes(),
                serviceId,
                c.status(),
                c.token(),
                c.args(),
                c.shell(),
                c.dockerContainerId(),
                c.http(),
                c.method(),
                c.header(),
                c.body(),
                c.tlsSkipVerify(),
                c.tcp(),
                c.grpc(),
                c.grpcUseTls(),
                c.aliasNode(),
                c.aliasService(),
                c.interval(),
                c.timeout(),
                c.ttl(),
                c.successBeforePassing(),
                c.failuresBeforeCritical(),
                c.deregisterCriticalServiceAfter(),
                c.outputMaxSize());
    }
}
