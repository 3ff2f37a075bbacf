package registry.agent.gossip;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jgroups.util.UUID;
import org.jspecify.annotations.Nullable;
import registry.api.Coordinate;

/**
 * What failure detection sends by UDP: magic, kind, sender, target, an address. 44 bytes with IPv4;
 * what measures round trips has a stamp and a coordinate besides.
 *
 * @param target whom it is about
 * @param address of a RELAY the target's; else of whoever asked first, where the PONG has to arrive
 * @param place of MEASURE and MEASURED only
 */
record Datagram(
        Kind kind, UUID source, UUID target, InetSocketAddress address, @Nullable Place place) {
    static final int MAX_BYTES = 64 + Place.BYTES;
    private static final int MAGIC = 0x52474631;

    /** What a datagram wants. */
    enum Kind {
        HEARTBEAT,
        PING,
        PONG,
        /** Please ask the target in my stead. */
        RELAY,
        /** The process that was asked is another incarnation than the target. */
        NOT_ME,
        /** How far is it to you? */
        MEASURE,
        MEASURED
    }

    /**
     * Where the sender is. The question has one too, so that the answer is no longer.
     *
     * @param stamp of the question, and again of its answer
     */
    record Place(long stamp, Coordinate at) {
        private static final int DOUBLES = Coordinate.DIMENSIONS + 3;
        static final int BYTES = Long.BYTES + DOUBLES * Double.BYTES;

        private void write(ByteBuffer out) {
            out.putLong(stamp);
            at.vec().forEach(out::putDouble);
            out.putDouble(at.error()).putDouble(at.adjustment()).putDouble(at.height());
        }

        private static Place read(ByteBuffer in) {
            long stamp = in.getLong();
            List<Double> vec = new ArrayList<>();
            for (int i = 0; i < Coordinate.DIMENSIONS; i++) {
                vec.add(in.getDouble());
            }
            return new Place(
                    stamp, new Coordinate(vec, in.getDouble(), in.getDouble(), in.getDouble()));
        }
    }

    Datagram(Kind kind, UUID source, UUID target, InetSocketAddress address) {
        this(kind, source, target, address, null);
    }

    byte[] bytes() {
        byte[] ip = address.getAddress().getAddress();
        int size = 4 + 1 + 16 + 16 + 1 + ip.length + 2 + (place == null ? 0 : Place.BYTES);
        ByteBuffer out = ByteBuffer.allocate(size);
        out.putInt(MAGIC)
                .put((byte) kind.ordinal())
                .putLong(source.getMostSignificantBits())
                .putLong(source.getLeastSignificantBits())
                .putLong(target.getMostSignificantBits())
                .putLong(target.getLeastSignificantBits())
                .put((byte) ip.length)
                .put(ip)
                .putShort((short) address.getPort());
        if (place != null) {
            place.write(out);
        }
        return out.array();
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
            Kind what = Kind.values()[kind];
            boolean placed = what == Kind.MEASURE || what == Kind.MEASURED;
            Place place = placed ? Place.read(in) : null;
            return in.hasRemaining()
                    ? null
                    : new Datagram(
                            what,
                            source,
                            target,
                            new InetSocketAddress(InetAddress.getByAddress(ip), port),
                            place);
        } catch (BufferUnderflowException | UnknownHostException e) {
            return null;
        }
    }
}
