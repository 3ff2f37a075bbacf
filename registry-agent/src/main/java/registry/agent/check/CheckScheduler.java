package registry.agent.check;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.agent.config.CheckDefinition;
import registry.api.HealthCheck;
import registry.server.rpc.Servers;

/**
 * Runs checks at their intervals: one timer thread for all that wait, a virtual thread for each
 * that runs. A check's next run is an interval after the end of its last one, so that it never
 * overlaps itself.
 */
public final class CheckScheduler {
    private static final Logger log = LoggerFactory.getLogger(CheckScheduler.class);
    private static final Duration MIN_INTERVAL = Duration.ofSeconds(1);
    private static final Duration PROBE_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration SCRIPT_TIMEOUT = Duration.ofSeconds(30);

    /**
     * First runs are spread over at least this, and over so much more as there are checks waiting
     * for theirs.
     */
    private static final Duration MIN_SPREAD = Duration.ofMillis(100);

    private static final Duration SPREAD_PER_CHECK = Duration.ofMillis(2);

    /** A check that is being done again and again, until it is stopped. */
    public interface Job {
        /**
         * Nothing is reported afterwards, unless it is under way already; a running program is
         * killed.
         */
        void stop();
    }

    private final Timers timers;
    private final Servers servers;
    private final RandomGenerator random;
    private final int outputMaxSize;
    private final AtomicInteger waitingForFirstRun = new AtomicInteger();
    private final Set<Thread> running = ConcurrentHashMap.newKeySet();

    /**
     * @param outputMaxSize bytes of output kept of a check that does not say itself
     */
    public CheckScheduler(
            Timers timers, Servers servers, RandomGenerator random, int outputMaxSize) {
        this.timers = timers;
        this.servers = servers;
        this.random = random;
        this.outputMaxSize = outputMaxSize;
    }

    /** Bytes of output that are kept of a check. */
    public int outputMaxSize(CheckDefinition definition) {
        return definition.outputMaxSize() > 0 ? definition.outputMaxSize() : outputMaxSize;
    }

    /**
     * Starts a check that has an interval. The listener hears each result that counts, on a virtual
     * thread: those that {@code success_before_passing} and {@code failures_before_critical} do not
     * hold back.
     */
    public Job start(CheckDefinition definition, Consumer<CheckResult> listener) {
        Duration interval = definition.interval() == null ? MIN_INTERVAL : definition.interval();
        if (interval.compareTo(MIN_INTERVAL) < 0) {
            log.warn(
                    "check has interval below minimum: check={} minimum_interval=1s",
                    definition.id());
            interval = MIN_INTERVAL;
        }
        var job = new Periodic(definition, checkFor(definition), interval, listener);
        job.scheduleFirst();
        return job;
    }

    /** Follows another node, or a service of it, through the servers. */
    public Job follow(CheckDefinition alias, Consumer<CheckResult> listener) {
        return new RemoteAlias(alias.aliasNode(), alias.aliasService(), servers, listener).start();
    }

    /**
     * Waits for checks that are still running, for a while: stopped ones are killing what they
     * started.
     */
    public void awaitStopped(Duration limit) throws InterruptedException {
        long until = System.nanoTime() + limit.toNanos();
        for (Thread runner : running) {
            Duration left = Duration.ofNanos(until - System.nanoTime());
            if (!left.isPositive() || !runner.join(left)) {
                return;
            }
        }
    }

