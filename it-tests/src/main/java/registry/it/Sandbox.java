package registry.it;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/**
 * A network and mount namespace: every port is free, {@code /etc}, {@code /usr/local/bin} and
 * {@code /tmp} may be written, and nothing of it is seen outside. It has the loopback and one
 * private address. Needs root, or user namespaces.
 */
public final class Sandbox implements AutoCloseable {
    /** The private address inside. */
    public static final String ADDRESS = "10.77.0.10";

    private static final String SETUP =
            """
            set -e
            mount -t tmpfs none "$1"
            for dir in /etc /usr/local/bin /tmp; do
                mkdir -p "$1/up$dir" "$1/work$dir"
                mount -t overlay overlay -o "lowerdir=$dir,upperdir=$1/up$dir,workdir=$1/work$dir" "$dir"
            done
            ip link set lo up
            ip link add eth0 type dummy 2>/dev/null || ip link add eth0 type veth peer name eth1
            ip addr add ADDRESS/24 dev eth0
            for link in eth0 eth1; do
                ip link set $link up 2>/dev/null || true
            done
            : >"$1/ready"
            echo ready
            exec sleep 3600
            """
                    .replace("ADDRESS", ADDRESS);

    private final Process holder;
    private final Path folder;
    private final List<String> entry;

    private Sandbox(Process holder, Path folder, List<String> entry) {
        this.holder = holder;
        this.folder = folder;
        this.entry = entry;
    }

    /**
     * Whether this process runs as root on a build server, where doing without a sandbox must not
     * pass for a success.
     */
    public static boolean isRequired() {
        return "true".equals(System.getenv("CI")) && "root".equals(System.getProperty("user.name"));
    }

    /**
     * Opens one.
     *
     * @throws IOException with the reason when this machine does not allow it
     */
    public static Sandbox open() throws IOException {
        boolean root = "root".equals(System.getProperty("user.name"));
        List<String> unshare =
                root ? List.of("unshare", "-n", "-m") : List.of("unshare", "-r", "-n", "-m");
        Path folder = Files.createTempDirectory("registry-sandbox");
        Path said = Files.createTempFile("registry-sandbox", ".log");
        var command = new ArrayList<>(unshare);
        command.addAll(List.of("sh", "-c", SETUP, "sandbox", folder.toString()));
        Process holder =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(said.toFile())
                        .start();
        Awaitility.await()
                .atMost(10, TimeUnit.SECONDS)
                .pollDelay(0, TimeUnit.MILLISECONDS)
                .pollInterval(20, TimeUnit.MILLISECONDS)
                .until(() -> !holder.isAlive() || Files.readString(said).contains("ready"));
        String text = Files.readString(said);
        Files.delete(said);
        if (!holder.isAlive()) {
            Files.deleteIfExists(folder);
            throw new IOException("no sandbox: " + text.strip());
        }
        var entry =
                new ArrayList<>(List.of("nsenter", "-t", Long.toString(holder.pid()), "-n", "-m"));
        if (!root) {
            entry.addAll(List.of("-U", "--preserve-credentials"));
        }
        return new Sandbox(holder, folder, List.copyOf(entry));
    }

    /** Words to put before a command so that it runs inside; they add no process. */
    public List<String> entry() {
        return entry;
    }

    /** Runs a line of shell inside to its end. */
    public Launcher.Result sh(String line) {
        var command = new ArrayList<>(entry);
        command.addAll(List.of("sh", "-c", line));
        return Launcher.run(command, Map.of(), "");
    }

    /**
     * Starts a line of shell inside and leaves it running; what it prints goes to {@code output}.
     */
    public Process start(String line, Path output) throws IOException {
        var command = new ArrayList<>(entry);
        command.addAll(List.of("sh", "-c", "exec " + line));
        var builder =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile());
        Launcher.forgetConsulVariables(builder);
        return builder.start();
    }

    @Override
    public void close() {
        try {
            holder.destroyForcibly().waitFor();
            Files.deleteIfExists(folder);
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException("cannot close the sandbox in " + folder, e);
        }
    }
}
