package registry.agent.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import registry.api.HealthCheck;
import registry.api.HealthCheckDefinition;

class AliasCheckTest {
    @Test
    void serviceThatIsNotThereIsCritical() {
        assertThat(AliasCheck.judge("", "nosuch", List.of(), false))
                .isEqualTo(CheckResult.critical("Service nosuch could not be found on node "));
    }

    @Test
    void serviceWithoutChecksPasses() {
        assertThat(AliasCheck.judge("", "web", List.of(check("db", "critical")), true))
                .isEqualTo(CheckResult.passing("No checks found."));
    }

    @Test
    void worstCheckOfTheServiceOrItsNodeCounts() {
        var passing = check("web", "passing");
        var warning = check("web", "warning");
        var critical = check("", "critical");

        assertThat(AliasCheck.judge("n", "web", List.of(passing), true))
                .isEqualTo(CheckResult.passing("All checks passing."));
        assertThat(AliasCheck.judge("n", "web", List.of(warning, passing), true))
                .isEqualTo(CheckResult.warning("Aliased check \"name\" failing: out"));
        assertThat(AliasCheck.judge("n", "web", List.of(warning, critical, warning), true).status())
                .isEqualTo("critical");
        assertThat(
                        AliasCheck.judge(
                                        "n",
                                        "",
                                        List.of(check("web", "critical"), check("", "warning")),
                                        true)
                                .status())
                .isEqualTo("warning");
    }

    private static HealthCheck check(String service, String status) {
        return new HealthCheck(
                "n",
                "id",
                "name",
                status,
                "",
                "out",
                service,
                "",
                List.of(),
                "ttl",
                HealthCheckDefinition.NONE,
                0,
                0);
    }
}
