package registry.server.operator;

import registry.api.AutopilotConfig;
import registry.server.state.Op;
import registry.server.state.Tx;

/** What changes autopilot's configuration. */
public sealed interface AutopilotOp extends Op {
    /** On what condition it is written. */
    enum Verb {
        SET,
        /** When the row's ModifyIndex is the one given; 0: when there is none. */
        CAS
    }

    /** Its result says whether the configuration was written. */
    record Write(AutopilotConfig config, Verb verb, long cas) implements AutopilotOp {
        @Override
        public Boolean apply(Tx tx) {
            return AutopilotTable.write(tx, config, verb, cas);
        }
    }
}
