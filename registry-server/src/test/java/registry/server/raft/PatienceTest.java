package registry.server.raft;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import com.alipay.sofa.jraft.util.timer.Timer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Elections that are broken off by the next one, on busy machines, come to an end. */
class PatienceTest {
    private final Patience patience = new Patience();
    private final long now = System.nanoTime();

    @Test
    void nothingIsLongerThanPlannedAtFirst() {
        assertThat(patience.factor(now)).isEqualTo(1);
        patience.ran(MILLISECONDS.toNanos(50), now);
        assertThat(patience.factor(now)).isEqualTo(1);
    }

    @Test
    void eachElectionThatFailsDoublesUpToALimit() {
        for (int factor : new int[] {2, 4, 8, 8}) {
            patience.failed(now);
            assertThat(patience.factor(now)).isEqualTo(factor);
        }
    }

    @Test
    void whoIsHeldUpHimselfWaitsLonger() {
        patience.ran(MILLISECONDS.toNanos(300), now);
        patience.ran(MILLISECONDS.toNanos(300), now);
        assertThat(patience.factor(now)).isEqualTo(2);
    }

    @Test
    void itIsForgottenWhenAllIsQuiet() {
        patience.failed(now);
        patience.failed(now);
        assertThat(patience.factor(now + SECONDS.toNanos(4))).isEqualTo(4);
        assertThat(patience.factor(now + SECONDS.toNanos(6))).isEqualTo(1);
        patience.failed(now + SECONDS.toNanos(6));
        assertThat(patience.factor(now + SECONDS.toNanos(6))).isEqualTo(2);
    }

    @Test
    void theEnginesTimersHaveIt() throws Exception {
        var timers = new RaftTimers();
        Timer votes = timers.getVoteTimer(false, "JRaft-VoteTimer-<a>");
        ranAfterMillis(votes, 1);
        ranAfterMillis(votes, 1);
        Timer elections = timers.getElectionTimer(false, "JRaft-ElectionTimer-<a>");
        assertThat(ranAfterMillis(elections, 200)).isGreaterThanOrEqualTo(800);
        Timer ofAnother = timers.getElectionTimer(false, "JRaft-ElectionTimer-<b>");
        assertThat(ranAfterMillis(ofAnother, 200)).isLessThan(800);
    }

    /** Else the engine would depose a leader whose quorum is silent for half a second. */
    @Test
    void aLookForTheQuorumThatIsPutOffComesLater() throws Exception {
        var asked = new AtomicInteger();
        RaftTimers.lookForQuorum("<c>", () -> asked.incrementAndGet() == 4);
        try {
            Timer looks = new RaftTimers().getStepDownTimer(false, "JRaft-StepDownTimer-<c>");
            assertThat(ranAfterMillis(looks, 50)).isGreaterThanOrEqualTo(200);
            assertThat(asked).hasValue(4);
        } finally {
            RaftTimers.forget("<c>");
        }
    }

    private static long ranAfterMillis(Timer timer, long planned) throws Exception {
        long begun = System.nanoTime();
        var ran = new CompletableFuture<Long>();
        timer.newTimeout(timeout -> ran.complete(System.nanoTime()), planned, MILLISECONDS);
        return (ran.get(10, SECONDS) - begun) / 1_000_000;
    }
}
