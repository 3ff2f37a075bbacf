package registry.agent.gossip.seal;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The keys of this node. With the first, the primary one, it seals; with any it opens. A change is
 * on the disk before it holds. One lock, which only changes take; readers see an immutable list.
 */
public final class Keyring {
    private final @Nullable KeyringFile file;
    private final boolean verifyIncoming;
    private final boolean verifyOutgoing;
    private final List<Consumer<GossipKey>> onRemoval = new CopyOnWriteArrayList<>();
    private volatile List<GossipKey> keys;

    private Keyring(
            List<GossipKey> keys,
            @Nullable KeyringFile file,
            boolean verifyIncoming,
            boolean verifyOutgoing) {
        this.keys = List.copyOf(keys);
        this.file = file;
        this.verifyIncoming = verifyIncoming;
        this.verifyOutgoing = verifyOutgoing;
    }

    /** Nothing is sealed. */
    public static Keyring off() {
        return new Keyring(List.of(), null, false, false);
    }

    /**
     * The ring of the file or, where there is none, of the configured key, which is then written.
     *
     * @param configured base64, or empty
     * @param path null: the ring is kept in memory only
     * @param verifyIncoming false: plain peers are let in, too
     * @param verifyOutgoing false: what this node begins is plain
     * @throws IOException for the user
     */
    public static Keyring open(
            String configured, @Nullable Path path, boolean verifyIncoming, boolean verifyOutgoing)
            throws IOException {
        KeyringFile file = path == null ? null : new KeyringFile(path);
        List<GossipKey> keys = file == null ? List.of() : file.read();
        if (keys.isEmpty() && configured.isEmpty()) {
            return off();
        }
        if (keys.isEmpty()) {
            keys = List.of(GossipKey.of(configured));
            if (file != null) {
                file.write(keys);
            }
        }
        return new Keyring(keys, file, verifyIncoming, verifyOutgoing);
    }

    public boolean isOn() {
        return !keys.isEmpty();
    }

    /** Whether nothing goes to or comes from anybody in plain. */
    public boolean isStrict() {
        return isOn() && verifyIncoming && verifyOutgoing;
    }

    boolean admitsPlain() {
        return !isOn() || !verifyIncoming;
    }

    boolean speaksPlain() {
        return !isOn() || !verifyOutgoing;
    }

    /** Only while it is on. */
    GossipKey primary() {
        return keys.getFirst();
    }

    @Nullable GossipKey find(long id) {
        for (GossipKey key : keys) {
            if (key.id() == id) {
                return key;
            }
        }
        return null;
    }

    /** Whether it seals with this key. */
    public boolean hasPrimary(String base64) {
        return isOn() && primary().equals(GossipKey.of(base64));
    }

    /** Base64, the primary one first. */
    public List<String> keys() {
        return keys.stream().map(GossipKey::text).toList();
    }

    /**
     * Adds a key that opens and does not seal yet.
     *
     * @throws IOException when it can't be kept
     * @throws IllegalArgumentException for what is no key; so do the others
     */
    public synchronized void install(String base64) throws IOException {
        GossipKey key = GossipKey.of(base64);
        if (!keys.contains(key)) {
            var next = new ArrayList<>(keys);
            next.add(key);
            change(next);
        }
    }

    /** Makes an installed key the primary one. */
    public synchronized void use(String base64) throws IOException {
        GossipKey key = GossipKey.of(base64);
        if (!keys.contains(key)) {
            throw new IllegalArgumentException("Requested key is not in the keyring");
        }
        var next = new ArrayList<>(keys);
        next.remove(key);
        next.addFirst(key);
        change(next);
    }

    /** Takes out a key that is not the primary one; what is sealed with it opens no more. */
    public synchronized void remove(String base64) throws IOException {
        GossipKey key = GossipKey.of(base64);
        if (key.equals(primary())) {
            throw new IllegalArgumentException("Removing the primary key is not allowed");
        }
        if (!keys.contains(key)) {
            return;
        }
        var next = new ArrayList<>(keys);
        next.remove(key);
        change(next);
        onRemoval.forEach(listener -> listener.accept(key));
    }

    void onRemoval(Consumer<GossipKey> listener) {
        onRemoval.add(listener);
    }

    private void change(List<GossipKey> next) throws IOException {
        if (file != null) {
            file.write(next);
        }
        keys = List.copyOf(next);
    }
}
