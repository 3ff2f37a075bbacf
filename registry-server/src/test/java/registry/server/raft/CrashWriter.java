package registry.server.raft;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.rocksdb.WriteOptions;
import registry.server.storage.NodeStore;

/**
 * A process that is there to be killed: writes numbers through the log as fast as it can and tells
 * each that was acknowledged, one a line. Arguments: data directory, first number, "unsynced" to
 * leave out every sync.
 */
final class CrashWriter {
    private static final int CLIENTS = 32;

    private CrashWriter() {}

    public static void main(String[] args) throws Exception {
        boolean synced = args.length < 3;
        Path dir = Path.of(args[0]);
        // A snapshot is synced in any case: without syncs there shall be none.
        TestServer server =
                synced
                        ? TestServer.open(dir, 200_000)
                        : TestServer.open(dir, 1 << 30, CrashWriter::leaveOutSyncs);
        AtomicLong next = new AtomicLong(Long.parseLong(args[1]));
        FileOutputStream out = new FileOutputStream(FileDescriptor.out);
        out.write("ready\n".getBytes(StandardCharsets.UTF_8));
        for (int i = 0; i < CLIENTS; i++) {
            Thread.ofPlatform()
                    .start(() -> {
                        while (true) {
                            long number = next.getAndIncrement();
                            server.consensus.propose(Ledger.command(number, 100)).join();
                            tell(out, number);
                        }
                    });
        }
        new CountDownLatch(1).await();
    }

    private static void tell(FileOutputStream out, long number) {
        try {
            out.write((number + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (java.io.IOException e) {
            Runtime.getRuntime().halt(1);
        }
    }

    /** The planted mistake. */
    static void leaveOutSyncs(NodeStore store) {
        try {
            var field = NodeStore.class.getDeclaredField("synced");
            field.setAccessible(true);
            ((WriteOptions) field.get(store)).setSync(false);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }
}
