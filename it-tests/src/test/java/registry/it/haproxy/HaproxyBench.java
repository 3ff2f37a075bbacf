package registry.it.haproxy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import registry.it.haproxy.Changes.Outcome;

/**
 * Measures the packaged companion and prints the table. Counts show the worst run, times the
 * median.
 *
 * <ul>
 *   <li>{@code BENCH_RUNS=1}: how often each is measured, five times without it
 *   <li>{@code BENCH_ROWS=faults,hop}: only these of {@link #measure}
 * </ul>
 */
final class HaproxyBench {
    private final Path work;
    private final int runs;
    private final List<String> wanted;
    private final HaproxyTable table = new HaproxyTable();
    private int sites;

    private HaproxyBench(Path work, int runs, List<String> wanted) {
        this.work = work;
        this.runs = runs;
        this.wanted = wanted;
    }

    /** Arguments: a directory for data and logs, the report. */
    public static void main(String[] arguments) throws IOException {
        Path work = Path.of(arguments[0]).toAbsolutePath();
        clear(work);
        String rows = System.getenv().getOrDefault("BENCH_ROWS", "");
        var bench =
                new HaproxyBench(
                        work,
                        Integer.parseInt(System.getenv().getOrDefault("BENCH_RUNS", "5")),
                        rows.isBlank() ? List.of() : Arrays.asList(rows.strip().split("[, ]+")));
        String before = load();
        long begun = System.nanoTime();
        bench.measure();
        String machine =
                "%n%d cores, Linux %s; load %s before, %s after; %.0f s%n"
                        .formatted(
                                Runtime.getRuntime().availableProcessors(),
                                System.getProperty("os.version"),
                                before,
                                load(),
                                Figures.millisSince(begun) / 1e3);
        Files.writeString(Path.of(arguments[1]), bench.table + machine);
        System.out.print(bench.table + machine);
        System.exit(0);
    }

    private void measure() {
        section("checks", 1, this::checks);
        section("faults", 2, this::faults);
        section("changes", 1, this::changes);
        section("hostile", 1, this::hostile);
        section("reloads", 1, this::reloads);
        section("scale", 1, this::scale);
        // With one backend, so that direct and through meet the same one.
        section("hop", 1, 1, this::hop);
    }

    /** A site for the section, measured run by run; one that fails does not hide the others. */
    private void section(String name, int agents, Consumer<Site> run) {
        section(name, agents, Site.BACKENDS, run);
    }

    private void section(String name, int agents, int backends, Consumer<Site> run) {
        if (!wanted.isEmpty() && !wanted.contains(name)) {
            return;
        }
        for (int i = 0; i < runs; i++) {
            System.err.println("# " + name + ", run " + (i + 1));
            try (Site site = Site.start(folder(name), agents, backends)) {
                try {
                    warmUp(site);
                    run.accept(site);
                } catch (RuntimeException | Error e) {
                    System.err.println("# NOT MEASURED: " + e + "\n" + site.logs());
                }
            }
        }
    }

    private Path folder(String name) {
        try {
            return Files.createDirectories(work.resolve(name + "-" + ++sites));
        } catch (IOException e) {
            throw new IllegalStateException("no folder", e);
        }
    }

    /** Compilers, caches, and the pool of connections of HAProxy. */
    private static void warmUp(Site site) {
        try (var load = new OpenLoop(site.front(), 500)) {
            load.runFor(Duration.ofSeconds(2));
            load.stop();
        }
    }

    private void checks(Site site) {
        Faults.Checks checks = new Faults(site).failChecks(100, 200);
        double p99 = Figures.share(checks.outMillis(), 0.99);
        System.err.printf(
                "out p50 %.1f p99 %.1f max %.1f, in p50 %.1f p99 %.1f ms%n",
                Figures.median(checks.outMillis()),
                p99,
                Figures.max(checks.outMillis()),
                Figures.median(checks.inMillis()),
                Figures.share(checks.inMillis(), 0.99));
        table.add(HaproxyRow.CHECK_OUT, p99);
        table.add(HaproxyRow.CHECK_FAILED, checks.failed());
    }

    private void faults(Site site) {
        var faults = new Faults(site);
        note(HaproxyRow.KILL_200_OUT, HaproxyRow.KILL_200_FAILED, faults.killBackend(200));
        note(HaproxyRow.KILL_1000_OUT, HaproxyRow.KILL_1000_FAILED, faults.killBackend(1000));
        note(HaproxyRow.NODE_200_OUT, HaproxyRow.NODE_200_FAILED, faults.killNode(200));
        note(HaproxyRow.NODE_1000_OUT, HaproxyRow.NODE_1000_FAILED, faults.killNode(1000));
        note(HaproxyRow.FREEZE_200_OUT, HaproxyRow.FREEZE_200_FAILED, faults.freezeBackend(200));
        note(HaproxyRow.FREEZE_1000_OUT, HaproxyRow.FREEZE_1000_FAILED, faults.freezeBackend(1000));
        note(HaproxyRow.FROZEN_NODE_OUT, HaproxyRow.FROZEN_NODE_FAILED, faults.freezeNode(200));
    }

