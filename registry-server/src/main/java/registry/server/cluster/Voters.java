package registry.server.cluster;

import java.util.Collection;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiPredicate;
import registry.server.leader.Members;
import registry.server.leader.Members.State;
import registry.server.raft.MemberChange;

/**
 * Which member the leader changes next: newcomers learn, then vote; who left votes no more; who
 * crashed goes on being a voter, since a quorum that forgets is none.
 *
 * @param self the leader's raft id
 * @param voters all voters
 * @param aliveVoters those that the leader hears
 * @param learners all learners
 * @param readyLearners those that answer and have caught up: a vote given earlier would be waited
 *     for
 */
record Voters(
        String self,
        Set<String> voters,
        Set<String> aliveVoters,
        Set<String> learners,
        Set<String> readyLearners) {

    /** A member of gossip with its facts. */
    record Candidate(Members.Peer member, ServerFacts facts) {}

    /**
     * @param clusterId ours: members of others are none of our business
     * @param isOf whether a raft id was made on a node of that name
     */
    Optional<MemberChange> next(
            Collection<Candidate> candidates, String clusterId, BiPredicate<String, String> isOf) {
        Set<String> alive = new HashSet<>();
        Set<String> leaving = new HashSet<>();
        for (Candidate candidate : candidates) {
            if (!candidate.facts().clusterId().equals(clusterId)) {
                continue;
            }
            if (candidate.member().state() == State.ALIVE) {
                alive.add(candidate.facts().raftId());
            } else if (candidate.member().state() != State.FAILED) {
                leaving.add(candidate.facts().raftId());
            }
        }
        for (String learner : learners) {
            if (!alive.contains(learner)) {
                return Optional.of(new MemberChange.RemoveLearner(learner));
            }
        }
        for (String voter : voters) {
            if (leaving.contains(voter) && !voter.equals(self) && canDoWithout(voter)) {
                return Optional.of(new MemberChange.RemoveVoter(voter));
            }
        }
        for (Candidate candidate : candidates) {
            String raftId = candidate.facts().raftId();
            if (!alive.contains(raftId)) {
                continue;
            }
            if (!voters.contains(raftId) && !learners.contains(raftId)) {
                return Optional.of(new MemberChange.AddLearner(raftId));
            }
            if (!voters.contains(raftId) && !readyLearners.contains(raftId)) {
                continue;
            }
            Optional<String> past = past(candidate, alive, isOf);
            if (past.isPresent()) {
                if (!aliveVoters.contains(past.get()) && canDoWithout(past.get())) {
                    return Optional.of(new MemberChange.RemoveVoter(past.get()));
                }
                // A new leader takes all for alive at first. With both the dead one would be
                // counted in every quorum, and nothing would ever take it out.
                continue;
            }
            if (!voters.contains(raftId)) {
                return Optional.of(new MemberChange.AddVoter(raftId));
            }
        }
        return Optional.empty();
    }

    /** The voter that the same node was before it lost its disk. */
    private Optional<String> past(
            Candidate present, Set<String> alive, BiPredicate<String, String> isOf) {
        return voters.stream()
                .filter(voter -> isOf.test(voter, present.member().name()))
                .filter(voter -> !alive.contains(voter))
                .findFirst();
    }

    /** True when the others that the leader hears are a quorum of what remains. */
    boolean canDoWithout(String voter) {
        Set<String> remaining = new HashSet<>(voters);
        remaining.remove(voter);
        int heard = 0;
        for (String other : remaining) {
            if (other.equals(self) || aliveVoters.contains(other)) {
                heard++;
            }
        }
        return !remaining.isEmpty() && heard > remaining.size() / 2;
    }
}
