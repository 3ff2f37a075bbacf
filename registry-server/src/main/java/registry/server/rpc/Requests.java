package registry.server.rpc;

import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import registry.server.once.OnceTable;
import registry.server.once.RequestId;

/** Numbers the writes of this process, and knows which are still waited for. */
final class Requests {
    private final String client = UUID.randomUUID().toString();
    private final TreeSet<Long> waitedFor = new TreeSet<>();
    private long last;

    /**
     * The next write; it must be {@link #end ended}. Null when one is waited for so long that its
     * number is far behind: then writes go without, and are sent once only.
     */
    synchronized @Nullable RequestId begin() {
        long oldest = waitedFor.isEmpty() ? last + 1 : waitedFor.first();
        if (last + 1 - oldest >= OnceTable.WINDOW) {
            return null;
        }
        waitedFor.add(++last);
        return new RequestId(client, last, oldest);
    }

    /** Nobody waits for it any more. */
    synchronized void end(@Nullable RequestId id) {
        if (id != null) {
            waitedFor.remove(id.number());
        }
    }
}
