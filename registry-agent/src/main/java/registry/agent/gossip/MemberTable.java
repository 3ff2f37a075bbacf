package registry.agent.gossip;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import registry.server.leader.Members.State;

/**
 * All members ever seen and not yet forgotten, by name. A JGroups view drops members without saying
 * why, so that alive, leaving, left and failed are kept here, as Serf does above memberlist. One
 * lock, memory only.
 */
final class MemberTable {
    private final long failedMillis;
    private final long leftMillis;
    private final SortedMap<String, MemberRecord> members = new TreeMap<>();

    /** When which process was forgotten on demand, by its address in the group. */
    private final Map<String, Long> forgotten = new HashMap<>();

    /**
     * @param failedMillis how long a member that failed is kept
     * @param leftMillis how long one that left is kept, and one that was to be forgotten is not
     *     taken in again
     */
    MemberTable(long failedMillis, long leftMillis) {
        this.failedMillis = failedMillis;
        this.leftMillis = leftMillis;
    }

    /**
     * Takes in what a member knows of another. Of the past nothing is taken in again that was
     * forgotten here, since others may forget it later.
     *
     * @return true when it says something new
     */
    synchronized boolean merge(MemberRecord news, long now) {
        MemberRecord known = members.get(key(news.name()));
        if (known != null && !supersedes(news, known)) {
            return false;
        }
        boolean past = news.state() == State.FAILED || news.state() == State.LEFT;
        if (past && (isOver(news, now) || forgotten.containsKey(news.via()))) {
            return false;
        }
        members.put(key(news.name()), known == null ? news : news.after(known));
        return true;
    }

    /**
     * A later incarnation wins. Within one, LEFT, which is the member's own or an operator's word,
     * beats FAILED, whichever word of the member either goes by: not all heard the last. Else the
     * later word of the member itself wins, then the later change of state.
     */
    private static boolean supersedes(MemberRecord news, MemberRecord known) {
        if (news.incarnation() != known.incarnation()) {
            return news.incarnation() > known.incarnation();
        }
        if (known.state() == State.FAILED && news.state() == State.LEFT) {
            return true;
        }
        if (known.state() == State.LEFT && news.state() == State.FAILED) {
            return false;
        }
        if (news.version() != known.version()) {
            return news.version() > known.version();
        }
        return known.state() != State.LEFT && news.since() > known.since();
    }

    /**
     * Takes in what a member of the present view says of itself: it wins whatever the clocks say.
     *
     * @return true when it says something new
     */
    synchronized boolean put(MemberRecord own) {
        forgotten.remove(own.via());
        return !own.equals(members.put(key(own.name()), own));
    }

    /** The member is no longer in the view: it left if it had said so, else it failed. */
    synchronized boolean gone(String name, String via, long now) {
        MemberRecord known = members.get(key(name));
        if (known == null || !known.via().equals(via)) {
            return false;
        }
        State next =
                switch (known.state()) {
                    case LEAVING, LEFT -> State.LEFT;
                    case ALIVE, FAILED -> State.FAILED;
                };
        if (next == known.state()) {
            return false;
        }
        members.put(key(name), known.in(next, now));
        return true;
    }

    /** Removes what failed or left too long ago. */
    synchronized boolean reap(long now) {
        forgotten.values().removeIf(when -> now - when > leftMillis);
        return members.values().removeIf(member -> isOver(member, now));
    }

    private boolean isOver(MemberRecord member, long now) {
        return switch (member.state()) {
            case FAILED -> now - member.since() > failedMillis;
            case LEFT -> now - member.since() > leftMillis;
            case ALIVE, LEAVING -> false;
        };
    }

    /** Removes a member of the past, on demand; one that is alive stays. */
    synchronized boolean forget(String name, long now) {
        MemberRecord known = members.get(key(name));
        if (known == null || known.state() == State.ALIVE) {
            return false;
        }
        forgotten.put(known.via(), now);
        members.remove(key(name));
        return true;
    }

    /** Takes in that others have forgotten the members with these addresses in the group. */
    synchronized boolean forget(List<String> vias, long now) {
        boolean changed = false;
        for (String via : vias) {
            Optional<String> name = nameOf(via);
            if (name.isPresent()) {
                changed |= forget(name.get(), now);
            } else {
                forgotten.putIfAbsent(via, now);
            }
        }
        return changed;
    }

    /** Addresses in the group of those that were forgotten on demand. */
    synchronized List<String> forgotten() {
        return List.copyOf(forgotten.keySet());
    }

    /** Of who is there, in which state, by which word of its own: not of when, and who saw it. */
    synchronized long digest() {
        long digest = 0;
        for (MemberRecord member : members.values()) {
            for (long part :
                    new long[] {
                        member.via().hashCode(),
                        member.incarnation(),
                        member.version(),
                        member.state().name().hashCode()
                    }) {
                digest = 31 * digest + part;
            }
        }
        return digest;
    }

    synchronized boolean remove(String name) {
        return members.remove(key(name)) != null;
    }

    synchronized Optional<MemberRecord> find(String name) {
        return Optional.ofNullable(members.get(key(name)));
    }

    /** The name of the member whose process has this address in the group. */
    synchronized Optional<String> nameOf(String via) {
        return members.values().stream()
                .filter(member -> member.via().equals(via))
                .map(MemberRecord::name)
                .findFirst();
    }

    synchronized List<MemberRecord> all() {
        return new ArrayList<>(members.values());
    }

    private static String key(String name) {
        return name.toLowerCase(Locale.ROOT);
    }
}
