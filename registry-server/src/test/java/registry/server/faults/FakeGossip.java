package registry.server.faults;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiFunction;
import registry.server.leader.Members;

/**
 * Gossip among servers of one process: who says what of itself, and what the others take it for.
 */
final class FakeGossip {
    private record Told(Members.State state, SortedMap<String, String> facts) {}

    private final Map<String, Told> told = new ConcurrentHashMap<>();
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();

    /** Everybody takes the server to be in this state from now on. */
    void state(String server, Members.State state) {
        told.compute(
                server,
                (name, last) -> new Told(state, last == null ? new TreeMap<>() : last.facts));
        tell();
    }

    private void tell() {
        listeners.forEach(Runnable::run);
    }

    /**
     * What one server knows of all.
     *
     * @param ports where this server finds another
     */
    Members seenBy(String server, BiFunction<String, String, Integer> ports) {
        return new View(server, ports);
    }

    private final class View implements Members {
        private final String self;
        private final BiFunction<String, String, Integer> ports;

        View(String self, BiFunction<String, String, Integer> ports) {
            this.self = self;
            this.ports = ports;
        }

        @Override
        public List<Peer> all() {
            List<Peer> peers = new ArrayList<>();
            told.forEach((name, known) ->
                    peers.add(
                            new Peer(
                                    "id-" + name,
                                    name,
                                    "127.0.0.1",
                                    true,
                                    ports.apply(self, name),
                                    known.state,
                                    new TreeMap<>(),
                                    known.facts)));
            return peers;
        }

        @Override
        public void onChange(Runnable listener) {
            listeners.add(listener);
        }

        @Override
        public void publish(SortedMap<String, String> facts) {
            told.compute(
                    self,
                    (name, last) ->
                            new Told(
                                    last == null ? State.ALIVE : last.state, new TreeMap<>(facts)));
            tell();
        }
    }
}
