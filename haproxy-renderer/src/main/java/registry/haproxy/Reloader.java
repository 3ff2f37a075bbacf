package registry.haproxy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.api.json.GoDuration;
import registry.haproxy.RendererConfig.HaproxyConfig;

/**
 * Keeps haproxy.cfg, and has HAProxy load it when its structure is another. HAProxy loses reloads
 * that come close together, so there is one at a time, it is believed only when the new worker
 * names the new version and the master names the new worker, and it is asked for again until then.
 * Owned by the engine's thread; no call waits for a reload.
 */
final class Reloader {
    private static final Logger LOG = LoggerFactory.getLogger(Reloader.class);
    private static final Duration APART = Duration.ofSeconds(2);
    private static final Duration PATIENCE = Duration.ofSeconds(2);
    private static final Duration REFUSED_PATIENCE = Duration.ofMillis(300);
    private static final Duration REJECTED = Duration.ofSeconds(30);
    private static final Duration VALIDATION = Duration.ofSeconds(20);
    private static final Pattern VERSION = Pattern.compile("set-var proc\\.cfgver int\\((\\d+)\\)");
    // A state file without servers; none at all is a warning at each load.
    private static final byte[] NO_STATE = "1\n".getBytes(StandardCharsets.US_ASCII);

    private final HaproxyConfig haproxy;
    private final @Nullable Master master;
    private final Path good;
    private @Nullable Pending pending;
    private @Nullable Rejected rejected;
    private long lastReload = System.nanoTime() - APART.toNanos();
    private long reloads;
    private long lost;
    private boolean stateCleared;

    /** A reload that was asked for and not yet seen. */
    private record Pending(
            long version, int failedBefore, long begun, long sent, Duration patience) {
        Pending sentAgain(boolean refused) {
            return new Pending(
                    version,
                    failedBefore,
                    begun,
                    System.nanoTime(),
                    refused ? REFUSED_PATIENCE : PATIENCE);
        }
    }

    private record Rejected(long version, String why, long until) {}

    /**
     * @param master null when HAProxy has none, and others have to reload it
     */
    Reloader(HaproxyConfig haproxy, @Nullable Master master) {
        this.haproxy = haproxy;
        this.master = master;
        this.good = haproxy.config().resolveSibling(haproxy.config().getFileName() + ".good");
    }

    boolean isPending() {
        return pending != null;
    }

    long reloads() {
        return reloads;
    }

    /** Reloads that HAProxy let fall and that were asked for again. */
    long lost() {
        return lost;
    }

    /** Why the present structure does not run; null when it does or is on its way. */
    @Nullable String rejection() {
        return rejected == null ? null : rejected.why();
    }

