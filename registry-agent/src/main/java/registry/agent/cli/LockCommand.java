package registry.agent.cli;

import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import registry.agent.watch.ScriptHandler;
import registry.api.json.GoDuration;

/** {@code registry lock}: runs a program while it has a lock. Source: consul-api 12.1. */
final class LockCommand implements Command {
    /** The key below the prefix. */
    static final String LOCK = ".lock";

    private static final int CHILD_FAILED = 2;
    private static final Duration GRACE = Duration.ofSeconds(5);

    /** What the command waits for. */
    private sealed interface Event {
        record Acquired(boolean mine) implements Event {}

        record Failed(String why) implements Event {}

        record ChildEnded(int status) implements Event {}

        record Lost() implements Event {}

        record Stopped() implements Event {}
    }

    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private boolean verbose;

    @Override
    public String synopsis() {
        return "[options] prefix child...";
    }

    @Override
    public String purpose() {
        return "Runs a program while it has the lock below the prefix, with CONSUL_LOCK_HELD=true in its environment. When"
                + " the lock is lost the program is told to end (SIGTERM), and killed 5 s later.";
    }

    @Override
    public Flags flags() {
        return AgentConnection.addFlags(
                new Flags()
                        .onOff("child-exit-code", "Ends with 2 when the program fails.")
                        .number("monitor-retry", "Tries while nobody answers, 3 by default.")
                        .number("n", "How many may have the lock at a time, 1 by default.")
                        .text("name", "Name of the session.")
                        .onOff("pass-stdin", "The program reads the standard input.")
                        .onOff("shell", "Has a shell read the program's words, on by default.")
                        .text("timeout", "Longest time to wait for the lock, as in 30s.")
                        .text("try", "As -timeout.")
                        .onOff("verbose", "Says what happens."));
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, InterruptedException {
        List<String> arguments = flags.arguments();
        if (arguments.size() < 2) {
            throw new Failure("Key prefix and child command must be specified");
        }
        int holders = Math.clamp(Long.parseLong(flags.get("n", "1")), -1, Integer.MAX_VALUE);
        if (holders <= 0) {
            throw new Failure("Lock holder limit must be positive");
        }
        long retries = Long.parseLong(flags.get("monitor-retry", "3"));
        if (retries < 0) {
            throw new Failure("Number for 'monitor-retry' must be >= 0");
        }
        Duration patience = patience(flags);
        verbose = flags.isOn("verbose");
        String prefix = KvKeys.key(arguments.getFirst());
        String below = prefix.isEmpty() || prefix.endsWith("/") ? prefix : prefix + "/";
        List<String> words = arguments.subList(1, arguments.size());
        String name =
                flags.get(
                        "name",
                        "Consul lock for '%s' at '%s'".formatted(String.join(" ", words), prefix));
        boolean shell = !flags.isGiven("shell") || flags.isOn("shell");
        ProcessBuilder child =
                child(
                        shell ? ScriptHandler.inShell(String.join(" ", words)) : words,
                        flags.isOn("pass-stdin"));
        var done = new CountDownLatch(1);
        Thread hook = new Thread(() -> stop(done));
        Runtime.getRuntime().addShutdownHook(hook);
        try (var agent = AgentConnection.open(flags, terminal)) {
            say(
                    terminal,
                    holders == 1
                            ? "Setting up lock at path: " + below + LOCK
                            : "Setting up semaphore (limit %d) at prefix: %s"
                                    .formatted(holders, prefix));
            say(terminal, "Attempting lock acquisition");
            try (var session = begin(agent, name)) {
                var keep = new Retries(retries);
                ClusterLock lock =
                        holders == 1
                                ? new KeyLock(session, below + LOCK, keep)
                                : new SemaphoreLock(session, below, holders, keep);
                int status = hold(lock, patience, child, terminal);
                return flags.isOn("child-exit-code") ? status : 0;
            }
        } finally {
            done.countDown();
            unhook(hook);
        }
    }

    private static @Nullable Duration patience(Flags flags) throws Failure {
        String text = flags.get("timeout", flags.get("try"));
        if (text.isEmpty()) {
            return null;
        }
        try {
            Duration patience = GoDuration.parse(text);
            if (patience.isNegative()) {
                throw new Failure("Timeout must be positive");
            }
            return patience.isZero() ? null : patience;
        } catch (IllegalArgumentException e) {
            throw new Failure("Error parsing try timeout: " + e.getMessage());
        }
    }

    private static ProcessBuilder child(List<String> command, boolean passStdin) {
        var builder =
                new ProcessBuilder(command)
                        .redirectInput(
                                passStdin ? Redirect.INHERIT : Redirect.from(new File("/dev/null")))
                        .redirectOutput(Redirect.INHERIT)
                        .redirectError(Redirect.INHERIT);
        builder.environment().put("CONSUL_LOCK_HELD", "true");
        return builder;
    }

    private static LockSession begin(AgentConnection agent, String name)
            throws Failure, InterruptedException {
        try {
            return LockSession.begin(agent, name);
        } catch (Failure e) {
            throw new Failure("Lock acquisition failed: " + e.text());
        }
    }

    /** 0, or 2 when the child has failed. */
    private int hold(
            ClusterLock lock, @Nullable Duration patience, ProcessBuilder child, Terminal terminal)
            throws Failure, InterruptedException {
        Thread acquisition = Thread.ofVirtual().start(() -> acquire(lock, patience));
        switch (events.take()) {
            case Event.Acquired(boolean mine) when mine -> {}
            case Event.Failed(String why) -> {
                cleanUpQuietly(lock);
                throw new Failure("Lock acquisition failed: " + why);
            }
            default -> {
                acquisition.interrupt();
                acquisition.join();
                cleanUpQuietly(lock);
                throw new Failure("Shutdown triggered or timeout during lock acquisition");
            }
        }
        int status = withLock(lock, child, terminal);
        try {
            lock.release();
        } catch (Failure e) {
            throw new Failure("Lock release failed: " + e.text());
        }
        try {
            say(terminal, lock.cleanUp() ? "Cleanup succeeded" : "Cleanup aborted, lock in use");
        } catch (Failure | IOException e) {
            throw new Failure("Lock cleanup failed: " + e.getMessage());
        }
        return status;
    }

    private void acquire(ClusterLock lock, @Nullable Duration patience) {
        try {
            events.add(new Event.Acquired(lock.acquire(patience)));
        } catch (Failure e) {
            events.add(new Event.Failed(e.text()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** What a contender has written; the end of its session would leave it behind. */
    private static void cleanUpQuietly(ClusterLock lock) throws InterruptedException {
        try {
            lock.release();
            lock.cleanUp();
        } catch (Failure | IOException e) {
            // The reason for the end has been told.
        }
    }

    private int withLock(ClusterLock lock, ProcessBuilder builder, Terminal terminal)
            throws InterruptedException {
        say(terminal, "Starting handler");
        Process child;
        try {
            child = builder.start();
        } catch (IOException e) {
            terminal.complain("Error running handler: " + e.getMessage());
            return CHILD_FAILED;
        }
        child.onExit().thenAccept(ended -> events.add(new Event.ChildEnded(ended.exitValue())));
        Thread watch = Thread.ofVirtual().start(() -> awaitLoss(lock));
        try {
            Event event = events.take();
            if (event instanceof Event.ChildEnded(int status)) {
                say(terminal, "Child terminated, releasing lock");
                return failed(status, terminal) ? CHILD_FAILED : 0;
            }
            say(
                    terminal,
                    event instanceof Event.Lost
                            ? "Lock lost, killing child"
                            : "Shutdown triggered, killing child");
            end(child, terminal);
            return 0;
        } finally {
            watch.interrupt();
            everyone(child).forEach(ProcessHandle::destroyForcibly);
        }
    }

    private void awaitLoss(ClusterLock lock) {
        try {
            lock.awaitLoss();
            events.add(new Event.Lost());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static boolean failed(int status, Terminal terminal) {
        if (status == 0) {
            return false;
        }
        // The JVM says 128 and more of a program that a signal has ended.
        terminal.complain("Error running handler: exit status " + status);
        return true;
    }

    private void end(Process child, Terminal terminal) throws InterruptedException {
        say(terminal, "Terminating child pid " + child.pid());
        List<ProcessHandle> told = everyone(child).toList();
        told.forEach(ProcessHandle::destroy);
        if (!child.waitFor(GRACE.toMillis(), TimeUnit.MILLISECONDS)) {
            say(terminal, "Child did not exit after grace period");
        }
        told.forEach(ProcessHandle::destroyForcibly);
        child.waitFor();
    }

    /** A shell's children don't end with it. */
    private static Stream<ProcessHandle> everyone(Process child) {
        return Stream.concat(child.descendants(), Stream.of(child.toHandle()));
    }

    private void say(Terminal terminal, String line) {
        if (verbose) {
            terminal.say(line);
        }
    }

    /** A signal has come: the program is ended and the lock released before the process ends. */
    private void stop(CountDownLatch done) {
        events.add(new Event.Stopped());
        try {
            done.await(2 * GRACE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void unhook(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // It runs already.
        }
    }
}
