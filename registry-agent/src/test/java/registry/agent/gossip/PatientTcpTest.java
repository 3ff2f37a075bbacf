package registry.agent.gossip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static registry.agent.gossip.TestNode.awaitAll;
import static registry.agent.gossip.TestNode.freePort;
import static registry.agent.gossip.TestNode.node;
import static registry.agent.gossip.TestNode.start;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jgroups.Address;
import org.jgroups.BytesMessage;
import org.junit.jupiter.api.Test;

class PatientTcpTest {
    private static final Duration SAMPLE = Duration.ofSeconds(1);

    /**
     * Seen with fifty members: what was queued for a former member kept a thread busy for ever, two
     * of them all virtual threads of a machine with two cores.
     */
    @Test
    void whatIsQueuedForAFormerMemberCostsNothing() throws Exception {
        int first = freePort();
        try (var n1 = start(node("n1", first));
                var n2 = start(node("n2", freePort(), first))) {
            awaitAll(List.of(n1, n2), 2);
            Address other = n2.channel().getAddress();
            var transport = (PatientTcp) n1.channel().getProtocolStack().getTransport();
            Thread talker =
                    Thread.startVirtualThread(() -> {
                        for (int i = 0; i < 2_000; i++) {
                            try {
                                n1.channel().send(new BytesMessage(other, new byte[10_000]));
                            } catch (Exception over) {
                                return;
                            }
                        }
                    });
            while (talker.isAlive()) {
                transport.cutAll();
                LockSupport.parkNanos(1_000_000);
            }
            await().atMost(30, TimeUnit.SECONDS)
                    .untilAsserted(() -> assertThat(cpuOf(SAMPLE)).isLessThan(SAMPLE.dividedBy(2)));
        }
    }

    private static Duration cpuOf(Duration time) {
        var process = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        long before = process.getProcessCpuTime();
        LockSupport.parkNanos(time.toNanos());
        return Duration.ofNanos(process.getProcessCpuTime() - before);
    }
}
