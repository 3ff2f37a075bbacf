package registry.server.cluster;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import registry.server.leader.Members;

/**
 * What a server says of itself in gossip, besides its address.
 *
 * @param raftId who it is to Raft
 * @param clusterId the cluster it takes part in; empty before
 * @param expect its {@code bootstrap_expect}
 * @param promise the cluster it has promised to found, and with whom; {@link Promise#NONE} before
 */
record ServerFacts(String raftId, String clusterId, int expect, Promise promise) {
    private static final String RAFT_ID = "raft_id";
    private static final String CLUSTER_ID = "cluster_id";
    private static final String EXPECT = "expect";
    private static final String PROMISE = "founders";
    private static final String COMMAND_VERSION = "command_version";

    /** The newest version of commands that this program reads. */
    private static final String READS = "1";

    /** Raft ids that found a cluster together; a server gives one promise in its disk's life. */
    record Promise(String clusterId, List<String> founders) {
        static final Promise NONE = new Promise("", List.of());

        boolean isGiven() {
            return !founders.isEmpty();
        }
    }

    SortedMap<String, String> toMap() {
        return new TreeMap<>(
                Map.of(
                        RAFT_ID,
                        raftId,
                        CLUSTER_ID,
                        clusterId,
                        EXPECT,
                        String.valueOf(expect),
                        PROMISE,
                        promise.isGiven()
                                ? promise.clusterId() + "/" + String.join(",", promise.founders())
                                : "",
                        COMMAND_VERSION,
                        READS));
    }

    /** What a member says; nothing of one that is no server, or has not spoken yet. */
    static Optional<ServerFacts> of(Members.Peer member) {
        Map<String, String> facts = member.facts();
        String raftId = facts.getOrDefault(RAFT_ID, "");
        if (!member.server() || raftId.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(
                new ServerFacts(
                        raftId,
                        facts.getOrDefault(CLUSTER_ID, ""),
                        number(facts.getOrDefault(EXPECT, "0")),
                        promise(facts.getOrDefault(PROMISE, ""))));
    }

    private static int number(String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    private static Promise promise(String text) {
        int slash = text.indexOf('/');
        return slash < 0
                ? Promise.NONE
                : new Promise(
                        text.substring(0, slash),
                        Arrays.asList(text.substring(slash + 1).split(",")));
    }
}
