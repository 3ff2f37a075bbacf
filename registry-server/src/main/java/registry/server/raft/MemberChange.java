package registry.server.raft;

/** One change of one member of the group: never two at a time. */
public sealed interface MemberChange {
    /** Whom it is about. */
    String raftId();

    /** Gets the log, and has no vote. */
    record AddLearner(String raftId) implements MemberChange {}

    /** Gets nothing any more. */
    record RemoveLearner(String raftId) implements MemberChange {}

    /** Has a vote from now on; refused while it is not caught up. */
    record AddVoter(String raftId) implements MemberChange {}

    /** Has no vote any more. */
    record RemoveVoter(String raftId) implements MemberChange {}
}
