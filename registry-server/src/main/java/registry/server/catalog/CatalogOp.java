package registry.server.catalog;

import java.util.List;
import registry.api.CatalogDeregistration;
import registry.api.CatalogRegistration;
import registry.api.NodeCoordinate;
import registry.server.state.Op;
import registry.server.state.Tx;

/** What changes the catalogue. */
public sealed interface CatalogOp extends Op {
    /** Upserts a node, an instance and checks in one step. */
    record Register(CatalogRegistration registration) implements CatalogOp {
        @Override
        public Boolean apply(Tx tx) {
            CatalogTable.register(tx, registration);
            return true;
        }
    }

    /**
     * Removes a node with all it carries, an instance with its checks, or a check; unknown ones are
     * removed already.
     */
    record Deregister(CatalogDeregistration target) implements CatalogOp {
        @Override
        public Boolean apply(Tx tx) {
            CatalogTable.deregister(tx, target);
            return true;
        }
    }

    /** Puts nodes where they are; its result is how many of them there are. */
    record Locate(List<NodeCoordinate> coordinates) implements CatalogOp {
        @Override
        public Integer apply(Tx tx) {
            return CatalogTable.locate(tx, coordinates);
        }
    }
}
