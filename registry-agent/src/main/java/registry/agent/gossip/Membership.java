package registry.agent.gossip;

import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
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

    /**
     * Calls the listener, once, when this node can't go on: its name or id belongs to another that
     * is alive, or {@code retry_max} attempts to join were in vain.
     */
    void onFatal(Consumer<String> listener);

    /**
     * Does something with the keyrings of all members, and tells what is in them then. Blocks, for
     * at most 10 s.
     *
     * @param key base64; empty to list
     * @param localOnly asks nobody but this node
     */
    KeyringReport keyring(KeyringOp op, String key, boolean localOnly);

    /** Hands a user's event to all members; does not block. */
    void fire(UserEvent event);

    /** Events that are not {@code wanted} pass by; without this call all are kept. */
    void keepEvents(Predicate<UserEvent> wanted);

    /** The last 256 events that this node has seen, oldest first. */
    List<UserEvent> events();

    /** Calls the listener at each event; what is returned ends that. */
    Runnable onEvent(Runnable listener);

    /** Leaves the channel without telling anybody anything: others will see a failure. */
    @Override
    void close();
}
