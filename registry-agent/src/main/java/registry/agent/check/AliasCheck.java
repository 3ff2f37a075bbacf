package registry.agent.check;

import java.util.List;
import registry.api.HealthCheck;

/**
 * The state of something else as a check of one's own: the worst of another service's or node's
 * checks.
 */
public final class AliasCheck {
    private AliasCheck() {}

    /**
     * @param node as the definition names it, possibly empty
     * @param service id of the aliased service; empty: the node itself
     * @param checks those of the node; the ones of other services do not count
     * @param exists whether the service is registered there
     */
    public static CheckResult judge(
            String node, String service, List<HealthCheck> checks, boolean exists) {
        if (!service.isEmpty() && !exists) {
            return CheckResult.critical(
                    "Service " + service + " could not be found on node " + node);
        }
        String output = "No checks found.";
        HealthCheck worst = null;
        for (HealthCheck check : checks) {
            if (!check.serviceId().isEmpty() && !check.serviceId().equalsIgnoreCase(service)) {
                continue;
            }
            output = "All checks passing.";
            if (severity(check) > (worst == null ? 0 : severity(worst))) {
                worst = check;
            }
        }
        return worst == null
                ? CheckResult.passing(output)
                : new CheckResult(
                        worst.status(),
                        "Aliased check \"" + worst.name() + "\" failing: " + worst.output());
    }

    private static int severity(HealthCheck check) {
        return switch (check.status()) {
            case HealthCheck.PASSING -> 0;
            case HealthCheck.WARNING -> 1;
            default -> 2;
        };
    }
}
