package registry.bench;

import java.time.Duration;
import java.util.List;

/** An agent and its floor, measured in turns. */
final class Pair implements AutoCloseable {
    private final Subject agent;
    private final Subject floor;
    private final Rounds rounds;

    Pair(House house, Rounds rounds) {
        this.rounds = rounds;
        agent = house.agent();
        floor = house.floor(agent);
    }

    Subject agent() {
        return agent;
    }

    Subject floor() {
        return floor;
    }

    Api api() {
        return new Api(agent.port());
    }

    /** CPU of a GET over four connections, in µs; the floor answers what the agent answers now. */
    double[] cpuOfGet(String path) {
        House.teach(floor, path, api().get(path));
        var get = Clients.Requests.same(Api.request("GET", path, ""));
        return cpuOf(get, get);
    }

    double[] cpuOf(Clients.Requests ours, Clients.Requests floors) {
        try (var toAgent = new Clients(agent.port(), 4);
                var toFloor = new Clients(floor.port(), 4)) {
            rounds.warmUp(List.of(agent), () -> toAgent.run(ours, rounds.each()));
            rounds.warmUp(List.of(floor), () -> toFloor.run(floors, rounds.each()));
            return rounds.alternate(
                    () -> cpuEach(agent, toAgent, ours), () -> cpuEach(floor, toFloor, floors));
        }
    }

    private double cpuEach(Subject subject, Clients clients, Clients.Requests requests) {
        long before = subject.cpuMicros();
        int count = clients.run(requests, rounds.each()).count();
        return (double) (subject.cpuMicros() - before) / count;
    }

    /** Median time of an answer with one client, in ms. */
    double[] medianMillis(Clients.Requests ours, Clients.Requests floors) {
        try (var toAgent = new Clients(agent.port(), 1);
                var toFloor = new Clients(floor.port(), 1)) {
            Duration each = rounds.each();
            rounds.warmUp(List.of(agent), () -> toAgent.run(ours, rounds.each()));
            toFloor.run(floors, each);
            return rounds.alternate(
                    () -> toAgent.run(ours, each).medianMillis(),
                    () -> toFloor.run(floors, each).medianMillis());
        }
    }

    /** Answers per second to {@code clients}, and answers per flush of the disk below. */
    double[][] rates(int clients, Clients.Requests ours, Clients.Requests floors, Disk disk) {
        try (var toAgent = new Clients(agent.port(), clients);
                var toFloor = new Clients(floor.port(), clients)) {
            rounds.warmUp(List.of(agent), () -> toAgent.run(ours, rounds.each()));
            toFloor.run(floors, rounds.each());
            double[][] perFlush = {new double[rounds.count()], new double[rounds.count()]};
            int[] round = {0, 0};
            double[] rates =
                    rounds.alternate(
                            () -> rate(toAgent, ours, disk, perFlush[0], round[0]++),
                            () -> rate(toFloor, floors, disk, perFlush[1], round[1]++));
            return new double[][] {rates, {Rounds.median(perFlush[0]), Rounds.median(perFlush[1])}};
        }
    }

    private double rate(
            Clients clients, Clients.Requests requests, Disk disk, double[] perFlush, int round) {
        long before = disk.flushes();
        Clients.Run run = clients.run(requests, rounds.each());
        perFlush[round] = (double) run.count() / Math.max(1, disk.flushes() - before);
        return run.perSecond();
    }

    @Override
    public void close() {
        agent.close();
        floor.close();
    }
}
