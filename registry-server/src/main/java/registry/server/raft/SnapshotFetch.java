package registry.server.raft;

import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.rpc.RaftClientService;
import com.alipay.sofa.jraft.rpc.RpcRequests.GetFileRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.GetFileResponse;
import com.alipay.sofa.jraft.rpc.RpcResponseClosureAdapter;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotCopier;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotReader;
import com.alipay.sofa.jraft.util.Endpoint;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Fetches a peer's snapshot piece by piece, on a thread of its own; what came is verified before it
 * counts.
 */
final class SnapshotFetch extends SnapshotCopier {
    private static final String SCHEME = "remote://";
    private static final int PIECE_BYTES = 1 << 20;
    private static final int PIECE_MILLIS = 5_000;
    private static final int TRIES = 3;

    /** Takes in what was fetched. */
    interface Taker {
        SnapshotReader take(Path fetched) throws IOException;
    }

    private final RaftClientService peers;
    private final Endpoint peer;
    private final long offer;
    private final Path file;
    private final Taker taker;
    private final Thread thread =
            Thread.ofPlatform().daemon().name("raft-fetch").unstarted(this::fetch);
    private volatile boolean cancelled;
    private volatile @Nullable SnapshotReader reader;

    /**
     * @param uri as made by {@link #uri}
     * @param file where to write
     */
    SnapshotFetch(String uri, RaftClientService peers, Path file, Taker taker) {
        String[] parts = uri.substring(SCHEME.length()).split("/", 2);
        this.peer = new Endpoint(parts[0], JraftConsensus.NO_PORT);
        this.offer = Long.parseLong(parts[1]);
        this.peers = peers;
        this.file = file;
        this.taker = taker;
    }

    static String uri(String raftId, long offer) {
        return SCHEME + raftId + "/" + offer;
    }

    @Override
    public void start() {
        thread.start();
    }

    private void fetch() {
        try (var channel =
                FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE,
                        StandardOpenOption.TRUNCATE_EXISTING)) {
            long length = 0;
            for (ByteBuffer piece = piece(0); piece.hasRemaining(); piece = piece(length)) {
                length += piece.remaining();
                while (piece.hasRemaining()) {
                    channel.write(piece);
                }
            }
            channel.force(true);
            reader = taker.take(file);
        } catch (IOException | InterruptedException | RuntimeException e) {
            setError(
                    cancelled ? RaftError.ECANCELED : RaftError.EINTERNAL,
                    "fetching a snapshot failed: %s",
                    e);
        }
    }

    /** The piece at an offset; empty at the end. */
    private ByteBuffer piece(long offset) throws IOException, InterruptedException {
        for (int i = 1; !cancelled; i++) {
            try {
                return ask(offset).get(PIECE_MILLIS + 100, TimeUnit.MILLISECONDS);
            } catch (ExecutionException | TimeoutException e) {
                if (i == TRIES) {
                    throw new IOException("at byte " + offset + ": " + e.getMessage(), e);
                }
            }
        }
        throw new IOException("cancelled");
    }

    private CompletableFuture<ByteBuffer> ask(long offset) {
        GetFileRequest request =
                GetFileRequest.newBuilder()
                        .setReaderId(offer)
                        .setFilename("snapshot")
                        .setOffset(offset)
                        .setCount(PIECE_BYTES)
                        .build();
        CompletableFuture<ByteBuffer> piece = new CompletableFuture<>();
        peers.getFile(
                peer,
                request,
                PIECE_MILLIS,
                new RpcResponseClosureAdapter<GetFileResponse>() {
                    @Override
                    public void run(Status status) {
                        if (status.isOk()) {
                            piece.complete(getResponse().getData().asReadOnlyByteBuffer());
                        } else {
                            piece.completeExceptionally(new IOException(status.getErrorMsg()));
                        }
                    }
                });
        return piece;
    }

    @Override
    public void cancel() {
        cancelled = true;
        setError(RaftError.ECANCELED, "cancelled");
        thread.interrupt();
    }

    @Override
    public void join() throws InterruptedException {
        thread.join();
    }

    @Override
    public @Nullable SnapshotReader getReader() {
        return reader;
    }

    @Override
    public void close() {
        cancelled = true;
    }
}
