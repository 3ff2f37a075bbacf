package registry.agent.gossip;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What members tell each other above the JGroups view; JSON on the wire.
 *
 * @param self what the sender says of itself
 * @param upMillis for how long the sender has run
 * @param members what the sender knows of all
 * @param prune name of a member to be forgotten
 * @param ask the receiver is to send its own record
 * @param refusal why the receiver's name or id is not accepted
 * @param event fired by a user
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record GossipMessage(
        @Nullable MemberRecord self,
        long upMillis,
        List<MemberRecord> members,
        @Nullable String prune,
        boolean ask,
        @Nullable String refusal,
        @Nullable UserEvent event) {
    static GossipMessage of(MemberRecord self, long upMillis) {
        return new GossipMessage(self, upMillis, List.of(), null, false, null, null);
    }

    static GossipMessage about(List<MemberRecord> members) {
        return new GossipMessage(null, 0, members, null, false, null, null);
    }

    static GossipMessage forget(String name) {
        return new GossipMessage(null, 0, List.of(), name, false, null, null);
    }

    static GossipMessage question() {
        return new GossipMessage(null, 0, List.of(), null, true, null, null);
    }

    /**
     * @param upMillis for how long the holder of the name has run
     */
    static GossipMessage refusal(String text, long upMillis) {
        return new GossipMessage(null, upMillis, List.of(), null, false, text, null);
    }

    static GossipMessage event(UserEvent event) {
        return new GossipMessage(null, 0, List.of(), null, false, null, event);
    }
}