    private Check checkFor(CheckDefinition definition) {
        int maxBytes = outputMaxSize(definition);
        return switch (definition.type()) {
            case "http" ->
                    new HttpCheck(
                            definition.http(),
                            definition.method(),
                            definition.header(),
                            definition.body(),
                            definition.tlsSkipVerify(),
                            timeout(definition, PROBE_TIMEOUT),
                            maxBytes);
            case "tcp" -> new TcpCheck(definition.tcp(), timeout(definition, PROBE_TIMEOUT));
            case "grpc" ->
                    new GrpcCheck(
                            definition.grpc(),
                            definition.grpcUseTls(),
                            definition.tlsSkipVerify(),
                            timeout(definition, PROBE_TIMEOUT));
            case "docker" ->
                    new ScriptCheck(
                            inContainer(definition), timeout(definition, SCRIPT_TIMEOUT), maxBytes);
            case "script" ->
                    new ScriptCheck(
                            definition.args(), timeout(definition, SCRIPT_TIMEOUT), maxBytes);
            default ->
                    throw new IllegalArgumentException(
                            "check \""
                                    + definition.id()
                                    + "\" of type \""
                                    + definition.type()
                                    + "\" has no interval");
        };
    }

    private static List<String> inContainer(CheckDefinition definition) {
        List<String> command =
                new ArrayList<>(List.of("docker", "exec", definition.dockerContainerId()));
        if (!definition.shell().isEmpty()) {
            command.add(definition.shell());
        }
        command.addAll(definition.args());
        return command;
    }

    private static Duration timeout(CheckDefinition definition, Duration standard) {
        Duration timeout = definition.timeout();
        return timeout == null || !timeout.isPositive() ? standard : timeout;
    }

    private final class Periodic implements Job {
        private final CheckDefinition definition;
        private final Check check;
        private final Duration interval;
        private final Consumer<CheckResult> listener;
        private int successes;
        private int failures;
        private boolean stopped;
        private boolean hasRun;
        private Timers.@Nullable Timer timer;
        private @Nullable Thread runner;

        Periodic(
                CheckDefinition definition,
                Check check,
                Duration interval,
                Consumer<CheckResult> listener) {
            this.definition = definition;
            this.check = check;
            this.interval = interval;
            this.listener = listener;
        }

        /**
         * Soon, because nobody knows anything yet; but thousands that start together are spread, or
         * they would all be late.
         */
        void scheduleFirst() {
            int others = waitingForFirstRun.getAndIncrement();
            Duration spread = SPREAD_PER_CHECK.multipliedBy(others);
            if (spread.compareTo(MIN_SPREAD) < 0) {
                spread = MIN_SPREAD;
            }
            if (spread.compareTo(interval) > 0) {
                spread = interval;
            }
            schedule(Duration.ofNanos(random.nextLong(spread.toNanos())));
        }

        private synchronized void schedule(Duration delay) {
            runner = null;
            if (!stopped) {
                timer = timers.after(delay, this::launch);
            }
        }

        private synchronized void launch() {
            firstRunIsOver();
            if (!stopped) {
                runner = Thread.ofVirtual().name("check-" + definition.id()).start(this::runOnce);
            }
        }

        private void firstRunIsOver() {
            if (!hasRun) {
                hasRun = true;
                waitingForFirstRun.decrementAndGet();
            }
        }

        private void runOnce() {
            running.add(Thread.currentThread());
            try {
                CheckResult result = check.run();
                if (counts(result)) {
                    listener.accept(result);
                }
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                log.error("a check failed in an unforeseen way: check={}", definition.id(), e);
            } finally {
                running.remove(Thread.currentThread());
            }
            schedule(interval);
        }

        private synchronized boolean counts(CheckResult result) {
            if (stopped) {
                return false;
            }
            boolean failed = result.status().equals(HealthCheck.CRITICAL);
            successes = failed ? 0 : successes + 1;
            failures = failed ? failures + 1 : 0;
            boolean counts =
                    failed
                            ? failures >= definition.failuresBeforeCritical()
                            : successes >= definition.successBeforePassing();
            if (!counts) {
                log.debug(
                        "check result is held back: check={} status={} successes={} failures={}",
                        definition.id(),
                        result.status(),
                        successes,
                        failures);
            }
            return counts;
        }

        @Override
        public synchronized void stop() {
            stopped = true;
            firstRunIsOver();
            if (timer != null) {
                timer.cancel();
            }
            if (runner != null) {
                runner.interrupt();
            }
        }
    }
}
