package registry.agent.check;

import java.nio.charset.StandardCharsets;

/** Keeps the last bytes of a stream, however long it is. Safe for a writer and a reader. */
final class Tail {
    private final int limit;
    private byte[] ring = new byte[0];
    private int next;
    private long total;

    Tail(int limit) {
        this.limit = limit;
    }

    synchronized void write(byte[] bytes, int length) {
        int from = Math.max(0, length - limit);
        grow((int) Math.min(limit, total + length));
        for (int at = from; at < length; at++) {
            ring[next] = bytes[at];
            next = (next + 1) % limit;
        }
        total += length;
    }

    /** Most outputs are short: the ring has its full size only for those that need it. */
    private void grow(int wanted) {
        if (ring.length >= wanted) {
            return;
        }
        byte[] larger = new byte[Math.min(limit, Math.max(wanted, ring.length * 2))];
        System.arraycopy(ring, 0, larger, 0, (int) Math.min(total, ring.length));
        next = (int) Math.min(total, ring.length) % limit;
        ring = larger;
    }

    synchronized long total() {
        return total;
    }

    /** The kept bytes as text; a character that was cut in half at the front is dropped. */
    synchronized String text() {
        if (total <= limit) {
            return new String(ring, 0, (int) total, StandardCharsets.UTF_8);
        }
        byte[] straight = new byte[limit];
        System.arraycopy(ring, next, straight, 0, limit - next);
        System.arraycopy(ring, 0, straight, limit - next, next);
        int start = 0;
        while (start < Math.min(3, limit) && (straight[start] & 0xC0) == 0x80) {
            start++;
        }
        return new String(straight, start, limit - start, StandardCharsets.UTF_8);
    }
}
