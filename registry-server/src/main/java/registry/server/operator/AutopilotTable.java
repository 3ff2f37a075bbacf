package registry.server.operator;

import java.util.List;
import org.jspecify.annotations.Nullable;
import registry.api.AutopilotConfig;
import registry.api.json.Json;
import registry.server.state.State;
import registry.server.state.TableDef;
import registry.server.state.Tx;

/** Autopilot's configuration: one row, or none while nobody has written it. */
public final class AutopilotTable {
    private static final String KEY = "config";

    public static final TableDef<AutopilotConfig> CONFIG =
            new TableDef<AutopilotConfig>(
                            "autopilot-config",
                            String::compareTo,
                            config -> KEY,
                            List.of(),
                            Json::write,
                            bytes -> Json.read(bytes, AutopilotConfig.class))
                    .carriedBy((row, here, into) -> row.at(into.index(), into.index()));

    private AutopilotTable() {}

    static @Nullable AutopilotConfig config(State state) {
        return state.table(CONFIG).get(KEY);
    }

    /** False when the condition of {@code verb} does not hold. */
    static boolean write(Tx tx, AutopilotConfig config, AutopilotOp.Verb verb, long cas) {
        AutopilotConfig before = tx.get(CONFIG, KEY);
        boolean may =
                switch (verb) {
                    case SET -> true;
                    case CAS -> (before == null ? 0 : before.modifyIndex()) == cas;
                };
        if (may) {
            tx.put(
                    CONFIG,
                    config.at(before == null ? tx.index() : before.createIndex(), tx.index()));
        }
        return may;
    }
}
