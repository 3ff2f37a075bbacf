package registry.agent.check;

import registry.api.HealthCheck;

/**
 * What a check found.
 *
 * @param status passing, warning or critical
 * @param output text for people, already cut to the check's limit
 */
public record CheckResult(String status, String output) {
    static CheckResult passing(String output) {
        return new CheckResult(HealthCheck.PASSING, output);
    }

    static CheckResult warning(String output) {
        return new CheckResult(HealthCheck.WARNING, output);
    }

    static CheckResult critical(String output) {
        return new CheckResult(HealthCheck.CRITICAL, output);
    }
}
