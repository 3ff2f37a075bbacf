package registry.agent.check;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import registry.agent.local.FakeServers;
import registry.api.HealthCheck;
import registry.api.HealthCheckDefinition;
import registry.api.NodeService;
import registry.api.Weights;

class RemoteAliasTest {
    private final FakeServers servers = new FakeServers();
    private final BlockingQueue<CheckResult> results = new LinkedBlockingQueue<>();
    private final CheckScheduler scheduler =
            new CheckScheduler(new ManualTimers(), servers, new SplittableRandom(1), 4096);

    @Test
    void followsAServiceOfAnotherNode() throws Exception {
        CheckScheduler.Job job = scheduler.follow(Checks.alias("al", "n2", "web"), results::add);
        try {
            assertThat(results.poll(20, SECONDS))
                    .isEqualTo(CheckResult.critical("Service web could not be found on node n2"));

            servers.registerElsewhere("n2", web());
            assertThat(results.poll(20, SECONDS))
                    .isEqualTo(CheckResult.passing("No checks found."));

            servers.registerElsewhere("n2", web(), check("critical"));
            assertThat(results.poll(20, SECONDS))
                    .isEqualTo(CheckResult.critical("Aliased check \"alive\" failing: out"));
        } finally {
            job.stop();
        }
    }

    private static NodeService web() {
        return new NodeService(
                "", "web", "web", List.of(), "", null, null, 80, Weights.DEFAULT, false, 0, 0);
    }

    private static HealthCheck check(String status) {
        return new HealthCheck(
                "n2",
                "a",
                "alive",
                status,
                "",
                "out",
                "web",
                "web",
                List.of(),
                "ttl",
                HealthCheckDefinition.NONE,
                0,
                0);
    }
}
