package registry.agent.http;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.agent.config.AgentConfig;
import registry.agent.http.Route.Trait;
import registry.api.ApiException;
import registry.server.rpc.Servers;
import registry.server.snapshot.RestoreId;
import registry.server.snapshot.RestoreOp;
import registry.server.snapshot.SnapshotArchive;
import registry.server.snapshot.SnapshotCalls;

/** {@code /v1/snapshot}: the whole state as a file, and back. Source: consul-api 3.11 */
final class SnapshotRoutes {
    private static final Logger LOG = LoggerFactory.getLogger(SnapshotRoutes.class);
    private static final String PATH = "/v1/snapshot";

    /** What all servers can keep in memory while it is on its way. */
    private static final long MAX_ARCHIVE = 512L << 20;

    private final Servers servers;
    private final String datacenter;
    private final String node;

    /** Unlike that of any other run of any agent. */
    private final String process = UUID.randomUUID().toString();

    /** Where archives are kept until they are verified; null for the temporary directory. */
    private final @Nullable Path dataDir;

    /** Restores under way. Guarded by this. */
    private int restoring;

    SnapshotRoutes(Servers servers, AgentConfig config) {
        this.servers = servers;
        this.datacenter = config.datacenter();
        this.node = config.nodeName();
        this.dataDir = config.dataDir();
    }

    void addTo(RouteTable.Builder table) {
        table.stream("GET", PATH, this::save, Trait.DATACENTER);
        table.stream("PUT", PATH, this::restore, Trait.DATACENTER);
    }

    private void save(Request request, InputStream body, StreamHandler.Out out) throws IOException {
        boolean stale = request.query().has("stale");
        SnapshotCalls.Opened opened =
                servers.call(SnapshotCalls.OPEN, new SnapshotCalls.Open(stale));
        try {
            long offset = 0;
            // The first piece before the head: a failure is still an answer of its own.
            SnapshotCalls.Piece piece = read(opened, offset);
            OutputStream to = out.begin(head(opened));
            while (true) {
                to.write(piece.bytes());
                offset += piece.bytes().length;
                if (piece.last()) {
                    break;
                }
                piece = read(opened, offset);
            }
            to.close();
        } finally {
            servers.call(SnapshotCalls.CLOSE, new SnapshotCalls.Close(opened.id()));
        }
    }

    private SnapshotCalls.Piece read(SnapshotCalls.Opened opened, long offset) {
        return servers.call(SnapshotCalls.READ, new SnapshotCalls.Read(opened.id(), offset));
    }

    private static Answer head(SnapshotCalls.Opened opened) {
        return Answer.empty(200)
                .withContentType("application/x-gzip")
                .with("X-Consul-Index", Long.toString(opened.index()))
                .with("X-Consul-Knownleader", Boolean.toString(opened.knownLeader()))
                .with("X-Consul-Lastcontact", Long.toString(opened.lastContactMillis()));
    }

    private void restore(Request request, InputStream body, StreamHandler.Out out)
            throws IOException {
        Path file = begin();
        try {
            receive(body, file);
            verify(file);
            hand(file);
        } finally {
            end(file);
        }
        out.answer(Answer.empty(200));
    }

    /** A file to receive an archive in; those that a killed process has left are removed. */
    private synchronized Path begin() throws IOException {
        if (dataDir == null) {
            return Files.createTempFile("registry-restore-", ".snap");
        }
        if (restoring++ == 0) {
            try (DirectoryStream<Path> left = Files.newDirectoryStream(dataDir, "restore-*.snap")) {
                for (Path file : left) {
                    Files.deleteIfExists(file);
                }
            }
        }
        return Files.createTempFile(dataDir, "restore-", ".snap");
    }

    private synchronized void end(Path file) throws IOException {
        restoring--;
        Files.deleteIfExists(file);
    }

    private static void receive(InputStream body, Path file) throws IOException {
        var bytes = new byte[64 << 10];
        long total = 0;
        try (var to = new BufferedOutputStream(Files.newOutputStream(file))) {
            for (int read = body.read(bytes); read >= 0; read = body.read(bytes)) {
                to.write(bytes, 0, read);
                total += read;
                if (total > MAX_ARCHIVE) {
                    throw new ApiException(
                            ApiException.Kind.TOO_LARGE,
                            "Snapshot too large, max size: " + MAX_ARCHIVE + " bytes");
                }
            }
        }
    }

    private static void verify(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            SnapshotArchive.inspect(in);
        } catch (IOException e) {
            throw ApiException.refused(String.valueOf(e.getMessage()));
        }
    }

    /** Takes the file to the log, piece by piece. */
    private void hand(Path file) throws IOException {
        String restore =
                new RestoreId(UUID.randomUUID().toString(), process, datacenter, node).toString();
        boolean done = false;
        try (InputStream in = Files.newInputStream(file)) {
            int parts = 0;
            while (true) {
                byte[] piece = in.readNBytes(SnapshotCalls.PIECE_BYTES);
                if (piece.length == 0) {
                    break;
                }
                servers.call(SnapshotCalls.STAGE, new RestoreOp.Stage(restore, parts++, piece));
            }
            servers.call(SnapshotCalls.COMMIT, new RestoreOp.Commit(restore, parts));
            done = true;
        } finally {
            if (!done) {
                giveUp(restore);
            }
        }
        LOG.info("state restored from a snapshot: restore={}", restore);
    }

    /** The leader would do it itself after a while. */
    private void giveUp(String restore) {
        try {
            servers.call(SnapshotCalls.DROP, new RestoreOp.Drop(restore));
        } catch (ApiException e) {
            LOG.debug("restore not given up: restore={} error={}", restore, e.text());
        }
    }
}
