package registry.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;

/** Three servers and two client agents on this machine: at rest, and read through a client. */
final class ClusterRows {
    private static final int SERVERS = 3;
    private static final int CLIENTS = 2;
    private static final String KEY = "/v1/kv/bench/key";

    private static final long LOOK_NANOS = 5_000_000_000L;

    private final House house;
    private final Rounds rounds;
    private final Report report;
    private final List<Subject> servers = new ArrayList<>();
    private final List<Subject> clients = new ArrayList<>();
    private final List<Integer> gossipPorts = new ArrayList<>();

    ClusterRows(House house, Rounds rounds, Report report) {
        this.house = house;
        this.rounds = rounds;
        this.report = report;
    }

    void measure(Predicate<Row> wanted) {
        try {
            start();
            if (wanted.test(Row.CLUSTER_CPU)
                    || wanted.test(Row.CLUSTER_GOSSIP)
                    || wanted.test(Row.CLUSTER_SERVER)
                    || wanted.test(Row.CLUSTER_CLIENT)) {
                atRest();
            }
            if (wanted.test(Row.CLIENT_GET) || wanted.test(Row.CLIENT_GET_P50)) {
                read(clients.getFirst());
            }
        } finally {
            clients.forEach(Subject::close);
            servers.forEach(Subject::close);
        }
    }

    private void start() {
        House.Member seed = house.member("s1", SERVERS, "");
        servers.add(execute(seed));
        for (int i = 2; i <= SERVERS; i++) {
            servers.add(execute(house.member("s" + i, SERVERS, seed.gossip())));
        }
        for (int i = 1; i <= CLIENTS; i++) {
            clients.add(execute(house.member("c" + i, 0, seed.gossip())));
        }
        servers.forEach(house::awaitFirstWrite);
        clients.forEach(house::awaitFirstWrite);
        new Api(clients.getFirst().port()).put(KEY, "%0100d".formatted(1));
    }

    private Subject execute(House.Member member) {
        gossipPorts.add(member.ports()[3]);
        return house.execute(member);
    }

    private List<Subject> all() {
        var all = new ArrayList<>(servers);
        all.addAll(clients);
        return all;
    }

    private long cpuOfAll() {
        return all().stream().mapToLong(Subject::cpuMicros).sum();
    }

    private void atRest() {
        all().forEach(Subject::settle);
        // The JVMs give back what their compilers needed at the start; what is done a few times a
        // second takes minutes to be compiled.
        LockSupport.parkNanos(rounds.rest().toNanos());
        double[] cpu = new double[rounds.count()];
        double[] bytes = new double[rounds.count()];
        try (var traffic = Traffic.of(gossipPorts)) {
            for (int i = 0; i < rounds.count(); i++) {
                long cpuBefore = cpuOfAll();
                long bytesBefore = traffic == null ? 0 : traffic.bytes();
                long began = System.nanoTime();
                LockSupport.parkNanos(LOOK_NANOS);
                double seconds = (System.nanoTime() - began) / 1e9;
                cpu[i] = (cpuOfAll() - cpuBefore) / 1e3 / seconds;
                bytes[i] = traffic == null ? 0 : (traffic.bytes() - bytesBefore) / seconds;
            }
            if (traffic == null) {
                report.note("Gossip was not counted: that takes root and nft.");
            } else {
                report.add(Row.CLUSTER_GOSSIP, Rounds.median(bytes) / 1e3, Double.NaN);
            }
        }
        report.add(Row.CLUSTER_CPU, Rounds.median(cpu), Double.NaN);
        report.add(Row.CLUSTER_SERVER, largest(servers), Double.NaN);
        report.add(Row.CLUSTER_CLIENT, largest(clients), Double.NaN);
    }

    private static double largest(List<Subject> of) {
        return of.stream().mapToLong(Subject::residentBytes).max().orElseThrow() / 1e6;
    }

    private void read(Subject client) {
        var get = Clients.Requests.same(Api.request("GET", KEY, ""));
        double[] cpu = new double[rounds.count()];
        double[] millis = new double[rounds.count()];
        try (var many = new Clients(client.port(), 4);
                var one = new Clients(client.port(), 1)) {
            rounds.warmUp(all(), () -> many.run(get, rounds.each()));
            for (int i = 0; i < rounds.count(); i++) {
                cpu[i] = cpuEach(many, get);
                millis[i] = one.run(get, rounds.each()).medianMillis();
            }
        }
        report.add(Row.CLIENT_GET, Rounds.median(cpu), Double.NaN);
        report.add(Row.CLIENT_GET_P50, Rounds.median(millis), Double.NaN);
    }

    private double cpuEach(Clients asking, Clients.Requests requests) {
        long before = cpuOfAll();
        int count = asking.run(requests, rounds.each()).count();
        return (double) (cpuOfAll() - before) / count;
    }
}
