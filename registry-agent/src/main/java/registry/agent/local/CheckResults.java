package registry.agent.local;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.agent.check.AliasCheck;
import registry.agent.check.CheckHistory.Transition;
import registry.agent.check.CheckResult;
import registry.agent.check.CheckScheduler;
import registry.agent.check.Timers;
import registry.agent.check.TtlCheck;
import registry.api.HealthCheck;

/**
 * What checks find: from a result to the table, the database, the history, the aliases and the
 * catalogue. Safe for any thread.
 */
final class CheckResults implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(CheckResults.class);

    /** Results that say nothing new are written together, this long after the first. */
    private static final Duration FLUSH_DELAY = Duration.ofSeconds(1);

    /** How old the stored time of an unchanged result may be. */
    private static final Duration RESULT_TIME_PRECISION = Duration.ofMinutes(1);

    /** Aliases may follow aliases; those that go in circles are left alone after so many steps. */
    private static final int MAX_ALIAS_STEPS = 16;

    private static final int MAX_HISTORY_OUTPUT = 256;

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

    private final LocalConfig config;
    private final Entries entries;
    private final LocalStore store;
    private final CheckScheduler scheduler;
    private final Runnable push;
    private final Timers timers;
    private final RandomGenerator random;

    /** Checks whose row is a little behind. */
    private final Set<CheckEntry> unwritten = new HashSet<>();

    private final AtomicBoolean aliasesBehind = new AtomicBoolean();
    private final AtomicBoolean followingAliases = new AtomicBoolean();

    private volatile boolean discardOutput;
    private volatile boolean closed;

    /**
     * @param push has the catalogue told of what has changed; does not block
     */
    CheckResults(
            LocalConfig config,
            Entries entries,
            LocalStore store,
            CheckScheduler scheduler,
            Runnable push,
            Timers timers,
            RandomGenerator random) {
        this.config = config;
        this.entries = entries;
        this.store = store;
        this.scheduler = scheduler;
        this.push = push;
        this.timers = timers;
        this.random = random;
        this.discardOutput = config.discardCheckOutput();
    }

    void discardOutput(boolean discard) {
        discardOutput = discard;
    }

    /** A TTL check that was silent for too long. */
    void expire(CheckEntry check) {
        String output;
        synchronized (entries) {
            output = check.view.output();
            if (check.isCritical && output.startsWith(TtlCheck.SILENT)) {
                return;
            }
        }
        report(check, TtlCheck.silent(output));
    }

    /**
     * What someone says of a check, which stays alive by it; the text is cut to what the check
     * keeps.
     */
    void heard(CheckEntry check, CheckResult said) {
        report(check, cut(check, said), true);
    }

    /**
     * As {@link #heard} when it is what was said before, in memory alone; else false, and nothing
     * is done.
     */
    boolean heardAgain(CheckEntry check, CheckResult said) {
        synchronized (entries) {
            if (!check.hasResult
                    || !check.view.status().equals(said.status())
                    || !check.view.output().equals(discardOutput ? "" : said.output())) {
                return false;
            }
        }
        report(check, said, true);
        return true;
    }

    /** What a run of a check has found. */
    void report(CheckEntry check, CheckResult found) {
        report(check, found, false);
    }

    /**
     * A result of a check: a change of state is written and pushed at once, one of the output alone
     * in good time, none at all costs a moment's lock.
     *
     * @param heard from someone who keeps a TTL check alive
     */
    private void report(CheckEntry check, CheckResult result, boolean heard) {
        String output = discardOutput ? "" : result.output();
        boolean first;
        String before;
        boolean newStatus;
        boolean newOutput;
        boolean write;
        synchronized (entries) {
            TtlCheck ttl = check.ttl;
            if (check.removed || closed || ttl != null && !heard && !ttl.isExpired()) {
                return;
            }
            if (ttl != null && heard) {
                ttl.heard();
            }
            before = check.view.status();
            first = !check.hasResult;
            newStatus = !before.equals(result.status());
            newOutput = !check.view.output().equals(output);
            check.hasResult = true;
            check.resultMillis = timers.now().toEpochMilli();
            noteCritical(check, result.status());
            if (newStatus || newOutput) {
                check.view = Views.withResult(check.view, result.status(), output);
            }
            if (newStatus) {
                entries.mark(check);
            }
            write = isWorthWriting(check) || newOutput;
        }
        if (first || newStatus) {
            log.info(
                    "check is now {}: check={} before={}",
                    result.status(),
                    check.id(),
                    first ? "none" : before);
            writeTransition(check, first ? "" : before, result.status(), output);
        } else if (write) {
            writeSoon(check);
        }
        if (newStatus) {
            push.run();
        } else if (newOutput) {
            pushOutput(check);
        }
        if (newStatus || newOutput) {
            followAliases();
        }
    }

    private void noteCritical(CheckEntry check, String status) {
        boolean critical = status.equals(HealthCheck.CRITICAL);
        if (critical && !check.isCritical) {
            check.criticalSinceNanos = timers.nanos();
        }
        check.isCritical = critical;
    }

    /**
     * An unchanged result is written for its time, and a TTL check's for its deadline: both may be
     * a little behind.
     */
    private static boolean isWorthWriting(CheckEntry check) {
        Duration ttl = check.definition.ttl();
        if (check.ttl != null && ttl != null) {
            return check.resultMillis + ttl.toMillis() - check.storedDeadlineMillis
                    > deadlineSlack(ttl);
        }
        return check.resultMillis - check.storedResultMillis > RESULT_TIME_PRECISION.toMillis();
    }

    /** How much later than stored a TTL check's deadline may really be. */
    static long deadlineSlack(Duration ttl) {
        return Math.max(FLUSH_DELAY.toMillis(), ttl.toMillis() / 4);
    }

    private void pushOutput(CheckEntry check) {
        Duration interval = config.checkUpdateInterval();
        if (interval.isZero()) {
            entries.mark(check);
            push.run();
            return;
        }
        // Half to one and a half of it, so that many checks with chatty outputs are spread.
        Duration delay =
                interval.dividedBy(2).plusNanos(random.nextLong(Math.max(1, interval.toNanos())));
        synchronized (entries) {
            if (check.deferred == null && !check.removed) {
                check.deferred = timers.after(delay, () -> deferredIsDue(check));
            }
        }
    }

    private void deferredIsDue(CheckEntry check) {
        synchronized (entries) {
            check.deferred = null;
            entries.mark(check);
        }
        push.run();
    }

    private void writeTransition(CheckEntry check, String from, String to, String output) {
        synchronized (check.row) {
            try (LocalStore.Changes changes = store.changes()) {
                writeResult(changes, check);
                append(changes, check, from, to, output);
                changes.write();
            }
        }
    }

    private void writeSoon(CheckEntry check) {
        boolean isFirst;
        synchronized (unwritten) {
            isFirst = unwritten.isEmpty();
            unwritten.add(check);
        }
        if (isFirst) {
            timers.after(
                    FLUSH_DELAY, () -> Thread.ofVirtual().name("check-results").start(this::flush));
        }
    }

    private void flush() {
        List<CheckEntry> behind;
        synchronized (unwritten) {
            behind = List.copyOf(unwritten);
            unwritten.clear();
        }
        for (CheckEntry check : behind) {
            synchronized (check.row) {
                try (LocalStore.Changes changes = store.changes()) {
                    writeResult(changes, check);
                    changes.write();
                }
            }
        }
    }

    /**
     * The check's state as it is now, whoever made it so: the last writer writes the last state.
     * Holds its row's lock.
     */
    private void writeResult(LocalStore.Changes changes, CheckEntry check) {
        LocalStore.Result result;
        synchronized (entries) {
            if (check.removed) {
                return;
            }
            Duration ttl = check.definition.ttl();
            long deadline =
                    check.ttl == null || ttl == null ? 0 : check.resultMillis + ttl.toMillis();
            result =
                    new LocalStore.Result(
                            check.view.status(), check.view.output(), check.resultMillis, deadline);
            check.storedResultMillis = check.resultMillis;
            check.storedDeadlineMillis = deadline;
        }
        changes.putResult(check.id(), result);
    }

    /** Lets aliases of this node's services see what has changed; aliases of aliases too. */
    void followAliases() {
        if (!entries.hasAliases()) {
            return;
        }
        aliasesBehind.set(true);
        int steps = 0;
        while (steps < MAX_ALIAS_STEPS
                && aliasesBehind.get()
                && followingAliases.compareAndSet(false, true)) {
            try {
                while (steps < MAX_ALIAS_STEPS && aliasesBehind.getAndSet(false)) {
                    steps++;
                    entries.aliases().forEach(this::followAlias);
                }
            } finally {
                followingAliases.set(false);
            }
        }
    }

    private void followAlias(CheckEntry alias) {
        String service = alias.definition.aliasService();
        CheckResult result =
                AliasCheck.judge(
                        alias.definition.aliasNode(),
                        service,
                        entries.checksFor(alias),
                        entries.serviceEntry(service) != null);
        report(alias, cut(alias, result));
    }

    /** Adds a change of state to the history of a check. */
    void append(
            LocalStore.Changes changes, CheckEntry check, String from, String to, String output) {
        long number;
        long next =
                check.nextTransition >= 0 ? check.nextTransition : store.nextTransition(check.id());
        synchronized (entries) {
            number = Math.max(next, check.nextTransition);
            check.nextTransition = number + 1;
        }
        changes.putTransition(
                check.id(),
                number,
                new Transition(TIME.format(timers.now()), from, to, firstLine(output)));
    }

    /** Whatever is reported from now on is dropped; what was before is written. */
    @Override
    public void close() {
        closed = true;
        flush();
    }

    private CheckResult cut(CheckEntry check, CheckResult result) {
        String output = head(result.output(), scheduler.outputMaxSize(check.definition));
        return new CheckResult(result.status(), output);
    }

    /** The beginning of a text that is too long, and how long it was. Source: consul-api 3.4 */
    private static String head(String text, int maxBytes) {
        if (text.length() * 3L <= maxBytes) {
            return text;
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length <= maxBytes) {
            return text;
        }
        int end = maxBytes;
        while (end > 0 && (bytes[end] & 0xC0) == 0x80) {
            end--;
        }
        return new String(bytes, 0, end, StandardCharsets.UTF_8)
                + " ... (captured "
                + maxBytes
                + " of "
                + bytes.length
                + " bytes)";
    }

    private static String firstLine(String output) {
        String line = output.lines().findFirst().orElse("");
        return line.length() <= MAX_HISTORY_OUTPUT ? line : line.substring(0, MAX_HISTORY_OUTPUT);
    }
}
