package registry.server.once;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import registry.api.ApiException;
import registry.api.json.Json;
import registry.server.state.State;
import registry.server.state.TableDef;
import registry.server.state.Tx;

/**
 * The answers that clients may ask for again. Bounded: a client says which it still waits for, and
 * may wait for {@link #WINDOW} at a time; clients that were not heard of for a day are forgotten.
 */
public final class OnceTable {
    /** How far a client's numbers may run ahead of the oldest that it waits for. */
    public static final int WINDOW = 1024;

    /** By client. No user's snapshot holds them. */
    public static final TableDef<Client> CLIENTS =
            new TableDef<>(
                    "once-clients",
                    String::compareTo,
                    Client::id,
                    List.of(),
                    Json::write,
                    bytes -> Json.read(bytes, Client.class));

    private static final int MAX_CLIENTS = 4096;

    /** Far longer than any write is on its way, frozen processes included. */
    private static final long FORGOTTEN_MILLIS = 24 * 60 * 60 * 1000L;

    private OnceTable() {}

    static Object apply(Tx tx, OnceOp once) {
        RequestId id = once.id();
        Client client = tx.get(CLIENTS, id.client());
        if (client == null) {
            makeRoom(tx);
            client = new Client(id.client(), id.oldest(), tx.time(), List.of());
        }
        if (id.number() < client.oldest()) {
            throw ApiException.refused("this write was answered before, it came too late");
        }
        for (Client.Done done : client.done()) {
            if (done.number() == id.number() && done.part() == once.part()) {
                return again(done);
            }
        }
        Object result = once.op().apply(tx);
        tx.put(CLIENTS, with(client, once, result, tx.time()));
        return result;
    }

    private static Object again(Client.Done done) {
        Object value = done.result().value();
        if (value == null) {
            throw answerLost();
        }
        return value;
    }

    /** What a repetition is told when the first answer can't be told again. */
    public static ApiException answerLost() {
        return new ApiException(
                ApiException.Kind.INTERNAL, "the write was applied, but its answer is lost");
    }

    /** Whether a command of this write, null for none, has been applied and is still waited for. */
    public static boolean isApplied(State state, @Nullable RequestId id) {
        if (id == null) {
            return false;
        }
        Client client = state.table(CLIENTS).get(id.client());
        return client != null
                && client.done().stream().anyMatch(done -> done.number() == id.number());
    }

    private static Client with(Client client, OnceOp once, Object result, long time) {
        long oldest = Math.max(client.oldest(), once.id().oldest());
        var done = new ArrayList<Client.Done>(client.done().size() + 1);
        for (Client.Done kept : client.done()) {
            if (kept.number() >= oldest) {
                done.add(kept);
            }
        }
        done.add(new Client.Done(once.id().number(), once.part(), Client.Result.of(result)));
        return new Client(client.id(), oldest, time, done);
    }

    private static void makeRoom(Tx tx) {
        Collection<Client> clients = tx.table(CLIENTS).rows().values();
        List<Client> gone =
                clients.stream()
                        .filter(client -> client.time() + FORGOTTEN_MILLIS < tx.time())
                        .toList();
        gone.forEach(client -> tx.delete(CLIENTS, client.id()));
        if (clients.size() - gone.size() >= MAX_CLIENTS) {
            clients.stream()
                    .filter(client -> !gone.contains(client))
                    .min(Comparator.comparingLong(Client::time).thenComparing(Client::id))
                    .ifPresent(client -> tx.delete(CLIENTS, client.id()));
        }
    }
}
