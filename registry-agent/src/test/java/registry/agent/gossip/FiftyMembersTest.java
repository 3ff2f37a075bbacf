package registry.agent.gossip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static registry.agent.gossip.TestNode.freePort;
import static registry.agent.gossip.TestNode.kill;
import static registry.agent.gossip.TestNode.node;
import static registry.agent.gossip.TestNode.start;
import static registry.agent.gossip.TestNode.statusOf;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import registry.agent.gossip.seal.Keyring;
import registry.api.Member;

class FiftyMembersTest {
    private static final String KEY = "pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s=";

    /** They all come at once, as after a power cut, and their gossip is sealed. */
    @Test
    void fiftyAgentsFormOneClusterAndSeeOneDie() throws Exception {
        List<JGroupsMembership> members = new ArrayList<>();
        try (var starters = Executors.newFixedThreadPool(8)) {
            long began = System.nanoTime();
            int first = freePort();
            Keyring ring = Keyring.open(KEY, null, true, true);
            members.add(start(node("n1", first).with(ring)));
            List<Callable<JGroupsMembership>> starts = new ArrayList<>();
            for (int i = 2; i <= 50; i++) {
                TestNode node = node("n" + i, freePort(), first).with(ring);
                starts.add(() -> start(node));
            }
            for (Future<JGroupsMembership> started : starters.invokeAll(starts)) {
                members.add(started.get());
            }
            await().atMost(300, TimeUnit.SECONDS)
                    .untilAsserted(() -> {
                        for (JGroupsMembership member : members) {
                            assertThat(alive(member)).isEqualTo(50);
                        }
                    });

            System.out.printf(
                    "50 agents: one cluster after %d ms%n",
                    (System.nanoTime() - began) / 1_000_000);

            JGroupsMembership victim = members.remove(30);
            String name = victim.self().name();
            long killed = System.nanoTime();
            kill(victim);
            victim.close();
            await().pollInterval(Duration.ofMillis(10))
                    .atMost(30, TimeUnit.SECONDS)
                    .untilAsserted(() -> {
                        for (JGroupsMembership member : members) {
                            assertThat(statusOf(member, name)).isEqualTo(Member.FAILED);
                        }
                    });
            System.out.printf(
                    "50 agents: a death is seen by all after %d ms%n",
                    (System.nanoTime() - killed) / 1_000_000);
            for (JGroupsMembership member : members) {
                assertThat(alive(member)).isEqualTo(49);
            }
        } finally {
            try (var closers = Executors.newVirtualThreadPerTaskExecutor()) {
                members.forEach(member -> closers.execute(member::close));
            }
        }
    }

    private static long alive(Membership member) {
        return member.members().stream().filter(one -> one.status() == Member.ALIVE).count();
    }
}
