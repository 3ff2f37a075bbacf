package registry.server.query;

import registry.api.PreparedQuery;
import registry.server.state.Op;
import registry.server.state.Tx;

/** What changes prepared queries. Each one's result is the query's id. */
public sealed interface QueryOp extends Op {
    /** Adds a query; one whose id is there already came twice. */
    record Create(PreparedQuery query) implements QueryOp {
        @Override
        public String apply(Tx tx) {
            return QueryTable.create(tx, query);
        }
    }

    /** Puts a query in the place of the one with its id. */
    record Update(PreparedQuery query) implements QueryOp {
        @Override
        public String apply(Tx tx) {
            return QueryTable.update(tx, query);
        }
    }

    /** Removes a query. */
    record Delete(String id) implements QueryOp {
        @Override
        public String apply(Tx tx) {
            return QueryTable.delete(tx, id);
        }
    }
}
