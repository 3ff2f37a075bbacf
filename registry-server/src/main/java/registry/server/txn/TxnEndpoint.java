package registry.server.txn;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.List;
import registry.api.ApiException;
import registry.api.Txn;
import registry.api.TxnResult;
import registry.api.TxnResult.Failure;
import registry.api.json.Json;
import registry.server.catalog.CatalogSteps;
import registry.server.rpc.Proposer;
import registry.server.rpc.Query;
import registry.server.rpc.Question;
import registry.server.state.Tx;

/** Transactions, with their defaults and refusals. Source: consul-api 3.9 */
public final class TxnEndpoint {
    private final Proposer proposer;
    private final String datacenter;

    /**
     * @param datacenter what nodes without one get
     */
    public TxnEndpoint(Proposer proposer, String datacenter) {
        this.proposer = proposer;
        this.datacenter = datacenter;
    }

    /** Does the steps, or says why none of them was done. */
    public TxnResult apply(Txn txn) {
        var failures = new ArrayList<Failure>();
        Txn complete = complete(txn, failures);
        return failures.isEmpty()
                ? (TxnResult) proposer.propose(new TxnOp.Apply(complete))
                : TxnResult.failed(failures);
    }

    /**
     * The answer to steps that only read, each from the same state; the question's name is the
     * transaction as JSON.
     */
    public Query read(Question question) {
        var failures = new ArrayList<Failure>();
        Txn txn = complete(Json.read(question.name().getBytes(UTF_8), Txn.class), failures);
        if (txn.writes()) {
            throw ApiException.badRequest("a transaction that writes is no read");
        }
        return new Query(
                List.of(),
                state -> state.index(),
                state ->
                        Query.Answer.found(
                                Json.write(
                                        failures.isEmpty()
                                                ? TxnSteps.run(
                                                        new Tx(state, state.index(), state.time()),
                                                        txn)
                                                : TxnResult.failed(failures))),
                false);
    }

    private Txn complete(Txn txn, List<Failure> failures) {
        var ops = new ArrayList<Txn.Op>();
        for (Txn.Op op : txn.ops()) {
            try {
                ops.add(complete(op));
            } catch (ApiException e) {
                failures.add(new Failure(ops.size() + failures.size(), e.text()));
            }
        }
        return new Txn(ops);
    }

    private Txn.Op complete(Txn.Op op) {
        if (op.kv() != null) {
            if (op.kv().key().isEmpty() && !op.kv().verb().equals("delete-tree")) {
                throw ApiException.refused("Must provide key");
            }
            return op;
        }
        if (op.node() != null && TxnSteps.puts(op.node().verb())) {
            return new Txn.Op(
                    null,
                    new Txn.OfNode(
                            op.node().verb(), CatalogSteps.complete(op.node().node(), datacenter)),
                    null,
                    null);
        }
        if (op.service() != null && TxnSteps.puts(op.service().verb())) {
            Txn.OfService given = op.service();
            return new Txn.Op(
                    null,
                    null,
                    new Txn.OfService(
                            given.verb(),
                            given.node(),
                            CatalogSteps.complete(given.node(), given.service())),
                    null);
        }
        if (op.check() != null && TxnSteps.puts(op.check().verb())) {
            return new Txn.Op(
                    null,
                    null,
                    null,
                    new Txn.OfCheck(op.check().verb(), CatalogSteps.complete(op.check().check())));
        }
        return op;
    }
}
