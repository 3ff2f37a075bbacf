package registry.agent.gossip;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import org.jgroups.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What failure detection sends by UDP: magic, kind, sender, target, an address. 44 bytes with IPv4.
 *
 * @param target whom it is about
 * @param address of a RELAY the target's; else of whoever asked first, where the PONG has to arrive
 */
record Datagram(Kind kind, UUID source, UUID target, InetSocketAddress address) {
    static final int MAX_BYTES = 64;
    private static final int MAGIC = 0x52474631;

    /** What a datagram wants. */
    enum Kind {
        HEARTBEAT,
        PING,
        PONG,
        /** Please ask the target in my stead. */
        RELAY,
        /** The process that was asked is another incarnation than the target. */
        NOT_ME
    }

    byte[] bytes() {
        byte[] ip = address.getAddress().getAddress();
        return ByteBuffer.allocate(4 + 1 + 16 + 16 + 1 + ip.length + 2)
                .putInt(MAGIC)
                .put((byte) kind.ordinal())
                .putLong(source.getMostSignificantBits())
                .putLong(source.getLeastSignificantBits())
                .putLong(target.getMostSignificantBits())
                .putLong(target.getLeastSignificantBits())
                .put((byte) ip.length)
                .put(ip)
                .putShort((short) address.getPort())
                .array();
    }

    /** Null for whatever is not one of ours. */
    static @Nullable Datagram read(byte[] bytes, int length) {
        ByteBuffer in = ByteBuffer.wrap(bytes, 0, length);
        try {
            if (in.getInt() != MAGIC) {
                return null;
            }
            int kind = in.get();
            var source = new UUID(in.getLong(), in.getLong());
            var target = new UUID(in.getLong(), in.getLong());
            int size = in.get();
            if (kind < 0 || kind >= Kind.values().length || size != 4 && size != 16) {
                return null;
            }
            byte[] ip = new byte[size];
            in.get(ip);
            int port = in.getShort() & 0xffff;
            return in.hasRemaining()
                    ? null
                    : new Datagram(
                            Kind.values()[kind],
                            source,
                            target,
                            new InetSocketAddress(InetAddress.getByAddress(ip), port));
        } catch (BufferUnderflowException | UnknownHostException e) {
            return null;
        }
    }
}
