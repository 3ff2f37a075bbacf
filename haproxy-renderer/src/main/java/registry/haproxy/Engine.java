package registry.haproxy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.haproxy.RendererConfig.ServiceConfig;

/**
 * Brings HAProxy to what it should serve. Each pass compares the desired state with what the
 * running process reports, never with what was sent before, so a restart of either side needs no
 * care. One thread runs the loop and owns everything here; others only {@link #wake} it or {@link
 * #replace} its input.
 */
final class Engine implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(Engine.class);
    private static final Duration LOOK = Duration.ofSeconds(1);
    private static final Duration GLANCE = Duration.ofMillis(250);
    private static final Duration LONGEST_LOOK = Duration.ofSeconds(3);
    private static final Duration AFTER_CHANGE = Duration.ofMillis(250);
    private static final Duration CONNECTING = Duration.ofMillis(100);
    private static final Duration SOON = Duration.ofMillis(50);
    private static final Duration WHILE_GONE = Duration.ofMillis(100);
    private static final Duration GONE_FOR_LONG = Duration.ofSeconds(2);
    private static final Duration AFTER_RESTORE = Duration.ofSeconds(1);
    private static final Duration FIRST_ANSWERS = Duration.ofSeconds(3);
    private static final Pattern VERSION =
            Pattern.compile("proc\\.cfgver: type=sint value=<(\\d+)>");

    private final DesiredState desired;
    private final RuntimeApi worker;
    private final Reloader reloader;
    private final @Nullable HaproxyProcess process;
    private final StatusBoard status;
    private final Notifier notifier;
    private final Layout layout;
    private final Frozen frozen = new Frozen();
    private final Repeats told = new Repeats(LOG, System::nanoTime);
    private final BlockingQueue<String> changed = new LinkedBlockingQueue<>();

    private volatile RendererConfig config;
    private ConfigRenderer renderer;
    private RouteMaps routes;
    private Map<String, Integer> versionOf = Map.of();
    private long version;
    private long loaded;
    private Duration lookTook = Duration.ZERO;
    private long nextFull = System.nanoTime();
    private long nextGlance = nextFull;
    private long lastFull = nextFull - LOOK.toNanos();
    private long structureSince = System.nanoTime();
    private long applied;
    private boolean started;
    private boolean inStep;
    private boolean makingRoom;
    private boolean gone;
    private long goneSince;

    /**
     * @param process null when HAProxy is somebody else's to start
     */
    Engine(
            RendererConfig config,
            DesiredState desired,
            RuntimeApi worker,
            Reloader reloader,
            @Nullable HaproxyProcess process,
            StatusBoard status,
            Notifier notifier) {
        this.config = config;
        this.renderer = new ConfigRenderer(config);
        this.routes = RouteMaps.of(config);
        this.desired = desired;
        this.layout = new Layout(desired);
        this.worker = worker;
        this.reloader = reloader;
        this.process = process;
        this.status = status;
        this.notifier = notifier;
    }

    /** Says that the members of the service may have changed. */
    void wake(String serviceKey) {
        changed.add(serviceKey);
    }

    /** Goes on with another input. */
    void replace(RendererConfig next) {
        config = next;
        changed.add("");
    }

    /** Runs until the thread is interrupted. */
    @Override
    public void run() {
        while (!Thread.currentThread().isInterrupted()) {
            try {
                Set<String> dirty = await();
                boolean full = dirty.contains("") || System.nanoTime() - nextFull >= 0;
                pass(dirty, full);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private Set<String> await() throws InterruptedException {
        Set<String> dirty = new HashSet<>();
        String first =
                changed.poll(
                        Math.max(0, Math.min(nextFull, nextGlance) - System.nanoTime()),
                        TimeUnit.NANOSECONDS);
        if (first != null) {
            dirty.add(first);
            changed.drainTo(dirty);
        }
        return dirty;
    }

    /**
     * Whatever goes wrong in a pass is shown and tried again in the next: data must not end this
     * process.
     */
    void pass(Set<String> dirty, boolean full) {
        takeInput();
        if (full) {
            desired.readDrains();
            told.settle();
        }
        long begun = System.nanoTime();
        List<String> problems = new ArrayList<>();
        try {
            if (!started && !mayStart()) {
                nextFull = begun + SOON.toNanos();
                nextGlance = nextFull;
                return;
            }
            started = true;
            boolean quiet = reach(dirty, full, problems);
            if (full) {
                inStep = quiet && problems.isEmpty() && loaded == version && !reloader.isPending();
            }
            schedule(full, quiet);
        } catch (IOException | UncheckedIOException e) {
            problems.add(e.getMessage() == null ? e.toString() : e.getMessage());
            nextFull = System.nanoTime() + AFTER_CHANGE.toNanos();
            nextGlance = nextFull;
        } catch (RuntimeException e) {
            LOG.error("a pass failed", e);
            problems.add(e.toString());
            nextFull = System.nanoTime() + LOOK.toNanos();
            nextGlance = nextFull;
        }
        if (full) {
            inStep &= problems.isEmpty();
            report(problems);
        } else if (!problems.isEmpty() && status.trouble(problems.getFirst())) {
            LOG.warn("{}", problems.getFirst());
        }
        notifier.alive();
    }

    private void takeInput() {
        RendererConfig next = config;
        if (renderer.config() != next) {
            renderer = new ConfigRenderer(next);
            routes = RouteMaps.of(next);
            versionOf = Map.of();
            structureSince = System.nanoTime();
            nextFull = System.nanoTime();
        }
    }

    /**
     * At the start, and for a new service, the first answers are worth a short wait: they decide
     * the number of slots.
     */
    private boolean isReady() {
        return config.services().stream().allMatch(desired::isKnown)
                || System.nanoTime() - structureSince > FIRST_ANSWERS.toNanos();
    }

    /** What was known at the last end may be outdated; the answers of now take only a moment. */
    private boolean mayStart() {
        boolean asked = config.services().stream().allMatch(desired::isAsked);
        return isReady() && (asked || System.nanoTime() - structureSince > AFTER_RESTORE.toNanos());
    }

    private void schedule(boolean full, boolean quiet) {
        long now = System.nanoTime();
        // Thousands of servers take tens of milliseconds to list: at most a fiftieth of the time
        // goes into that.
        long gentle = Math.min(lookTook.multipliedBy(50).toNanos(), LONGEST_LOOK.toNanos());
        if (full) {
            lastFull = now;
        }
        if (gone) {
            nextFull = now + WHILE_GONE.toNanos();
        } else if (reloader.isPending() || makingRoom) {
            nextFull = now + SOON.toNanos();
        } else if (!quiet) {
            // A service that flaps must not have the file written at each turn.
            long soon =
                    Math.max(
                            now + Math.max(AFTER_CHANGE.toNanos(), gentle),
                            full ? now : lastFull + LOOK.toNanos());
            nextFull = full ? soon : Math.min(nextFull, soon);
        } else if (full) {
            nextFull = now + Math.max(LOOK.toNanos(), gentle);
        }
    }

    /** Returns whether nothing had to be done. */
    private boolean reach(Set<String> dirty, boolean full, List<String> problems)
            throws IOException {
        RuntimeApi.Session session;
        try {
            session = worker.connect();
        } catch (IOException e) {
            if (!gone) {
                gone = true;
                goneSince = System.nanoTime();
            }
            loaded = 0;
            nextGlance = System.nanoTime() + GLANCE.toNanos();
            absent(problems);
            return false;
        }
        gone = false;
        try (session) {
            loaded = version(session);
            // Between the full passes a glance sees what HAProxy itself has found out.
            boolean all = full || System.nanoTime() - nextGlance >= 0;
            Map<String, List<Slot>> actual = all ? look(session) : slotsOf(dirty, session);
            boolean quiet = members(session, actual, problems);
            if (all) {
                cutFrozen(session, actual, problems);
            }
            if (full) {
                apply(session, routes.changes(session, actual.keySet()), problems);
                Map<String, List<Slot>> now = quiet ? actual : look(session);
                structure(session, now);
            }
            return quiet;
        }
    }

    private void cutFrozen(
            RuntimeApi.Session session, Map<String, List<Slot>> actual, List<String> problems)
            throws IOException {
        long now = System.nanoTime();
        Duration patience = config.haproxy().connectTimeout().plus(CONNECTING);
        apply(session, frozen.cuts(actual, patience, now), problems);
        long gentle = Math.min(lookTook.multipliedBy(50).toNanos(), LONGEST_LOOK.toNanos());
        nextGlance = now + Math.max((frozen.isWaiting() ? CONNECTING : GLANCE).toNanos(), gentle);
    }

    private Map<String, List<Slot>> look(RuntimeApi.Session session) throws IOException {
        long begun = System.nanoTime();
        Map<String, List<Slot>> actual = Slot.parse(session.send("show servers state"));
        lookTook = Duration.ofNanos(System.nanoTime() - begun);
        return actual;
    }

    private void absent(List<String> problems) throws IOException {
        Map<String, List<Optional<Member>>> places = layout.places(config.services(), Map.of());
        long wanted = version();
        boolean complete = config.services().stream().allMatch(desired::isKnown);
        try {
            routes.save();
            reloader.prepareStart(wanted, renderer.render(wanted, places), complete);
        } catch (IOException e) {
            // What is on disk already is better than no HAProxy.
            problems.add(e.toString());
        }
        if (System.nanoTime() - goneSince < GONE_FOR_LONG.toNanos()) {
            start();
            return;
        }
        problems.add("HAProxy does not answer on " + config.haproxy().socket());
        start();
    }

    private void start() throws IOException {
        if (process != null && Files.exists(config.haproxy().config())) {
            process.ensureRunning();
        }
    }

    private Map<String, List<Slot>> slotsOf(Set<String> dirty, RuntimeApi.Session session)
            throws IOException {
        Map<String, List<Slot>> actual = new LinkedHashMap<>();
        for (ServiceConfig service : config.services()) {
            if (dirty.contains(service.key())) {
                String reply = session.send("show servers state " + service.key());
                if (!reply.equals("Can't find backend.")) {
                    actual.putAll(Slot.parse(reply));
                }
            }
        }
        return actual;
    }

    /**
     * Outs of all services first: a server that fails requests is worse than one that is missing.
     */
    private boolean members(
            RuntimeApi.Session session, Map<String, List<Slot>> actual, List<String> problems)
            throws IOException {
        List<SlotPlan> plans = new ArrayList<>();
        boolean crowded = false;
        makingRoom = false;
        for (ServiceConfig service : config.services()) {
            List<Slot> slots = actual.get(service.key());
            if (slots == null) {
                continue;
            }
            Optional<List<Member>> members = desired.members(service);
            // Of a service nobody has told us about yet, HAProxy knows better than we do.
            if (members.isEmpty()) {
                continue;
            }
            SlotPlan plan =
                    SlotPlan.of(
                            service,
                            members.get(),
                            desired.expired(service),
                            slots,
                            new Connected(session));
            plans.add(plan);
            if (plan.homeless().isEmpty()) {
                continue;
            }
            crowded = true;
            if (!plan.outs().isEmpty()) {
                // The slots that these leave may do for the next pass.
                makingRoom = true;
            } else if (!layout.grow(service, slots.size(), members.get().size())) {
                int count = plan.homeless().size();
                problems.add(service.key() + ": no slots for " + count + " instances");
            }
        }
        for (SlotPlan plan : plans) {
            apply(session, plan.outs(), problems);
        }
        for (SlotPlan plan : plans) {
            apply(session, plan.ins(), problems);
        }
        for (SlotPlan plan : plans) {
            apply(session, plan.frees(), problems);
        }
        return !crowded && plans.stream().allMatch(SlotPlan::isEmpty);
    }

    private void apply(RuntimeApi.Session session, List<Change> changes, List<String> problems)
            throws IOException {
        for (Change change : changes) {
            boolean done = true;
            for (Change.Command command : change.commands()) {
                String reply = session.send(command.text());
                if (!command.success().matcher(reply).matches()) {
                    problems.add(
                            "HAProxy refuses \"" + command.text() + "\": " + Printable.of(reply));
                    done = false;
                    break;
                }
            }
            if (done) {
                applied++;
                told.tell(change.what());
            }
        }
    }

    private void structure(RuntimeApi.Session session, Map<String, List<Slot>> actual)
            throws IOException {
        layout.observe(config.services(), actual);
        if (!isReady() && loaded != 0) {
            return;
        }
        Map<String, List<Optional<Member>>> places = layout.places(config.services(), actual);
        long wanted = version();
        routes.save();
        reloader.step(wanted, renderer.render(wanted, places), loaded, session);
    }

    private long version() {
        Map<String, Integer> counts = layout.counts(config.services());
        if (!counts.equals(versionOf)) {
            version = renderer.version(counts);
            versionOf = counts;
        }
        return version;
    }

    boolean isReloading() {
        return reloader.isPending();
    }

    /**
     * Whether HAProxy ran the wanted structure, with nothing left to do, when it was last looked at
     * as a whole.
     */
    boolean isInStep() {
        return inStep;
    }

    static long version(RuntimeApi.Session session) throws IOException {
        Matcher version = VERSION.matcher(session.send("get var proc.cfgver"));
        return version.matches() ? Long.parseLong(version.group(1)) : 0;
    }

    private void report(List<String> problems) {
        String rejection = reloader.rejection();
        if (rejection != null) {
            problems.add(rejection);
        }
        try {
            desired.save();
        } catch (IOException e) {
            problems.add("the last good answers cannot be saved: " + e);
        }
        if (!problems.isEmpty()) {
            if (status.trouble(problems.getFirst())) {
                LOG.warn("{}", String.join("; ", problems));
            }
        } else if (status.fine()) {
            LOG.info("HAProxy is in step again");
        }
        try {
            status.write(config, desired, reloader, version, loaded, inStep, applied);
        } catch (IOException e) {
            LOG.debug("the status cannot be written: {}", e.toString());
        }
    }
}
