package registry.agent.gossip;

import java.util.List;
import registry.api.Member;
import registry.server.leader.Members;

/** The gossip cluster as seen from this node. */
public interface Membership extends Members, AutoCloseable {
    /** All members this node knows, in the shape of {@code /v1/agent/members}, sorted by name. */
    List<Member> members();

    /** This node's own entry. */
    Member self();

    /**
     * Contacts the addresses ({@code host} or {@code host:port}).
     *
     * @return how many of them answered
     * @throws registry.api.ApiException REFUSED with Consul's text when none did
     */
    int join(List<String> addresses);

    /**
     * Tells all members that this node leaves on purpose, then leaves the cluster; returns when
     * they know or after 5 s.
     */
    void leave();

    /**
     * Declares a failed member left; with {@code prune} it is also forgotten.
     *
     * @throws registry.api.ApiException REFUSED {@code agent: No node found with name 'x'}
     */
    void forceLeave(String node, boolean prune);

    /** Leaves the channel without telling anybody anything: others will see a failure. */
    @Override
    void close();
}
