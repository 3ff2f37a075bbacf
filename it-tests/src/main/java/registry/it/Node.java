package registry.it;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import registry.api.client.RegistryClient;

/** One agent of a {@link Cluster}, and what may happen to it. */
public final class Node {
    private final String name;
    private final String address;
    private final boolean server;
    private final LauncherProcess agent;
    private final List<String> entry;
    private final @Nullable Door door;
    private final @Nullable PowerCut disk;
    private final @Nullable WallClock clock;

    Node(
            String name,
            String address,
            boolean server,
            LauncherProcess agent,
            List<String> entry,
            @Nullable Door door,
            @Nullable PowerCut disk,
            @Nullable WallClock clock) {
        this.name = name;
        this.address = address;
        this.server = server;
        this.agent = agent;
        this.entry = entry;
        this.door = door;
        this.disk = disk;
        this.clock = clock;
    }

    public String name() {
        return name;
    }

    /** Its address in the network of the cluster. */
    public String address() {
        return address;
    }

    public boolean isServer() {
        return server;
    }

    /** Its HTTP API, to be reached from this JVM whatever happens to the cluster's network. */
    public RegistryClient client() {
        return agent.client();
    }

    /** Runs {@code registry ARGS} against this agent to its end. */
    public Launcher.Result cli(String... args) {
        return agent.cli(args);
    }

    /** The process, its log, its figures. */
    public LauncherProcess agent() {
        return agent;
    }

    /** {@code kill -9}. */
    public void kill() {
        agent.kill();
    }

    /** Freezes the process: its connections stay open and nothing is answered. */
    public void pause() {
        agent.signal("STOP");
    }

    /** Lets a frozen process go on. */
    public void resume() {
        agent.signal("CONT");
    }

    /**
     * Starts the process, which must not run, on what its disk holds, and waits until it is ready.
     */
    public void restart() {
        agent.restart();
    }

    /** Starts the process, which must not run, and waits for nothing. */
    public void spawn() {
        agent.spawn();
    }

    /** Removes all that the node has stored; it must not run. */
    public void wipe() {
        if (agent.isAlive()) {
            throw new IllegalStateException(name + " still runs");
        }
        Path data = agent.dataDir();
        if (!Files.exists(data)) {
            return;
        }
        try (Stream<Path> files = Files.walk(data)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Leaves the cluster in an orderly way; the process ends. */
    public void leave() {
        cli("leave");
        agent.awaitExit(Duration.ofSeconds(20));
    }

    /**
     * A listener in the node's own network, for services that live in this JVM: the node's checks
     * and other nodes reach it.
     */
    public ServerSocketChannel listen(int port) {
        try {
            InetSocketAddress at = new InetSocketAddress(door == null ? address : "0.0.0.0", port);
            return door == null ? ServerSocketChannel.open().bind(at) : door.listen(at);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Words to put before a command so that it runs in the node's network. */
    public List<String> entry() {
        return entry;
    }

    /** Writes to the node's own disk until nothing more fits. */
    public void fillDisk() {
        try (var file = Files.newOutputStream(filler())) {
            var block = new byte[65_536];
            while (true) {
                file.write(block);
            }
        } catch (IOException full) {
            // That is what was wanted.
        }
    }

    /** Undoes {@link #fillDisk}. */
    public void freeDisk() {
        try {
            Files.deleteIfExists(filler());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path filler() {
        return disk().folder().resolve("filler");
    }

    PowerCut disk() {
        if (disk == null) {
            throw new IllegalStateException("start the cluster with disks(mebibytes) for this");
        }
        return disk;
    }

    boolean hasClock() {
        return clock != null;
    }

    /**
     * Sets the time of day, as this node alone sees it, so far ahead of the right one, or behind;
     * in effect at once. Needs {@link Cluster.Plan#clocks}.
     */
    public void setClock(Duration ahead) {
        if (clock == null) {
            throw new IllegalStateException("start the cluster with clocks() for this");
        }
        clock.set(ahead);
    }

    void close() {
        try {
            if (agent.isAlive()) {
                agent.kill();
            }
            agent.close();
            if (door != null) {
                door.close();
            }
            if (disk != null) {
                disk.close();
            }
            if (clock != null) {
                clock.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
