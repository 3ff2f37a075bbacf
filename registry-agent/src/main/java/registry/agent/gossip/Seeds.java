package registry.agent.gossip;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.api.json.Json;

/**
 * Where to look for other members: the names of the configuration, resolved anew at each question,
 * whoever was asked by {@code join}, and the members of the last view, remembered in the data
 * directory. The same file keeps the last incarnation, so that a later one is greater even when the
 * clock went back. One lock; resolving and writing happen outside it.
 */
final class Seeds {
    private static final Logger LOG = LoggerFactory.getLogger(Seeds.class);

    private final Resolver resolver;
    private final int port;
    private final Set<String> names;
    private final @Nullable Path file;
    private final InetSocketAddress self;
    private final long incarnation;
    private Set<String> remembered;

    /** Finds the addresses of a host. */
    interface Resolver {
        InetAddress[] resolve(String host) throws UnknownHostException;
    }

    /** What the file holds. */
    record Memory(long incarnation, List<String> members) {}

    /**
     * @param names {@code host}, {@code host:port} or {@code [v6]:port}
     * @param port where none is said
     * @param file null: nothing is remembered
     * @param self never asked
     */
    Seeds(List<String> names, int port, @Nullable Path file, InetSocketAddress self) {
        this(InetAddress::getAllByName, names, port, file, self);
    }

    /** With the resolver of a test. */
    Seeds(
            Resolver resolver,
            List<String> names,
            int port,
            @Nullable Path file,
            InetSocketAddress self) {
        this.resolver = resolver;
        this.names = new LinkedHashSet<>(names);
        this.port = port;
        this.file = file;
        this.self = self;
        Memory memory = read(file);
        remembered = new TreeSet<>(memory.members());
        incarnation = Math.max(System.currentTimeMillis(), memory.incarnation() + 1);
        write(incarnation, remembered);
    }

    private static Memory read(@Nullable Path file) {
        if (file == null || !Files.exists(file)) {
            return new Memory(0, List.of());
        }
        try {
            return Json.read(Files.readAllBytes(file), Memory.class);
        } catch (IOException | UncheckedIOException e) {
            LOG.warn("last members not readable: file={} error={}", file, e.getMessage());
            return new Memory(0, List.of());
        }
    }

    /** Greater than that of any process before on the same data directory. */
    long incarnation() {
        return incarnation;
    }

    synchronized void add(Collection<String> more) {
        names.addAll(more);
    }

    /** All addresses to ask; names that can't be resolved now are left out. May block. */
    Set<InetSocketAddress> addresses() {
        Set<String> all;
        synchronized (this) {
            all = new LinkedHashSet<>(names);
            all.addAll(remembered);
        }
        Set<InetSocketAddress> resolved = new LinkedHashSet<>();
        for (String name : all) {
            try {
                resolved.addAll(resolve(resolver, name, port));
            } catch (UnknownHostException e) {
                LOG.warn("join address not resolved: name={}", name);
            }
        }
        resolved.remove(self);
        return resolved;
    }

    /** Keeps the addresses of the present members, in case all restart. */
    void remember(Collection<InetSocketAddress> members) {
        Set<String> next = new TreeSet<>();
        for (InetSocketAddress member : members) {
            if (!member.equals(self)) {
                next.add(text(member));
            }
        }
        synchronized (this) {
            if (next.equals(remembered)) {
                return;
            }
            remembered = next;
        }
        write(incarnation, next);
    }

    private void write(long last, Set<String> members) {
        if (file == null) {
            return;
        }
        try {
            Path folder = Objects.requireNonNull(file.toAbsolutePath().getParent());
            Files.createDirectories(folder);
            Path draft = file.resolveSibling(file.getFileName() + ".new");
            Files.write(draft, Json.write(new Memory(last, List.copyOf(members))));
            // In this order: a name that is on the disk before its bytes would name an empty file.
            sync(draft);
            Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
            sync(folder);
        } catch (IOException e) {
            LOG.warn("members not remembered: file={} error={}", file, e.getMessage());
        }
    }

    private static void sync(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private static String text(InetSocketAddress address) {
        String ip = address.getAddress().getHostAddress();
        return (address.getAddress() instanceof Inet6Address ? "[" + ip + "]" : ip)
                + ":"
                + address.getPort();
    }

    /**
     * All addresses of a name. May block.
     *
     * @throws UnknownHostException also for a port that is none
     */
    static List<InetSocketAddress> resolve(String name, int defaultPort)
            throws UnknownHostException {
        return resolve(InetAddress::getAllByName, name, defaultPort);
    }

    private static List<InetSocketAddress> resolve(Resolver resolver, String name, int defaultPort)
            throws UnknownHostException {
        String host = name;
        int port = defaultPort;
        int colon = name.lastIndexOf(':');
        if (colon > 0 && (name.indexOf(':') == colon || name.charAt(colon - 1) == ']')) {
            host = name.substring(0, colon);
            try {
                port = Integer.parseInt(name.substring(colon + 1));
            } catch (NumberFormatException e) {
                throw new UnknownHostException(name);
            }
        }
        if (port < 1 || port > 65_535) {
            throw new UnknownHostException(name);
        }
        int chosen = port;
        return List.of(resolver.resolve(host)).stream()
                .map(ip -> new InetSocketAddress(ip, chosen))
                .toList();
    }
}
