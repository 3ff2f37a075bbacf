package registry.agent.local;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One at a time per service: whoever changes a service, writes it to disk and pushes it to the
 * catalogue has its turn, so that the three never tell different stories. Different services do not
 * wait for each other. May be taken again by the thread that has it.
 */
final class Turns {
    private final Map<String, Turn> turns = new HashMap<>();

    /** Blocks until it is the caller's turn. */
    Turn take(String group) {
        Turn turn;
        synchronized (turns) {
            turn = turns.computeIfAbsent(group, Turn::new);
            turn.users++;
        }
        turn.lock.lock();
        return turn;
    }

    final class Turn implements AutoCloseable {
        private final String group;
        private final ReentrantLock lock = new ReentrantLock();
        private int users;

        private Turn(String group) {
            this.group = group;
        }

        @Override
        public void close() {
            lock.unlock();
            synchronized (turns) {
                users--;
                if (users == 0) {
                    turns.remove(group);
                }
            }
        }
    }
}
