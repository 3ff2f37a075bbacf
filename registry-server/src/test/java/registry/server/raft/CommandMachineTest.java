package registry.server.raft;

import static org.assertj.core.api.Assertions.assertThat;

import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.entity.EnumOutter;
import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.error.RaftException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class CommandMachineTest {
    private final List<String> calls = new ArrayList<>();

    /**
     * The engine throws when it is asked for its voters and has lost the lead since it said that it
     * leads. Nothing more was ever applied then.
     */
    @Test
    void whoHasLostTheLeadMeanwhileGoesOn() {
        var machine =
                new CommandMachine(
                        new Recording(),
                        Runnable::run,
                        1_000,
                        () -> {},
                        () -> {
                            throw new IllegalStateException("Not leader");
                        },
                        (why, cause) -> calls.add(why));
        machine.onLeaderStart(3);
        assertThat(machine.isSoleVoter()).isFalse();
        assertThat(calls).containsExactly("leading 3");
    }

    /** After a failed write the engine is of no use any more, and says so only here. */
    @Test
    void anEngineThatFailedStopsTheServer() {
        var machine =
                new CommandMachine(
                        new Recording(),
                        Runnable::run,
                        1_000,
                        () -> {},
                        () -> 1,
                        (why, cause) -> calls.add(why));
        machine.onError(
                new RaftException(
                        EnumOutter.ErrorType.ERROR_TYPE_LOG,
                        new Status(RaftError.EIO, "no space left")));
        assertThat(calls).hasSize(1);
        assertThat(calls.getFirst()).contains("the Raft engine failed", "no space left");
    }

    private final class Recording implements Applier {
        @Override
        public Object apply(long index, byte[] command) {
            return index;
        }

        @Override
        public Snapshot snapshot() {
            return out -> {};
        }

        @Override
        public void load(InputStream in) {}

        @Override
        public void leading(long term) {
            calls.add("leading " + term);
        }

        @Override
        public void following() {
            calls.add("following");
        }
    }
}
