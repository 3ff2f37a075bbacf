package registry.bench;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes through three servers of one cluster, at the leader; in turns with another distribution.
 */
final class WriteRows {
    private static final int MANY = 64;

    private final House house;
    private final @Nullable House others;
    private final Rounds rounds;
    private final Report report;

    /**
     * @param others what to compare with; null for nothing
     */
    WriteRows(House house, @Nullable House others, Rounds rounds, Report report) {
        this.house = house;
        this.others = others;
        this.rounds = rounds;
        this.report = report;
    }

    void measure() {
        try (var ours = new Group(house);
                var theirs = others == null ? null : new Group(others)) {
            double[] p50 =
                    rounds.alternate(
                            () -> ours.medianMillis(),
                            () -> theirs == null ? Double.NaN : theirs.medianMillis());
            report.add(Row.SERVERS_P50, p50[0], p50[1]);
            double[] rate =
                    rounds.alternate(
                            () -> ours.rate(), () -> theirs == null ? Double.NaN : theirs.rate());
            report.add(Row.SERVERS_RATE, rate[0], rate[1]);
            report.add(
                    Row.SERVERS_CPU,
                    ours.cpuEach(),
                    theirs == null ? Double.NaN : theirs.cpuEach());
        }
    }

    /** One cluster with its clients, warm. */
    private final class Group implements AutoCloseable {
        private final List<Subject> servers;
        private final Clients one;
        private final Clients many;
        private final Clients.Requests puts = Catalog.values("/v1/kv/bench/k%d");
        private final double[] cpu = new double[rounds.count()];
        private int round;

        Group(House of) {
            servers = of.servers(3);
            int leader = servers.getFirst().port();
            one = new Clients(leader, 1);
            many = new Clients(leader, MANY);
            rounds.warmUp(servers, () -> many.run(puts, rounds.each()));
        }

        double medianMillis() {
            return one.run(puts, rounds.each()).medianMillis();
        }

        double rate() {
            long before = cpuMicros();
            Clients.Run run = many.run(puts, rounds.each());
            cpu[round++] = (double) (cpuMicros() - before) / run.count();
            return run.perSecond();
        }

        /** Of all servers, per write; after {@link #rate} in all rounds. */
        double cpuEach() {
            return Rounds.median(cpu);
        }

        private long cpuMicros() {
            return servers.stream().mapToLong(Subject::cpuMicros).sum();
        }

        @Override
        public void close() {
            one.close();
            many.close();
            servers.forEach(Subject::close);
        }
    }
}
