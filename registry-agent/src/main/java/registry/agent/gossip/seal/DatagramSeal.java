package registry.agent.gossip.seal;

import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import javax.crypto.SecretKey;
import org.jspecify.annotations.Nullable;

/**
 * Seals single datagrams. Each process has a random name, and a key made of it and of the ring's;
 * its datagrams are numbered, and a receiver takes each number of a sender once. So an earlier
 * heartbeat can't be sent again to keep a dead member alive.
 *
 * <pre>
 * "RGU1", name of the sender (16), id of the key (8), number (8): authenticated; then the sealed
 * </pre>
 */
public final class DatagramSeal {
    /** What a sealed datagram has more than a plain one. */
    public static final int OVERHEAD = 36 + Aead.TAG_BYTES;

    private static final int MAGIC = 0x52475531;
    private static final int HEADER = 36;
    private static final int KEPT = 4_096;

    private final Keyring ring;
    private final byte[] name = new byte[16];
    private final AtomicLong number = new AtomicLong();
    private final Map<Opener, SecretKey> keys = lastUsed();
    private final Map<ByteBuffer, ReplayWindow> windows = lastUsed();

    /** Whose key it is. */
    private record Opener(ByteBuffer sender, GossipKey key) {}

    public DatagramSeal(Keyring ring) {
        this.ring = ring;
        new SecureRandom().nextBytes(name);
        ring.onRemoval(gone -> {
            synchronized (keys) {
                keys.clear();
            }
        });
    }

    private static <K, V> Map<K, V> lastUsed() {
        return new LinkedHashMap<>(16, 0.75f, true) {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
                return size() > KEPT;
            }
        };
    }

    /** The bytes to send: sealed with the primary key, or as they are while nothing is sealed. */
    public byte[] seal(byte[] plain) {
        if (ring.speaksPlain()) {
            return plain;
        }
        GossipKey key = ring.primary();
        long count = number.getAndIncrement();
        byte[] header =
                ByteBuffer.allocate(HEADER)
                        .putInt(MAGIC)
                        .put(name)
                        .putLong(key.id())
                        .putLong(count)
                        .array();
        byte[] sealed =
                new Aead(key(ByteBuffer.wrap(name), key))
                        .seal(count, header, plain, 0, plain.length);
        return ByteBuffer.allocate(HEADER + sealed.length).put(header).put(sealed).array();
    }

    /** What was sealed; null for what is not authentic, was seen before, or is not to be plain. */
    public byte @Nullable [] open(byte[] datagram, int length) {
        ByteBuffer in = ByteBuffer.wrap(datagram, 0, length);
        if (length < HEADER || in.getInt(0) != MAGIC) {
            return ring.admitsPlain() ? Arrays.copyOf(datagram, length) : null;
        }
        byte[] sender = Arrays.copyOfRange(datagram, 4, 20);
        GossipKey key = ring.find(in.getLong(20));
        long count = in.getLong(28);
        if (key == null || Arrays.equals(sender, name)) {
            return null;
        }
        ByteBuffer who = ByteBuffer.wrap(sender);
        byte[] plain =
                new Aead(key(who, key))
                        .open(
                                count,
                                Arrays.copyOf(datagram, HEADER),
                                datagram,
                                HEADER,
                                length - HEADER);
        return plain != null && window(who).accepts(count) ? plain : null;
    }

    private SecretKey key(ByteBuffer sender, GossipKey key) {
        synchronized (keys) {
            return keys.computeIfAbsent(
                    new Opener(sender, key), opener -> key.derive("datagrams", sender.array()));
        }
    }

    private ReplayWindow window(ByteBuffer sender) {
        synchronized (windows) {
            return windows.computeIfAbsent(sender, unused -> new ReplayWindow());
        }
    }
}
