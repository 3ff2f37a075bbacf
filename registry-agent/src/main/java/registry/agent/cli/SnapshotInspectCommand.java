package registry.agent.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Locale;
import registry.server.snapshot.ArchiveInfo;
import registry.server.snapshot.SnapshotArchive;
import registry.server.state.StateCodec;

/** {@code registry snapshot inspect}: what is in a file; needs no agent. */
final class SnapshotInspectCommand implements Command {
    private static final int GAP = 6;

    @Override
    public String synopsis() {
        return "FILE";
    }

    @Override
    public String purpose() {
        return "Verifies a saved snapshot and says what is in it.";
    }

    @Override
    public Flags flags() {
        return new Flags();
    }

    @Override
    public int run(Flags flags, Terminal terminal) throws Failure, IOException {
        Path file = existing(SnapshotSaveCommand.file(flags));
        SnapshotArchive.Contents contents;
        try (InputStream in = Files.newInputStream(file)) {
            contents = SnapshotArchive.inspect(in);
        } catch (IOException e) {
            throw new Failure("Error reading snapshot: " + e.getMessage());
        }
        ArchiveInfo info = contents.info();
        var head =
                new Table(GAP)
                        .row("ID", info.id())
                        .row("Size", Long.toString(Files.size(file)))
                        .row("Index", Long.toString(info.index()))
                        .row("Term", Long.toString(info.term()))
                        .row("Version", Integer.toString(info.version()));
        var tables = new Table(GAP).row(" Type", "Count", "Size").row(" ----", "----", "----");
        long total = 0;
        var largestFirst = Comparator.comparingLong(StateCodec.Size::bytes).reversed();
        for (StateCodec.Size table : contents.tables().stream().sorted(largestFirst).toList()) {
            if (table.rows() > 0) {
                tables.row(
                        " " + table.table(), Integer.toString(table.rows()), size(table.bytes()));
                total += table.bytes();
            }
        }
        tables.row(" ----", "----", "----").row(" Total", "", size(total));
        terminal.say(head.text() + "\n\n\n" + tables.text());
        return 0;
    }

    /** As Consul writes sizes. */
    private static String size(long bytes) {
        if (bytes < 1024) {
            return bytes + "B";
        }
        double value = bytes;
        String unit = "";
        for (String next : new String[] {"KB", "MB", "GB", "TB"}) {
            if (value < 1024) {
                break;
            }
            value /= 1024;
            unit = next;
        }
        return String.format(Locale.ROOT, "%.1f%s", value, unit).replace(".0", "");
    }

    static Path existing(String name) throws Failure {
        Path file = Path.of(name);
        if (!Files.exists(file)) {
            throw new Failure(
                    "Error opening snapshot file: open %s: no such file or directory"
                            .formatted(name));
        }
        return file;
    }
}
