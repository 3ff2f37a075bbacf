package registry.server.snapshot;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import registry.server.state.State;
import registry.server.state.TableDef;

/** Archives of states, for tests. */
public final class Archives {
    private Archives() {}

    public static byte[] of(State state, List<TableDef<?>> tables) throws IOException {
        var out = new ByteArrayOutputStream();
        SnapshotArchive.write(
                new ArchiveInfo("", state.index(), 1, 1, "dc1", "n1"), state, tables, out);
        return out.toByteArray();
    }
}
