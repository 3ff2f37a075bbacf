package registry.server.raft;

import com.alipay.sofa.jraft.storage.FileService;
import com.alipay.sofa.jraft.storage.io.FileReader;
import com.alipay.sofa.jraft.util.ByteBufferCollector;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A snapshot's file, open for a peer to fetch; it may be deleted meanwhile. */
final class SnapshotOffer implements FileReader, AutoCloseable {
    private final Path file;
    private final FileChannel channel;
    private final long id;

    SnapshotOffer(Path file) throws IOException {
        this.file = file;
        this.channel = FileChannel.open(file, StandardOpenOption.READ);
        this.id = FileService.getInstance().addReader(this);
    }

    /** By which the peer asks for it. */
    long id() {
        return id;
    }

    @Override
    public String getPath() {
        return file.toString();
    }

    @Override
    public int readFile(ByteBufferCollector into, String name, long offset, long maxCount)
            throws IOException {
        int count = (int) Math.min(maxCount, Math.max(0, channel.size() - offset));
        if (count == 0) {
            return EOF;
        }
        ByteBuffer bytes = ByteBuffer.allocate(count);
        while (bytes.hasRemaining()) {
            if (channel.read(bytes, offset + bytes.position()) < 0) {
                throw new IOException("\"" + file + "\" got shorter");
            }
        }
        into.put(bytes.flip());
        return count;
    }

    @Override
    public void close() {
        FileService.getInstance().removeReader(id);
        try {
            channel.close();
        } catch (IOException e) {
            // It was only read.
        }
    }
}
