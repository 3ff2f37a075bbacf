package registry.agent;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import registry.agent.gossip.KeyringOp;
import registry.agent.gossip.KeyringReport;
import registry.agent.gossip.Membership;
import registry.agent.gossip.UserEvent;
import registry.api.Member;

/**
 * Gossip that is being opened by a thread of its own, so that a server that knows its peers from
 * its disk need not wait for it: finding the others takes seconds when all have just begun. Nobody
 * is known until then; what asks for this node's own entry, or tells the others something, waits.
 * One lock; nobody is called inside it but the real one's registrations.
 */
final class LateMembership implements Membership {
    /** Opens gossip; may take its time. */
    interface Opening {
        Membership open() throws IOException;
    }

    private final CompletableFuture<Membership> opened = new CompletableFuture<>();
    private final Thread thread;

    // Guarded by this, until it is opened.
    private final List<Runnable> listeners = new ArrayList<>();
    private final List<Consumer<String>> fatal = new ArrayList<>();
    private @Nullable SortedMap<String, String> facts;
    private @Nullable Predicate<UserEvent> wanted;
    private boolean closed;

    LateMembership(Opening opening) {
        thread = Thread.ofPlatform().daemon().name("gossip-open").start(() -> open(opening));
    }

    private void open(Opening opening) {
        try {
            hand(opening.open());
        } catch (IOException | RuntimeException e) {
            opened.completeExceptionally(e);
        }
    }

    private void hand(Membership real) throws IOException {
        List<Runnable> told;
        synchronized (this) {
            if (closed) {
                real.close();
                throw new IOException("closed");
            }
            if (wanted != null) {
                real.keepEvents(wanted);
            }
            if (facts != null) {
                real.publish(facts);
            }
            listeners.forEach(real::onChange);
            fatal.forEach(real::onFatal);
            told = List.copyOf(listeners);
            opened.complete(real);
        }
        told.forEach(Runnable::run);
    }

    /**
     * Waits for it.
     *
     * @throws IOException why it can't be opened; the message is for the user
     */
    void awaitOpened() throws IOException {
        try {
            opened.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof IOException why) {
                throw why;
            }
            throw e;
        }
    }

    private @Nullable Membership now() {
        return opened.isCompletedExceptionally() ? null : opened.getNow(null);
    }

    @Override
    public List<Peer> all() {
        Membership real = now();
        return real == null ? List.of() : real.all();
    }

    @Override
    public List<Member> members() {
        Membership real = now();
        return real == null ? List.of() : real.members();
    }

    @Override
    public synchronized void onChange(Runnable listener) {
        Membership real = now();
        if (real == null) {
            listeners.add(listener);
        } else {
            real.onChange(listener);
        }
    }

    @Override
    public synchronized void publish(SortedMap<String, String> next) {
        Membership real = now();
        if (real == null) {
            facts = next;
        } else {
            real.publish(next);
        }
    }

    @Override
    public synchronized void onFatal(Consumer<String> listener) {
        Membership real = now();
        if (real == null) {
            fatal.add(listener);
        } else {
            real.onFatal(listener);
        }
    }

    @Override
    public synchronized void keepEvents(Predicate<UserEvent> which) {
        Membership real = now();
        if (real == null) {
            wanted = which;
        } else {
            real.keepEvents(which);
        }
    }

    @Override
    public List<UserEvent> events() {
        Membership real = now();
        return real == null ? List.of() : real.events();
    }

    @Override
    public Member self() {
        return opened.join().self();
    }

    @Override
    public int join(List<String> addresses) {
        return opened.join().join(addresses);
    }

    @Override
    public void leave() {
        opened.join().leave();
    }

    @Override
    public void forceLeave(String node, boolean prune) {
        opened.join().forceLeave(node, prune);
    }

    @Override
    public KeyringReport keyring(KeyringOp op, String key, boolean localOnly) {
        return opened.join().keyring(op, key, localOnly);
    }

    @Override
    public void fire(UserEvent event) {
        opened.join().fire(event);
    }

    @Override
    public Runnable onEvent(Runnable listener) {
        return opened.join().onEvent(listener);
    }

    @Override
    public void close() {
        Membership real;
        synchronized (this) {
            closed = true;
            real = now();
        }
        if (real != null) {
            real.close();
        } else {
            thread.interrupt();
        }
    }
}
