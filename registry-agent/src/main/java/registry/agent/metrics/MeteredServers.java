package registry.agent.metrics;

import java.util.List;
import java.util.Map;
import registry.server.rpc.Method;
import registry.server.rpc.Question;
import registry.server.rpc.Servers;

/** Counts what an agent asks of the servers, and measures what it writes. */
public final class MeteredServers implements Servers {
    /** Names as Consul's, by the method. */
    private static final Map<String, String> WRITES =
            Map.of(
                    "Catalog.Register", "catalog.register",
                    "Catalog.Deregister", "catalog.deregister",
                    "KV.Apply", "kvs.apply",
                    "Session.Apply", "session.apply",
                    "Txn.Apply", "txn.apply",
                    "PreparedQuery.Apply", "prepared-query.apply");

    private final Servers servers;
    private final Metrics metrics;
    private final Series queries;

    public MeteredServers(Servers servers, Metrics metrics) {
        this.servers = servers;
        this.metrics = metrics;
        queries = metrics.counter("rpc.query");
    }

    @Override
    public <Q, A> A call(Method<Q, A> method, Q request) {
        String name = WRITES.get(method.name());
        if (name == null) {
            return servers.call(method, request);
        }
        long begin = System.nanoTime();
        try {
            return servers.call(method, request);
        } finally {
            metrics.sample(name).measureSince(begin);
        }
    }

    @Override
    public Held ask(Question question, Listener listener) {
        queries.count();
        return servers.ask(question, listener);
    }

    @Override
    public String leader() {
        return servers.leader();
    }

    @Override
    public List<String> peers() {
        return servers.peers();
    }
}
