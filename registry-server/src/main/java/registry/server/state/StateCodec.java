package registry.server.state;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import org.pcollections.HashTreePMap;
import org.pcollections.TreePMap;

/**
 * A state as a stream of bytes and back: version, base, index, time; then each table with its rows;
 * then the indexes. Whoever stores it adds the checksum.
 */
public final class StateCodec {
    private static final int MAGIC = 0x52475354; // RGST
    private static final int VERSION = 1;
    private static final int MAX_ROW_BYTES = 64 << 20;

    private final List<TableDef<?>> tables;

    /** Knows all tables there are. */
    public StateCodec(List<TableDef<?>> tables) {
        this.tables = List.copyOf(tables);
    }

    /** Writes row by row; commands may go on meanwhile. Does not close {@code stream}. */
    public void write(State state, OutputStream stream) throws IOException {
        var out = new DataOutputStream(new BufferedOutputStream(stream, 1 << 16));
        out.writeInt(MAGIC);
        out.writeInt(VERSION);
        out.writeLong(state.base());
        out.writeLong(state.index());
        out.writeLong(state.time());
        out.writeInt(tables.size());
        for (TableDef<?> def : tables) {
            writeTable(state, def, out);
        }
        out.writeInt(state.indexes().size());
        for (Map.Entry<String, Long> scope : state.indexes().entrySet()) {
            writeBytes(scope.getKey().getBytes(StandardCharsets.UTF_8), out);
            out.writeLong(scope.getValue());
        }
        out.flush();
    }

    private static <R> void writeTable(State state, TableDef<R> def, DataOutputStream out)
            throws IOException {
        out.writeUTF(def.name());
        var rows = state.table(def).rows();
        out.writeInt(rows.size());
        for (R row : rows.values()) {
            writeBytes(def.encode(row), out);
        }
    }

    private static void writeBytes(byte[] bytes, DataOutputStream out) throws IOException {
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    /**
     * Reads what {@link #write} wrote.
     *
     * @throws IOException when it is something else, or of a newer version
     */
    public State read(InputStream stream) throws IOException {
        return read(stream, head -> Rows.AS_THEY_ARE);
    }

    /** What becomes of rows that are read. */
    interface Rows {
        Rows AS_THEY_ARE =
                new Rows() {
                    @Override
                    public <R> R of(TableDef<R> def, R row) {
                        return row;
                    }
                };

        <R> R of(TableDef<R> def, R row);
    }

    /**
     * Reads what {@link #write} wrote.
     *
     * @param rows knows from a state without rows what is to become of them
     */
    State read(InputStream stream, Function<State, Rows> rows) throws IOException {
        var in = new DataInputStream(new BufferedInputStream(stream, 1 << 16));
        readHead(in);
        long base = in.readLong();
        long index = in.readLong();
        long time = in.readLong();
        Rows become =
                rows.apply(new State(base, index, time, HashTreePMap.empty(), TreePMap.empty()));
        var read = new HashMap<TableDef<?>, Table<?>>();
        for (int left = in.readInt(); left > 0; left--) {
            String name = in.readUTF();
            TableDef<?> def =
                    tables.stream()
                            .filter(table -> table.name().equals(name))
                            .findFirst()
                            .orElseThrow(() -> new IOException("unknown table \"" + name + "\""));
            read.put(def, readTable(def, in, become));
        }
        SortedMap<String, Long> indexes = new TreeMap<>();
        for (int left = in.readInt(); left > 0; left--) {
            indexes.put(new String(readBytes(in), StandardCharsets.UTF_8), in.readLong());
        }
        return new State(
                base, index, time, HashTreePMap.from(read), TreePMap.fromSortedMap(indexes));
    }

    /**
     * A table in a stream.
     *
     * @param bytes of its rows
     */
    public record Size(String table, int rows, long bytes) {}

    /**
     * The tables in what {@link #write} wrote; reads it to its end, row by row, and keeps none.
     *
     * @throws IOException when it is something else, of a newer version, or has a row that no
     *     command could have made
     */
    public static List<Size> sizes(InputStream stream) throws IOException {
        var in = new DataInputStream(stream);
        readHead(in);
        in.skipNBytes(3L * Long.BYTES);
        var sizes = new ArrayList<Size>();
        for (int left = in.readInt(); left > 0; left--) {
            String name = in.readUTF();
            int rows = in.readInt();
            long bytes = 0;
            for (int row = 0; row < rows; row++) {
                bytes += skipBytes(in);
            }
            sizes.add(new Size(name, rows, bytes));
        }
        for (int left = in.readInt(); left > 0; left--) {
            skipBytes(in);
            in.readLong();
        }
        return sizes;
    }

    private static int skipBytes(DataInputStream in) throws IOException {
        int length = in.readInt();
        if (length < 0 || length > MAX_ROW_BYTES) {
            throw new IOException("it has a row of " + length + " bytes");
        }
        in.skipNBytes(length);
        return length;
    }

    private static void readHead(DataInputStream in) throws IOException {
        if (in.readInt() != MAGIC) {
            throw new IOException("this is not a snapshot of the state");
        }
        int version = in.readInt();
        if (version != VERSION) {
            throw new IOException(
                    "the snapshot has version " + version + ", this program reads " + VERSION);
        }
    }

    private static <R> Table<R> readTable(TableDef<R> def, DataInputStream in, Rows become)
            throws IOException {
        int count = in.readInt();
        // The count is not to be believed before the rows have come.
        var rows = new Ascending<R>(def.order(), Math.clamp(count, 0, 1 << 10));
        try {
            for (int left = count; left > 0; left--) {
                R row = become.of(def, def.decode(readBytes(in)));
                rows.add(Map.entry(def.key(row), row));
            }
        } catch (UncheckedIOException e) {
            throw new IOException("table " + def.name() + ": " + e.getMessage(), e);
        }
        return Table.of(def, rows.sorted());
    }

    private static byte[] readBytes(DataInputStream in) throws IOException {
        int length = in.readInt();
        byte[] bytes = in.readNBytes(length);
        if (bytes.length != length) {
            throw new IOException("the snapshot ends early");
        }
        return bytes;
    }
}
