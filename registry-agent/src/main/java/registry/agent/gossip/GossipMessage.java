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
 * @param keyringAsk what the receiver is to do with its keyring
 * @param keyringAnswer what has become of it
 * @param comparison whether sender and receiver know the same
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record GossipMessage(
        @Nullable MemberRecord self,
        long upMillis,
        List<MemberRecord> members,
        @Nullable String prune,
        boolean ask,
        @Nullable String refusal,
        @Nullable UserEvent event,
        @Nullable KeyringAsk keyringAsk,
        @Nullable KeyringAnswer keyringAnswer,
        @Nullable Comparison comparison) {
    /**
     * A round of {@link KeyringRounds}.
     *
     * @param key base64; empty to list
     */
    record KeyringAsk(String round, KeyringOp op, String key) {}

    /**
     * @param error empty when it is done
     * @param keys those of the ring after it, the primary one first
     */
    record KeyringAnswer(String round, String node, String error, List<String> keys) {}

    /**
     * A digest, the answer of whoever has another one, and what the first has to add: the latter
     * two come with all members.
     *
     * @param hop 0, 1, 2
     * @param forgotten addresses in the group of the processes that were forgotten on demand
     */
    record Comparison(int hop, long digest, List<String> forgotten) {
        static final int LAST_HOP = 2;
    }

    static GossipMessage of(MemberRecord self, long upMillis) {
        return new GossipMessage(
                self, upMillis, List.of(), null, false, null, null, null, null, null);
    }

    static GossipMessage about(List<MemberRecord> members) {
        return new GossipMessage(null, 0, members, null, false, null, null, null, null, null);
    }

    static GossipMessage forget(String name) {
        return new GossipMessage(null, 0, List.of(), name, false, null, null, null, null, null);
    }

    static GossipMessage question() {
        return new GossipMessage(null, 0, List.of(), null, true, null, null, null, null, null);
    }

    /**
     * @param upMillis for how long the holder of the name has run
     */
    static GossipMessage refusal(String text, long upMillis) {
        return new GossipMessage(
                null, upMillis, List.of(), null, false, text, null, null, null, null);
    }

    static GossipMessage event(UserEvent event) {
        return new GossipMessage(null, 0, List.of(), null, false, null, event, null, null, null);
    }

    static GossipMessage ask(KeyringAsk ask) {
        return new GossipMessage(null, 0, List.of(), null, false, null, null, ask, null, null);
    }

    static GossipMessage answer(KeyringAnswer answer) {
        return new GossipMessage(null, 0, List.of(), null, false, null, null, null, answer, null);
    }

    static GossipMessage comparison(Comparison comparison, List<MemberRecord> members) {
        return new GossipMessage(null, 0, members, null, false, null, null, null, null, comparison);
    }
}
