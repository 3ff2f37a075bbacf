package registry.server.faults;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import registry.server.raft.Wire;

/**
 * Overhears what servers promise to each other, and holds them to it: a term has one leader, a
 * server gives one vote in a term, and remembers it after whatever crash.
 */
final class Promises {
    /** Whom a server voted for, and when last. */
    record Vote(long term, String candidate) {}

    private final Map<Long, String> leaders = new ConcurrentHashMap<>();
    private final Map<String, Vote> votes = new ConcurrentHashMap<>();
    private final List<String> broken = new CopyOnWriteArrayList<>();
    private volatile Consumer<String> onVote = voter -> {};

    /** Called with the name of who has voted, while its vote is still on its way. */
    void onVote(Consumer<String> listener) {
        onVote = listener;
    }

    /** Looks into a question; what it returns is given back with the answer. */
    @Nullable Object asked(byte type, byte[] body) {
        Wire.reign(type, body).ifPresent(this::reigns);
        return Wire.candidacy(type, body).orElse(null);
    }

    private void reigns(Wire.Reign reign) {
        String known = leaders.putIfAbsent(reign.term(), reign.leader());
        if (known != null && !known.equals(reign.leader())) {
            broken.add(
                    "term %d has two leaders: %s and %s"
                            .formatted(reign.term(), known, reign.leader()));
        }
    }

    void answered(String voter, Object asked, byte[] reply) {
        if (!(asked instanceof Wire.Candidacy candidacy) || !Wire.grants(reply)) {
            return;
        }
        Vote vote = new Vote(candidacy.term(), candidacy.candidate());
        Vote last = votes.put(voter, vote);
        if (last != null && last.term() == vote.term() && !last.equals(vote)) {
            broken.add("%s voted twice: %s and %s".formatted(voter, last, vote));
        }
        onVote.accept(voter);
    }

    /** A server begins a new life with what it finds on its disk. */
    void reborn(String server, long term, String votedFor) {
        Vote given = votes.get(server);
        if (given == null) {
            return;
        }
        boolean kept =
                term > given.term() || term == given.term() && votedFor.equals(given.candidate());
        if (!kept) {
            broken.add(
                    "%s forgot %s: its disk says term %d, vote %s"
                            .formatted(server, given, term, votedFor));
        }
    }

    /** The server's disk is gone, and who it was with it. */
    void wiped(String server) {
        votes.remove(server);
    }

    List<String> broken() {
        return List.copyOf(broken);
    }
}