    private void note(HaproxyRow out, HaproxyRow failed, Faults.Outcome outcome) {
        System.err.println(out.label() + ": " + outcome);
        table.add(out, outcome.outMillis());
        table.add(failed, outcome.failed());
    }

    private void changes(Site site) {
        var changes = new Changes(site);
        for (int i = 0; i < 3; i++) {
            table.add(HaproxyRow.REGISTER, changes.registerToFirstRequest(200));
        }
        Outcome drained = changes.replaceAll(200, true);
        System.err.println("drained: " + drained);
        table.add(HaproxyRow.DRAINED_FAILED, drained.failed());
        table.add(HaproxyRow.DRAINED_RELOADS, drained.reloads());
        Outcome undrained = changes.replaceAll(200, false);
        System.err.println("undrained: " + undrained);
        table.add(HaproxyRow.UNDRAINED_FAILED, undrained.failed());
        table.add(HaproxyRow.UNDRAINED_RELOADS, undrained.reloads());
        Changes.Flap flap = changes.flap(200, 20, Duration.ofSeconds(10));
        System.err.println(flap);
        table.add(HaproxyRow.FLAP_RELOADS, flap.outcome().reloads());
        table.add(HaproxyRow.FLAP_CPU, flap.cpuPercent());
        table.add(HaproxyRow.FLAP_RIGHT, flap.rightMillis());
        table.add(HaproxyRow.FLAP_FAILED, flap.outcome().failed());
        Changes.Vanish vanish = changes.vanish(200, Duration.ofSeconds(2));
        System.err.println(vanish);
        table.add(HaproxyRow.VANISH_KEEP, vanish.keepFailed());
        table.add(HaproxyRow.VANISH_DROP, vanish.dropMillis());
        table.add(HaproxyRow.VANISH_AFTER, vanish.afterMillis() - 2000);
        table.add(HaproxyRow.VANISH_BACK, vanish.recoveredMillis());
        Changes.Away away = changes.registryAway(200, Duration.ofSeconds(15));
        System.err.println(away);
        table.add(HaproxyRow.AWAY_FAILED, away.outcome().failed());
        table.add(HaproxyRow.AWAY_LOST, Site.BACKENDS - away.served());
        table.add(HaproxyRow.AWAY_FOLLOWS, away.followsMillis());
    }

    private void hostile(Site site) {
        site.change(site.webService("slots: 16"));
        Hostile.Outcome outcome =
                new Hostile(site, Figures.random("hostile registrations")).attack(200, 1_000);
        System.err.printf(
                "%d refused by the registry, %d accepted and left out; intruders %s, unnamed %s%n",
                outcome.refused(), outcome.accepted(), outcome.intruders(), outcome.unnamed());
        table.add(HaproxyRow.HOSTILE_IN, outcome.intruders().size());
        table.add(HaproxyRow.HOSTILE_FAILED, outcome.failed());
        table.add(HaproxyRow.HOSTILE_UNNAMED, outcome.unnamed().size());
        table.add(HaproxyRow.HOSTILE_FOLLOWS, outcome.followsMillis());
    }

    private void reloads(Site site) {
        var reloads = new Reloads(site, Figures.random("bursts"));
        table.add(HaproxyRow.RESTART_WRONG, wrong(reloads, Reloads.Present.ALL));
        table.add(HaproxyRow.RESTART_ALONE_WRONG, wrong(reloads, Reloads.Present.NO_REGISTRY));
        table.add(HaproxyRow.RESTART_FILE_WRONG, wrong(reloads, Reloads.Present.NOBODY));
        // A hundred in five runs.
        Reloads.Bursts bursts = reloads.bursts(20, 200);
        System.err.println(bursts);
        table.add(HaproxyRow.BURSTS_WRONG, bursts.wrong().size());
        table.add(HaproxyRow.BURSTS_FAILED, bursts.failed());
    }

    private static int wrong(Reloads reloads, Reloads.Present present) {
        List<String> wrong = reloads.restartHaproxy(present);
        System.err.println("HAProxy restarted, " + present + ": wrong " + wrong);
        return wrong.size();
    }

    private void scale(Site site) {
        Scale.Outcome outcome = new Scale(site, 200, 20).follow(50, Duration.ofSeconds(60));
        System.err.println(outcome);
        table.add(HaproxyRow.SCALE_LAG, Figures.max(outcome.lagMillis()));
        table.add(HaproxyRow.SCALE_RELOADS, outcome.reloads());
        table.add(HaproxyRow.SCALE_RSS, outcome.residentMegabytes());
        table.add(HaproxyRow.SCALE_CPU, outcome.cpuPercent());
    }

    private void hop(Site site) {
        var hop = new Hop(site);
        Hop.Pair keep = hop.measure(false, 5, 4_000);
        Hop.Pair close = hop.measure(true, 5, 2_000);
        System.err.println("keep-alive " + keep + ", close " + close);
        table.add(HaproxyRow.HOP_KEEP, keep.added());
        table.add(HaproxyRow.HOP_CLOSE, close.added());
    }

    private static String load() throws IOException {
        return Files.readString(Path.of("/proc/loadavg")).split(" ")[0];
    }

    private static void clear(Path directory) throws IOException {
        Files.createDirectories(directory);
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                if (!file.equals(directory)) {
                    Files.delete(file);
                }
            }
        }
    }
}
