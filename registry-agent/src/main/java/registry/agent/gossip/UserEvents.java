package registry.agent.gossip;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;

/**
 * The last user events that this node has seen, oldest first, each once. One lock, memory only;
 * listeners are called outside it.
 */
final class UserEvents {
    /** Consul's. Source: consul-api 3.10. */
    static final int KEPT = 256;

    private final Deque<UserEvent> events = new ArrayDeque<>();
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
    private volatile Predicate<UserEvent> meant = event -> true;
    private long time = 1;

    void keepOnly(Predicate<UserEvent> wanted) {
        meant = wanted;
    }

    /** A number greater than that of every event seen. */
    synchronized long nextTime() {
        return ++time;
    }

    /**
     * @return false for one that was seen already, or is not meant for this node
     */
    boolean add(UserEvent event) {
        boolean wanted = meant.test(event);
        synchronized (this) {
            if (events.stream().anyMatch(known -> known.id().equals(event.id()))) {
                return false;
            }
            time = Math.max(time, event.lTime());
            if (!wanted) {
                return false;
            }
            events.addLast(event);
            if (events.size() > KEPT) {
                events.removeFirst();
            }
        }
        listeners.forEach(Runnable::run);
        return true;
    }

    synchronized List<UserEvent> all() {
        return new ArrayList<>(events);
    }

    /** Returns what ends the watch. */
    Runnable watch(Runnable listener) {
        listeners.add(listener);
        return () -> listeners.remove(listener);
    }
}