    /**
     * Puts the file in place for a HAProxy that does not run.
     *
     * @param complete whether all members are known; if not, a file of the same structure knows
     *     more than {@code text}
     */
    void prepareStart(long version, String text, boolean complete) throws IOException {
        // The socket may be away for a moment in the middle of a reload.
        if (pending != null && System.nanoTime() - pending.sent() < PATIENCE.toNanos()) {
            return;
        }
        pending = null;
        String present = present();
        if (present.equals(text)
                || !complete && versionOf(present) == version
                || isRejected(version)) {
            return;
        }
        clearState();
        if (versionOf(present) != version) {
            String problem = validate(text);
            if (problem != null) {
                reject(version, problem);
                return;
            }
            keepGood();
        }
        rejected = null;
        AtomicFile.write(haproxy.config(), text.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * One step towards {@code text} on disk and {@code version} in the running process.
     *
     * @param loaded the version that the worker behind {@code session} names; 0 for none
     */
    void step(long version, String text, long loaded, RuntimeApi.Session session)
            throws IOException {
        Pending waiting = pending;
        if (waiting != null) {
            verify(waiting, loaded, session);
        } else if (loaded == version) {
            rejected = null;
            clearState();
            if (!present().equals(text)) {
                AtomicFile.write(haproxy.config(), text.getBytes(StandardCharsets.UTF_8));
            }
        } else if (!isRejected(version) && System.nanoTime() - lastReload >= APART.toNanos()) {
            begin(version, text, session);
        }
    }

    private void begin(long version, String text, RuntimeApi.Session session) throws IOException {
        String problem = validate(text);
        if (problem != null) {
            reject(version, problem);
            return;
        }
        if (master == null) {
            AtomicFile.write(haproxy.config(), text.getBytes(StandardCharsets.UTF_8));
            reject(version, "HAProxy has to be reloaded by hand: haproxy.master_socket is not set");
            return;
        }
        Master.Processes before = master.look();
        keepGood();
        AtomicFile.write(haproxy.config(), text.getBytes(StandardCharsets.UTF_8));
        stateCleared = false;
        AtomicFile.write(
                haproxy.stateFile(),
                (session.send("show servers state") + "\n").getBytes(StandardCharsets.UTF_8));
        long now = System.nanoTime();
        LOG.info("reloading HAProxy version={}", version);
        send(new Pending(version, before.failed(), now, now, PATIENCE));
    }

    private void send(Pending reload) {
        lastReload = System.nanoTime();
        boolean refused = false;
        try {
            if (master != null) {
                master.reload();
            }
        } catch (IOException e) {
            refused = true;
        }
        pending = reload.sentAgain(refused);
    }

    private void verify(Pending waiting, long loaded, RuntimeApi.Session session)
            throws IOException {
        if (master == null) {
            pending = null;
            return;
        }
        Master.Processes seen = null;
        try {
            seen = master.look();
        } catch (IOException e) {
            LOG.debug("the master does not answer yet: {}", e.toString());
        }
        if (seen != null && loaded == waiting.version() && seen.workers().contains(pid(session))) {
            pending = null;
            reloads++;
            lastReload = System.nanoTime();
            clearState();
            Duration took = Duration.ofNanos(System.nanoTime() - waiting.begun());
            LOG.info(
                    "HAProxy runs version={} after {}",
                    waiting.version(),
                    GoDuration.format(took.truncatedTo(ChronoUnit.MILLIS)));
            return;
        }
        if (seen != null && seen.failed() > waiting.failedBefore()) {
            pending = null;
            restoreGood();
            reject(
                    waiting.version(),
                    "HAProxy could not load the configuration, its own log says why");
            return;
        }
        if (System.nanoTime() - waiting.sent() >= waiting.patience().toNanos()) {
            lost++;
            LOG.warn("HAProxy has lost a reload, asking again version={}", waiting.version());
            send(waiting);
        }
    }

    private static long pid(RuntimeApi.Session session) throws IOException {
        for (String line : session.send("show info").split("\n")) {
            if (line.startsWith("Pid: ")) {
                return Long.parseLong(line.substring(5).strip());
            }
        }
        throw new IOException("show info lacks Pid");
    }

    /** What {@code haproxy -c} has against {@code text}; null when nothing. */
    @Nullable String validate(String text) throws IOException {
        Path candidate =
                AtomicFile.prepare(haproxy.config(), text.getBytes(StandardCharsets.UTF_8));
        try {
            Process check =
                    new ProcessBuilder(haproxy.binary(), "-c", "-f", candidate.toString())
                            .redirectErrorStream(true)
                            .redirectInput(Path.of("/dev/null").toFile())
                            .start();
            String output =
                    new String(check.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!check.waitFor(VALIDATION.toMillis(), TimeUnit.MILLISECONDS)) {
                check.destroyForcibly();
                return "haproxy -c does not end";
            }
            return check.exitValue() == 0 ? null : "haproxy -c: " + alerts(output);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted");
        } finally {
            Files.deleteIfExists(candidate);
        }
    }

    private static String alerts(String output) {
        List<String> alerts =
                output.lines().filter(line -> line.startsWith("[ALERT]")).limit(3).toList();
        return String.join("; ", alerts.isEmpty() ? output.lines().limit(3).toList() : alerts);
    }

    private void reject(long version, String why) {
        LOG.error("version={} is not loaded: {}", version, why);
        rejected = new Rejected(version, why, System.nanoTime() + REJECTED.toNanos());
    }

    private boolean isRejected(long version) {
        return rejected != null
                && rejected.version() == version
                && System.nanoTime() - rejected.until() < 0;
    }

    private String present() throws IOException {
        try {
            return Files.readString(haproxy.config(), StandardCharsets.UTF_8);
        } catch (NoSuchFileException e) {
            return "";
        }
    }

    private static long versionOf(String text) {
        Matcher version = VERSION.matcher(text);
        return version.find() ? Long.parseLong(version.group(1)) : 0;
    }

    private void keepGood() throws IOException {
        if (Files.exists(haproxy.config())) {
            Path original =
                    haproxy.config().resolveSibling(haproxy.config().getFileName() + ".orig");
            if (!present().startsWith(ConfigRenderer.MARK) && !Files.exists(original)) {
                AtomicFile.write(original, Files.readAllBytes(haproxy.config()));
                LOG.info("{} was not ours, it is kept as {}", haproxy.config(), original);
            }
            AtomicFile.write(good, Files.readAllBytes(haproxy.config()));
        }
    }

    /** A start of HAProxy must not meet the file that it could not load. */
    private void restoreGood() throws IOException {
        if (Files.exists(good)) {
            Files.move(
                    good,
                    haproxy.config(),
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /**
     * An old state file would override the present members of the configuration at a restart of
     * HAProxy.
     */
    private void clearState() throws IOException {
        if (!stateCleared) {
            AtomicFile.write(haproxy.stateFile(), NO_STATE);
            stateCleared = true;
        }
    }
}
