package registry.agent.http;

import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Predicate;
import registry.agent.gossip.KeyringOp;
import registry.agent.gossip.KeyringReport;
import registry.agent.gossip.Membership;
import registry.agent.gossip.UserEvent;
import registry.api.ApiException;
import registry.api.Member;

/** A cluster of one server. */
final class FakeMembers implements Membership {
    private static final Member ONE =
            new Member(
                    "n1",
                    "127.0.0.1",
                    8301,
                    new TreeMap<>(
                            Map.of(
                                    "role",
                                    "consul",
                                    "dc",
                                    "dc1",
                                    "id",
                                    "11111111-2222-3333-4444-555555555501",
                                    "port",
                                    "8300",
                                    "wan_join_port",
                                    "8302")),
                    Member.ALIVE,
                    1,
                    5,
                    2,
                    2,
                    5,
                    4);

    /** What rounds of keyrings end with. */
    volatile KeyringReport keyrings =
            new KeyringReport(
                    1,
                    new TreeMap<>(),
                    new TreeMap<>(),
                    new TreeMap<>(Map.of("n1", "Keyring is empty (encryption not enabled)")));

    /** What was asked of keyrings. */
    final List<String> rounds = new CopyOnWriteArrayList<>();

    private final List<UserEvent> events = new CopyOnWriteArrayList<>();

    @Override
    public List<Member> members() {
        return List.of(ONE);
    }

    @Override
    public Member self() {
        return ONE;
    }

    @Override
    public int join(List<String> addresses) {
        throw ApiException.refused(
                "1 error occurred:\n\t* Failed to join " + addresses.getFirst() + "\n\n");
    }

    @Override
    public void leave() {}

    @Override
    public void forceLeave(String node, boolean prune) {
        throw ApiException.refused("agent: No node found with name '" + node + "'");
    }

    @Override
    public List<Peer> all() {
        return List.of();
    }

    @Override
    public void onChange(Runnable listener) {}

    @Override
    public void publish(SortedMap<String, String> facts) {}

    @Override
    public void onFatal(Consumer<String> listener) {}

    @Override
    public KeyringReport keyring(KeyringOp op, String key, boolean localOnly) {
        rounds.add(op + " " + key + (localOnly ? " here" : ""));
        return keyrings;
    }

    @Override
    public void fire(UserEvent event) {
        events.add(event);
    }

    @Override
    public void keepEvents(Predicate<UserEvent> wanted) {}

    @Override
    public List<UserEvent> events() {
        return List.copyOf(events);
    }

    @Override
    public Runnable onEvent(Runnable listener) {
        return () -> {};
    }

    @Override
    public void close() {}
}
