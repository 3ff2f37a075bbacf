package registry.agent.gossip;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import registry.server.leader.Members.State;

class MemberTableTest {
    private final MemberTable table = new MemberTable(50, 20);

    private static MemberRecord record(long incarnation, State state, long since) {
        return record(incarnation, 1, state, since);
    }

    private static MemberRecord record(long incarnation, long version, State state, long since) {
        return new MemberRecord(
                "id",
                "N2",
                "127.0.0.1",
                1,
                false,
                0,
                new TreeMap<>(),
                new TreeMap<>(),
                "via-" + incarnation,
                incarnation,
                version,
                state,
                since);
    }

    @Test
    void whoeverSaidGoodbyeLeftAndWhoDidNotFailed() {
        table.merge(record(1, State.ALIVE, 1), 10);
        assertThat(table.gone("n2", "via-1", 5)).isTrue();
        assertThat(table.find("n2").orElseThrow().state()).isEqualTo(State.FAILED);

        table.merge(record(2, State.ALIVE, 6), 10);
        table.merge(record(2, State.LEAVING, 7), 10);
        assertThat(table.gone("n2", "via-2", 8)).isTrue();
        assertThat(table.find("n2").orElseThrow().state()).isEqualTo(State.LEFT);
    }

    @Test
    void theDeathOfAnEarlierIncarnationDoesNotTouchTheLater() {
        table.merge(record(2, State.ALIVE, 6), 10);
        assertThat(table.gone("n2", "via-1", 8)).isFalse();
        assertThat(table.merge(record(1, State.FAILED, 9), 10)).isFalse();
        assertThat(table.find("n2").orElseThrow().state()).isEqualTo(State.ALIVE);
    }

    @Test
    void aMembersOwnLaterWordBeatsWhatOthersSawWhateverTheirClocksSay() {
        table.merge(record(1, 1, State.ALIVE, 1), 10);
        table.gone("n2", "via-1", 1_000);
        assertThat(table.merge(record(1, 1, State.ALIVE, 2_000), 10)).isTrue();
        table.gone("n2", "via-1", 3_000);
        assertThat(table.merge(record(1, 2, State.ALIVE, 5), 10)).isTrue();
        assertThat(table.find("n2").orElseThrow().state()).isEqualTo(State.ALIVE);
    }

    @Test
    void leftIsFinalWithinAnIncarnation() {
        table.merge(record(1, State.LEFT, 5), 10);
        assertThat(table.merge(record(1, State.ALIVE, 6), 10)).isFalse();
        assertThat(table.merge(record(2, State.ALIVE, 7), 10)).isTrue();
    }

    @Test
    void whoFailedAndIsThenSaidToHaveLeftHasLeftWhicheverWordOfItsOwnWasHeard() {
        table.merge(record(1, 2, State.FAILED, 9), 10);
        assertThat(table.merge(record(1, 1, State.LEFT, 5), 10)).isTrue();
        assertThat(table.merge(record(1, 3, State.FAILED, 9), 10)).isFalse();
        assertThat(table.merge(record(1, 2, State.ALIVE, 9), 10)).isFalse();
        assertThat(table.find("n2").orElseThrow().state()).isEqualTo(State.LEFT);
        assertThat(table.merge(record(1, 3, State.ALIVE, 9), 10)).isTrue();
    }

    @Test
    void failedAndLeftAreForgottenAfterTheirTimes() {
        table.merge(record(1, State.FAILED, 10), 10);
        assertThat(table.reap(60)).isFalse();
        assertThat(table.reap(61)).isTrue();
        assertThat(table.all()).isEmpty();
    }
}
