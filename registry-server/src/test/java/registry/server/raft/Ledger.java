package registry.server.raft;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A state machine that is easy to check: it remembers every number it was given, in order, and the
 * last index.
 */
final class Ledger implements Applier {
    private long[] numbers = new long[16];
    private int count;
    private volatile long lastIndex;
    private volatile long leadingTerm;
    private volatile Runnable beforeLoad = () -> {};
    private final List<String> events = new ArrayList<>();

    /** A command with a number and so many bytes of ballast. */
    static byte[] command(long number, int ballast) {
        return ByteBuffer.allocate(Long.BYTES + ballast).putLong(number).array();
    }

    @Override
    public synchronized Object apply(long index, byte[] command) {
        if (index <= lastIndex) {
            throw new IllegalStateException("index " + index + " after " + lastIndex);
        }
        lastIndex = index;
        if (count == numbers.length) {
            numbers = Arrays.copyOf(numbers, count * 2);
        }
        numbers[count++] = ByteBuffer.wrap(command).getLong();
        return index;
    }

    @Override
    public synchronized Snapshot snapshot() {
        long[] kept = Arrays.copyOf(numbers, count);
        long index = lastIndex;
        return out -> {
            DataOutputStream data = new DataOutputStream(out);
            data.writeLong(index);
            data.writeInt(kept.length);
            for (long number : kept) {
                data.writeLong(number);
            }
        };
    }

    @Override
    public void load(InputStream in) throws IOException {
        beforeLoad.run();
        read(in);
    }

    private synchronized void read(InputStream in) throws IOException {
        DataInputStream data = new DataInputStream(in);
        lastIndex = data.readLong();
        count = data.readInt();
        numbers = new long[Math.max(16, count)];
        for (int i = 0; i < count; i++) {
            numbers[i] = data.readLong();
        }
        if (data.read() != -1) {
            throw new IOException("bytes behind the end");
        }
        events.add("load " + lastIndex);
    }

    @Override
    public synchronized void leading(long term) {
        leadingTerm = term;
        events.add("leading " + term + " after " + lastIndex);
    }

    @Override
    public synchronized void following() {
        leadingTerm = 0;
        events.add("following");
    }

    /** Done before a snapshot is taken over; may wait. */
    void beforeLoad(Runnable what) {
        beforeLoad = what;
    }

    synchronized long[] numbers() {
        return Arrays.copyOf(numbers, count);
    }

    synchronized List<String> events() {
        return List.copyOf(events);
    }

    long lastIndex() {
        return lastIndex;
    }

    long leadingTerm() {
        return leadingTerm;
    }
}
