package registry.agent.gossip;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What members tell each other above the JGroups view; JSON on the wire.
 *
 * @param members of the sender itself after a join or change, of all that the coordinator knows to
 *     a joiner
 * @param prune name of a member to be forgotten
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record GossipMessage(List<MemberRecord> members, @Nullable String prune) {
    static GossipMessage about(List<MemberRecord> members) {
        return new GossipMessage(members, null);
    }
}
