package registry.server.leader;

import java.time.Duration;
import java.util.List;
import registry.api.NodeCoordinate;
import registry.server.catalog.CatalogOp;
import registry.server.coordinate.CoordinateEndpoint;
import registry.server.rpc.Proposer;

/** Writes the coordinates that have come in, all of them in a few commands. */
public final class CoordinateWriter implements LeaderLoop.Duty {
    /** Source: Consul's {@code CoordinateUpdatePeriod}. */
    private static final Duration INTERVAL = Duration.ofSeconds(5);

    private final CoordinateEndpoint endpoint;
    private final Proposer proposer;

    public CoordinateWriter(CoordinateEndpoint endpoint, Proposer proposer) {
        this.endpoint = endpoint;
        this.proposer = proposer;
    }

    @Override
    public void run(long term) {
        for (List<NodeCoordinate> batch : endpoint.take()) {
            proposer.propose(new CatalogOp.Locate(batch));
        }
    }

    @Override
    public Duration interval() {
        return INTERVAL;
    }

    @Override
    public String toString() {
        return "coordinates";
    }
}
