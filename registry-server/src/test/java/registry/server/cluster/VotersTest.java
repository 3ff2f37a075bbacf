package registry.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import registry.server.cluster.ServerFacts.Promise;
import registry.server.leader.Members;
import registry.server.leader.Members.State;
import registry.server.raft.MemberChange;

class VotersTest {
    private static Voters.Candidate member(String raftId, State state) {
        return member(raftId, state, "c1");
    }

    private static Voters.Candidate member(String raftId, State state, String cluster) {
        String name = raftId.substring(0, 1);
        return new Voters.Candidate(
                new Members.Peer(
                        name,
                        name,
                        "127.0.0.1",
                        true,
                        8300,
                        state,
                        new TreeMap<>(),
                        new TreeMap<>()),
                new ServerFacts(raftId, cluster, 3, Promise.NONE));
    }

    private static Optional<MemberChange> next(Voters voters, Voters.Candidate... members) {
        return voters.next(Arrays.asList(members), "c1", (raftId, name) -> raftId.startsWith(name));
    }

    private static Voters voters(Set<String> all, Set<String> alive) {
        return new Voters("a1", all, alive, Set.of(), Set.of());
    }

    @Test
    void aNewcomerLearnsThenVotes() {
        var newcomer = member("d1", State.ALIVE);
        Set<String> abc = Set.of("a1", "b1", "c1");
        assertThat(next(voters(abc, abc), newcomer)).contains(new MemberChange.AddLearner("d1"));
        assertThat(next(new Voters("a1", abc, abc, Set.of("d1"), Set.of()), newcomer)).isEmpty();
        assertThat(next(new Voters("a1", abc, abc, Set.of("d1"), Set.of("d1")), newcomer))
                .contains(new MemberChange.AddVoter("d1"));
        assertThat(next(voters(abc, abc), member("e1", State.ALIVE, "other"))).isEmpty();
    }

    @Test
    void aWipedServerReplacesWhatItWas() {
        Set<String> all = Set.of("a1", "b1", "c1");
        var wiped = member("c2", State.ALIVE);
        var group = new Voters("a1", all, Set.of("a1", "b1"), Set.of("c2"), Set.of("c2"));
        assertThat(next(group, wiped)).contains(new MemberChange.RemoveVoter("c1"));
        var noQuorum = new Voters("a1", all, Set.of("a1"), Set.of("c2"), Set.of("c2"));
        assertThat(next(noQuorum, wiped)).isEmpty();
    }

    /** Who has just come to lead has not missed anybody yet. */
    @Test
    void aWipedServerNeverVotesBesideWhatItWas() {
        Set<String> all = Set.of("a1", "b1", "c1");
        var wiped = member("c2", State.ALIVE);
        var justLeading = new Voters("a1", all, all, Set.of("c2"), Set.of("c2"));
        assertThat(next(justLeading, wiped)).isEmpty();
        Set<String> both = Set.of("a1", "b1", "c1", "c2");
        assertThat(next(voters(both, Set.of("a1", "b1", "c2")), wiped))
                .contains(new MemberChange.RemoveVoter("c1"));
        assertThat(next(voters(Set.of("a1", "b1", "c2"), both), wiped)).isEmpty();
    }

    @Test
    void whoLeavesVotesNoMoreAndWhoCrashedGoesOn() {
        Set<String> abc = Set.of("a1", "b1", "c1");
        assertThat(next(voters(abc, abc), member("c1", State.LEAVING)))
                .contains(new MemberChange.RemoveVoter("c1"));
        assertThat(next(voters(abc, Set.of("a1", "b1")), member("c1", State.FAILED))).isEmpty();
        assertThat(next(voters(abc, abc), member("a1", State.LEAVING))).isEmpty();
    }

    @Test
    void neverBelowQuorum() {
        Set<String> abc = Set.of("a1", "b1", "c1");
        assertThat(voters(abc, Set.of("a1", "b1")).canDoWithout("c1")).isTrue();
        assertThat(voters(abc, Set.of("a1", "c1")).canDoWithout("c1")).isFalse();
        assertThat(voters(Set.of("a1"), Set.of("a1")).canDoWithout("a1")).isFalse();
        assertThat(next(voters(abc, Set.of("a1", "c1")), member("c1", State.LEFT))).isEmpty();
    }

    @Test
    void aLearnerThatHasGoneIsForgotten() {
        var group = new Voters("a1", Set.of("a1"), Set.of("a1"), Set.of("d1"), Set.of());
        assertThat(next(group, member("d1", State.FAILED)))
                .contains(new MemberChange.RemoveLearner("d1"));
        assertThat(group.next(List.of(), "c1", (raftId, name) -> false))
                .contains(new MemberChange.RemoveLearner("d1"));
    }
}
