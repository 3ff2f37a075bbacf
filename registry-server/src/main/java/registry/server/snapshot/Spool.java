package registry.server.snapshot;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** A file that one thread still writes while others read what is there; gone when closed. */
final class Spool implements AutoCloseable {
    /** Writes all there will be. */
    interface Source {
        void writeTo(OutputStream out) throws IOException;
    }

    private static final long WAIT_SECONDS = 5;

    private final FileChannel file;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition more = lock.newCondition();
    private long written;
    private boolean complete;
    private @Nullable IOException failure;
    private volatile long touched = System.nanoTime();

    private Spool(FileChannel file) {
        this.file = file;
    }

    static Spool start(Path path, Source source) throws IOException {
        var spool =
                new Spool(
                        FileChannel.open(
                                path,
                                StandardOpenOption.CREATE_NEW,
                                StandardOpenOption.READ,
                                StandardOpenOption.WRITE,
                                StandardOpenOption.DELETE_ON_CLOSE));
        Thread.ofVirtual().name("snapshot-save").start(() -> spool.fill(source));
        return spool;
    }

    private void fill(Source source) {
        IOException trouble = null;
        try {
            source.writeTo(new Tail());
        } catch (IOException e) {
            trouble = e;
        } catch (RuntimeException e) {
            trouble = new IOException(e.toString(), e);
        }
        lock.lock();
        try {
            failure = trouble;
            complete = true;
            more.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** What is there from the offset on, at most so much; waits a while when nothing is. */
    SnapshotCalls.Piece read(long offset, int most) throws IOException, InterruptedException {
        touched = System.nanoTime();
        long ready;
        boolean whole;
        lock.lock();
        try {
            long left = TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
            while (!complete && written < offset + most && left > 0) {
                left = more.awaitNanos(left);
            }
            if (failure != null) {
                throw failure;
            }
            ready = written;
            whole = complete;
        } finally {
            lock.unlock();
        }
        int length = Math.clamp(ready - offset, 0, most);
        ByteBuffer bytes = ByteBuffer.allocate(length);
        while (bytes.hasRemaining() && file.read(bytes, offset + bytes.position()) >= 0) {
            touched = System.nanoTime();
        }
        return new SnapshotCalls.Piece(bytes.array(), whole && offset + length >= ready);
    }

    /** Nobody has read of it for so long. */
    boolean isIdle(long nanos) {
        return System.nanoTime() - touched > nanos;
    }

    @Override
    public void close() {
        try {
            file.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The end of the file. */
    private final class Tail extends OutputStream {
        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            ByteBuffer buffer = ByteBuffer.wrap(bytes, offset, length);
            long at = written;
            while (buffer.hasRemaining()) {
                at += file.write(buffer, at);
            }
            lock.lock();
            try {
                written = at;
                more.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }
}
