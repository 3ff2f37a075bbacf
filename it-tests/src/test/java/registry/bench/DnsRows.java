package registry.bench;

import java.util.List;
import java.util.function.Predicate;

/** Questions by DNS, over UDP with EDNS as resolvers ask. */
final class DnsRows {
    private static final int A = 1;
    private static final int SRV = 33;
    private static final int MANY = 4;

    private final House house;
    private final Rounds rounds;
    private final Report report;

    DnsRows(House house, Rounds rounds, Report report) {
        this.house = house;
        this.rounds = rounds;
        this.report = report;
    }

    void measure(Predicate<Row> wanted) {
        House.Member alone = house.member("bench", 1, "");
        try (Subject agent = house.execute(alone);
                var askers = new DnsClients(alone.ports()[1], MANY)) {
            house.awaitFirstWrite(agent);
            var api = new Api(agent.port());
            for (int n = 0; n < 200; n++) {
                api.put("/v1/catalog/register", Catalog.onItsOwnNode("large", n));
                if (n < 10) {
                    api.put("/v1/catalog/register", Catalog.onItsOwnNode("ten", n));
                }
            }
            ask(wanted, agent, askers, Row.DNS_A_10, "ten.service.consul", A);
            ask(wanted, agent, askers, Row.DNS_SRV_10, "ten.service.consul", SRV);
            ask(wanted, agent, askers, Row.DNS_A_200, "large.service.consul", A);
            ask(wanted, agent, askers, Row.DNS_NODE, "ten-n3.node.consul", A);
        }
    }

    private void ask(
            Predicate<Row> wanted,
            Subject agent,
            DnsClients askers,
            Row row,
            String name,
            int type) {
        if (wanted.test(row)) {
            byte[] question = DnsClients.question(name, type);
            rounds.warmUp(List.of(agent), () -> askers.run(question, rounds.each()));
            double[] cpu = new double[rounds.count()];
            for (int i = 0; i < cpu.length; i++) {
                cpu[i] = cpuEach(agent, askers, question);
            }
            report.add(row, Rounds.median(cpu), Double.NaN);
        }
    }

    private double cpuEach(Subject agent, DnsClients askers, byte[] question) {
        long before = agent.cpuMicros();
        int count = askers.run(question, rounds.each());
        return (double) (agent.cpuMicros() - before) / count;
    }
}
