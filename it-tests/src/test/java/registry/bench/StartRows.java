package registry.bench;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** What a start costs, and what an idle process holds. */
final class StartRows {
    private static final int VERSIONS = 20;

    /** By then the JVM has given back what its compilers needed at the start. */
    private static final long REST_NANOS = 6_000_000_000L;

    private final House house;
    private final Rounds rounds;
    private final Report report;

    StartRows(House house, Rounds rounds, Report report) {
        this.house = house;
        this.rounds = rounds;
        this.report = report;
    }

    void measure() throws IOException {
        version();
        int count = rounds.count();
        double[][] ours = new double[3][count];
        double[][] floors = new double[3][count];
        for (int i = 0; i < count; i++) {
            List<String> flags;
            long begin = System.nanoTime();
            try (Subject agent = house.executeAgent()) {
                house.awaitFirstWrite(agent);
                flags = House.flagsOf(agent);
                take(agent, begin, ours, i);
            }
            begin = System.nanoTime();
            try (Subject floor = house.executeFloor(flags)) {
                house.awaitFloor(floor);
                take(floor, begin, floors, i);
            }
        }
        report.add(Row.START_WALL, Rounds.median(ours[0]), Rounds.median(floors[0]));
        report.add(Row.START_CPU, Rounds.median(ours[1]), Rounds.median(floors[1]));
        report.add(Row.RSS_IDLE, Rounds.median(ours[2]), Rounds.median(floors[2]));
    }

    private static void take(Subject started, long begin, double[][] figures, int round) {
        figures[0][round] = (System.nanoTime() - begin) / 1e9;
        figures[1][round] = started.cpuMicros() / 1e6;
        started.settle();
        LockSupport.parkNanos(REST_NANOS);
        figures[2][round] = started.residentBytes() / 1e6;
    }

    private void version() throws IOException {
        double[] ours = new double[VERSIONS];
        double[] floors = new double[VERSIONS];
        for (int i = 0; i < VERSIONS; i++) {
            ours[i] = wallMillis(house.launcher().toString(), "version");
            floors[i] = wallMillis("/bin/sh", "-c", ":");
        }
        report.add(Row.VERSION, Rounds.median(ours), Rounds.median(floors));
    }

    private static double wallMillis(String... command) throws IOException {
        long begin = System.nanoTime();
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getInputStream().readAllBytes();
        process.onExit().join();
        return (System.nanoTime() - begin) / 1e6;
    }
}
